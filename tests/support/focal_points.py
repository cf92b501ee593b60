"""The input of a focal point in a browser: where its parts are, and moves of the mouse on its picture."""

import importlib
from typing import TYPE_CHECKING, Any

from tests.support.browser import is_drawn, one
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

_MARKER = """
const box = arguments[0].getBoundingClientRect();
const marker = arguments[0].querySelector(".thumbs-focal-marker").getBoundingClientRect();
const x = marker.left + marker.width / 2 - box.left;
const y = marker.top + marker.height / 2 - box.top;
return [x / box.width, y / box.height];
"""


def marked_in(element: "WebElement") -> tuple[float, ...]:
    """Where the marker in `element` is drawn, as fractions from its top left.

    Waits until there is one, and until the picture has loaded: without it, `element` has no size, so no fractions.
    """
    one(element, ".thumbs-focal-marker")
    found: list[float | None] = []

    def has_fractions() -> bool:
        found[:] = element.parent.execute_script(_MARKER, element)
        return None not in found

    eventually(has_fractions)
    return tuple(number for number in found if number is not None)


class FocalPoint:
    """The input whose text is in `input[name={name}]`, drawn with a picture."""

    def __init__(self, driver: "Chrome", name: str = "focus") -> None:
        self.driver = driver
        self.text = one(driver, f"input[name={name}]")
        self.element: WebElement = self.text.find_element("xpath", "..")

    @property
    def area(self) -> "WebElement":
        return one(self.element, ".thumbs-focal-area")

    @property
    def value(self) -> str:
        return str(self.text.get_property("value"))

    @property
    def point(self) -> tuple[float, ...]:
        return tuple(map(float, self.value.split(",")))

    @property
    def is_marked(self) -> bool:
        return one(self.element, ".thumbs-focal-marker").is_displayed()

    @property
    def marked(self) -> tuple[float, ...]:
        """Where the marker is drawn, as fractions from the top left of the picture."""
        return marked_in(self.area)

    @property
    def spoken(self) -> str:
        return str(self.area.get_attribute("aria-valuetext"))

    def button(self, text: str) -> "WebElement":
        return self.element.find_element("xpath", f".//button[text()='{text}']")

    def wait(self) -> "FocalPoint":
        """Return when the picture is drawn."""
        picture = one(self.element, ".thumbs-focal-picture")
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", picture)
        eventually(picture.is_displayed if picture.tag_name == "canvas" else is_drawn(picture))
        return self

    def mouse(self, *points: tuple[float, float]) -> None:
        """Press at the first point, move to the others, release. Points are fractions from the top left."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", self.area)
        actions = self._actions()
        for number, (x, y) in enumerate(points):
            # Offsets are from the center.
            width, height = self.area.size["width"], self.area.size["height"]
            actions.move_to_element_with_offset(self.area, round((x - 0.5) * width), round((y - 0.5) * height))
            if number == 0:
                actions.click_and_hold()
        actions.release().perform()

    def keys(self, *keys: str) -> None:
        """Press keys; `Shift+ArrowLeft` holds Shift."""
        names = importlib.import_module("selenium.webdriver").Keys
        actions = self._actions()
        for key in keys:
            *held, pressed = key.split("+")
            codes = [getattr(names, each.upper()) for each in held]
            for code in codes:
                actions.key_down(code)
            actions.send_keys(getattr(names, _KEYS.get(pressed, pressed.upper())))
            for code in codes:
                actions.key_up(code)
        actions.perform()

    def _actions(self) -> Any:
        return importlib.import_module("selenium.webdriver").ActionChains(self.driver, duration=50)


_KEYS = {"ArrowLeft": "ARROW_LEFT", "ArrowRight": "ARROW_RIGHT", "ArrowUp": "ARROW_UP", "ArrowDown": "ARROW_DOWN"}
