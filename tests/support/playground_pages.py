"""The playground in a browser: a server with a picture whose every filter shows, and what a user does on the page."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps
from selenium.webdriver.support.ui import Select

from tests.support import servers
from tests.support.browser import browser, one

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

SECRET = "0123456789abcdef0123456789abcdef"
_PICTURE = """
const image = document.getElementById("thumbnail");
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
canvas.getContext("2d").drawImage(image, 0, 0);
return image.hidden ? "" : canvas.toDataURL();
"""
# Resolved in the page, which costs a part of what one question after another from here does.
_SETTLED = """
const [selector, attribute, value, done] = arguments;
const look = () => {
  const found = document.querySelectorAll(selector);
  if (found.length === 1 && found[0].getAttribute(attribute) === value) done();
  else setTimeout(look, 10);
};
look();
"""
# Of the only element: a property of it.
_PROPERTY = """
const found = document.querySelectorAll(arguments[0]);
return found.length === 1 ? found[0][arguments[1]] : null;
"""
# The first part of a filter, from a number on, that is displayed, as its number and itself.
_NEXT_PART = """
const [name, first] = arguments;
const parts = document.querySelectorAll(
  `[data-filter=${name}] [data-part]:not([data-part=slider]):not([data-part=picker])`
);
for (let number = first; number < parts.length; number++)
  if (parts[number].checkVisibility({ visibilityProperty: true, opacityProperty: true }))
    return [number, parts[number], parts[number].localName];
return null;
"""
_HOSTS = "return [...new Set(performance.getEntriesByType('resource').map(({ name }) => new URL(name).protocol))]"


def grained(width: int = 300, height: int = 200) -> Image.Image:
    """Grain over a gradient, with a white margin: another quality, crop or effect makes other pixels of it."""
    noise = [Image.effect_noise((width - 40, height - 40), 60) for _ in range(3)]
    ramp = Image.linear_gradient("L").resize((width - 40, height - 40))
    bands = [Image.blend(band, turned, 0.5) for band, turned in zip(noise, (ramp, ramp.rotate(180), ramp), strict=True)]
    return ImageOps.expand(Image.merge("RGB", bands), 20, (255, 255, 255))


def fill(root: Path) -> None:
    """`photos/grain.jpg`, a GIF of three frames, a broken file, and a key of every sort."""
    (root / "photos").mkdir(parents=True)
    grained().save(root / "photos/grain.jpg", quality=95)
    frames = [Image.new("RGB", (90, 60), color) for color in ("red", "green", "blue")]
    frames[0].save(root / "photos/film.gif", save_all=True, append_images=frames[1:])
    (root / "photos/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    for name in ("<script>alert(1)<", "\"quotes\" & 'apostrophes'.jpg", "\u202egpj.txe.jpg", "été/ü.jpg"):
        path = root / "strange" / name.replace("/", "")
        path.parent.mkdir(exist_ok=True)
        file = io.BytesIO()
        Image.new("RGB", (60, 40), "teal").save(file, "JPEG")
        path.with_name(path.name + ("" if path.suffix else ".jpg")).write_bytes(file.getvalue())


def document(root: Path, directory: Path, **more: object) -> dict[str, object]:
    """The configuration of a server with a signed and an open storage, a preset and a watermark."""
    logo = directory / "logo.png"
    Image.new("RGBA", (40, 20), (255, 0, 0, 200)).save(logo)
    cache = {"memory": {"enabled": True, "max_size_mb": 16}}
    return {
        "host": "127.0.0.1",
        "playground": "sign",
        "isolation": "off",
        "presets": {"card": {"size": "60x60", "filters": "grayscale"}},
        "watermarks": {"logo": str(logo)},
        "storages": [
            {"name": "signed", "driver": "local", "root": str(root), "signature_secret_key": SECRET, "cache": cache},
            {"name": "open", "driver": "local", "root": str(root), "cache": cache},
        ],
        **more,
    }


@contextlib.contextmanager
def served(root: Path, directory: Path, **more: object) -> Iterator[servers.Server]:
    with servers.standalone(document(root, directory, **more), directory, worker=servers.OUR_WORKER) as server:
        yield server


class Page:
    """The page in a browser. Each method returns when the page has settled."""

    def __init__(self, driver: "Chrome", server: servers.Server) -> None:
        self.driver = driver
        self.server = server
        self._opened = ("", "")  # a query, and the address that the page had then: it follows the controls

    def open(self, query: str = "") -> None:
        self.driver.get(self.server.url(query and f"?{query}"))
        self.wait()
        self._opened = query, self.driver.current_url

    def stay(self, query: str) -> None:
        """Open the page, unless it was opened so and its controls are set as they were then."""
        if self._opened != (query, self.driver.current_url):
            self.open(query)

    def wait(self) -> None:
        """Until the page that is loaded has settled."""
        self.driver.execute_async_script(_SETTLED, "html", "data-ready", "yes")
        self.settle()

    def settle(self) -> None:
        """Wait until the thumbnail is that of the controls."""
        self.driver.execute_async_script(_SETTLED, "#result", "aria-busy", "false")

    def find(self, selector: str) -> "WebElement":
        return one(self.driver, selector)

    @property
    def url(self) -> str:
        return str(self._property("#url", "value"))

    @property
    def picture(self) -> str:
        """Differs where a pixel of the thumbnail does; empty without one."""
        return str(self.driver.execute_script(_PICTURE))

    def text(self, selector: str) -> str:
        return str(self._property(selector, "textContent"))

    def protocols(self) -> set[str]:
        """The protocols of all requests of the page so far."""
        return set(self.driver.execute_script(_HOSTS))

    def type_into(self, selector: str, text: str) -> None:
        element = self.find(selector)
        element.clear()
        element.send_keys(text)
        self.settle()

    def change(self, selector: str, text: str) -> None:
        """Put a text into an input, and leave it."""
        element = self.find(selector)
        element.clear()
        element.send_keys(text + "\t")
        self.settle()

    def switch(self, name: str) -> None:
        self.find(f"#on-{name}").click()
        self.settle()

    def set(self, name: str, *values: str) -> None:
        """Switch a filter on, and give its controls these values in their order, as a user does."""
        if not self._property(f"#on-{name}", "checked"):
            self.switch(name)
        place = -1
        for value in values:
            # A choice shows or hides those that follow it.
            found = self.driver.execute_script(_NEXT_PART, name, place + 1)
            if found is None:
                break
            place, part, tag = found
            if tag == "select":
                Select(part).select_by_visible_text(value)
            else:
                part.clear()
                part.send_keys(value)
        self.settle()

    def _property(self, selector: str, name: str) -> object:
        found: object = self.driver.execute_script(_PROPERTY, selector, name)
        # Not there yet, or not alone.
        return self.find(selector).get_property(name) if found is None else found


@contextlib.contextmanager
def page(server: servers.Server, *, width: int = 1440, height: int = 1000, dark: bool = False) -> Iterator[Page]:
    with browser(width=width, height=height, dark=dark) as driver:
        yield Page(driver, server)
