"""Every control of the playground changes the URL and the picture, by mouse, by keyboard and by dragging."""

import json
import re
from collections.abc import Iterator

import pytest
from selenium.webdriver import ActionChains, Keys

from tests.support.browser import console
from tests.support.codecs import OUTPUTS
from tests.support.playground_pages import Page, fill, page, served
from tests.support.servers import Server
from tests.support.waiting import eventually
from thumbs.request.filters import FILTERS

START = "storage=signed&key=photos/grain.jpg&size=120x90"
# What is typed into the controls of a filter, and what of it is in the URL.
TYPED: dict[str, tuple[tuple[str, ...], str]] = {
    "format": (("png",), "format(png)"),
    "quality": (("5",), "quality(5)"),
    "fit": (("fill", "ff0000"), "fit(fill,ff0000)"),
    "crop": (("10", "20", "110", "90"), "crop(10,20,110,90)"),
    "pcrop": (("10", "20", "60.5", "90"), "pcrop(10,20,60.5,90)"),
    "gravity": (("east",), "gravity(east)"),
    "upscale": (("no",), "upscale(no)"),
    "align": (("east",), "align(east)"),
    "swap": ((), "swap"),
    "keep": ((), "keep"),
    "linear": (("yes",), "linear(yes)"),
    "dpr": (("2",), "dpr(2)"),
    "trim": (("40", "ffffff"), "trim(40,ffffff)"),
    "rotate": (("90",), "rotate(90)"),
    "flip": ((), "flip"),
    "flop": ((), "flop"),
    "blur": (("4.5",), "blur(4.5)"),
    "sharpen": (("5",), "sharpen(5)"),
    "grayscale": ((), "grayscale"),
    "brightness": (("-50",), "brightness(-50)"),
    "contrast": (("60",), "contrast(60)"),
    "saturation": (("-90",), "saturation(-90)"),
    "padding": (("1", "2", "3", "4"), "padding(1,2,3,4)"),
    "background": (("gold",), "background(gold)"),
    "watermark": (("logo", "southeast", "80", "0.5"), "watermark(logo,southeast,80,0.5)"),
    "frames": (("a number", "2"), "frames(2)"),
    "max_bytes": (("2000",), "max_bytes(2000)"),
    "preset": (("card",), "preset(card)"),
    "version": (("v7",), "version(v7)"),
    "expires": (("2000000001",), "expires(2000000001)"),
}
# These change no pixel of this picture: it has one frame, is large, opaque, and not sized by the preset.
SAME_PIXELS = {"upscale", "align", "swap", "keep", "background", "frames", "version", "expires"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("originals")
    fill(root)
    with served(root, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def window(server: Server) -> Iterator[Page]:
    with page(server) as opened:
        yield opened


@pytest.fixture
def shown(window: Page) -> Iterator[Page]:
    window.open(START)
    yield from _checked(window)


@pytest.fixture
def left(window: Page) -> Iterator[Page]:
    """As `shown`, for tests that leave the page as they found it: it is loaded where the last test did not.

    A load costs as much as two changes of a control.
    """
    window.stay(START)
    yield from _checked(window)


def _checked(window: Page) -> Iterator[Page]:
    yield window
    assert console(window.driver) == []
    assert window.protocols() <= {"http:", "blob:", "data:"}


def test_every_filter_is_typed_here() -> None:
    assert {*TYPED, "data"} == set(FILTERS)


def test_data_about_the_original_are_shown_as_text(shown: Page) -> None:
    shown.set("format", "json")
    shown.set("data", "thumbhash,color")
    assert "format(json);data(thumbhash,color)" in shown.url
    found = json.loads(shown.text("#data"))
    assert found["output"] == {"width": 120, "height": 90}
    assert found["thumbhash"]
    assert shown.text("[data-figure=type]") == "application/json"
    assert not shown.find("#thumbnail").is_displayed()
    shown.change("#url", shown.url.replace("120x90", "60x"))
    assert shown.find("#filter-data-0").get_attribute("value") == "thumbhash,color"
    shown.switch("data")
    shown.switch("format")
    assert shown.find("#thumbnail").is_displayed()
    assert not shown.find("#data").is_displayed()


@pytest.mark.parametrize("name", TYPED)
def test_a_control_changes_the_url_and_the_picture(left: Page, name: str) -> None:
    shown = left
    before, url = shown.picture, shown.url
    assert before
    values, text = TYPED[name]
    if name == "frames":
        shown.set("format", "webp")
        before, url = shown.picture, shown.url
    shown.set(name, *values)
    assert text in shown.url
    assert shown.text("#snippet-url") == f"http://127.0.0.1:{shown.server.port}{shown.url}"
    assert shown.picture
    assert (shown.picture != before) is (name not in SAME_PIXELS)
    shown.switch(name)
    assert (shown.url, shown.picture) == (url, before)


def test_size_and_download_name_are_in_the_url(shown: Page) -> None:
    shown.type_into("#width", "60")
    shown.type_into("#height", "")
    shown.type_into("#name", "tom.webp")
    assert shown.url.endswith("/60x/photos/grain.jpg/as/tom.webp")
    assert shown.text("[data-figure=size]") == "60 × 40"
    assert shown.text("[data-figure=type]") == "image/webp"
    assert re.fullmatch(r"[\d.]+ (B|KB)", shown.text("[data-figure=bytes]"))


def test_sliders_and_pickers_follow_and_lead(shown: Page) -> None:
    shown.set("quality", "30")
    slider = shown.find("[data-filter=quality] [type=range]")
    assert slider.get_attribute("value") == "30"
    slider.send_keys(Keys.ARROW_RIGHT * 3)
    shown.settle()
    assert "quality(33)" in shown.url
    shown.set("background", "red")
    shown.driver.execute_script(
        "const [picker] = arguments; picker.value = '#00ff00';"
        "picker.dispatchEvent(new Event('input', { bubbles: true }));",
        shown.find("[data-filter=background] [type=color]"),
    )
    shown.settle()
    assert "background(00ff00)" in shown.url


def test_a_url_sets_every_control(shown: Page) -> None:
    filters = "format(webp);quality(33);crop(1,2,150,120);gravity(0.25,0.75);trim(9,ff0000);padding(3)"
    shown.change("#url", f"http://somewhere.example/open/thumbs/77x/f:{filters}/photos/grain.jpg")
    assert shown.url == f"/open/thumbs/77x/f:{filters}/photos/grain.jpg"
    assert shown.find("#storage").get_attribute("value") == "open"
    edges = shown.driver.find_elements("css selector", "[data-filter=crop] [data-part=edge]")
    assert [edge.get_attribute("value") for edge in edges] == ["1", "2", "150", "120"]
    shown.set("quality", "34")
    assert "quality(34)" in shown.url
    assert "padding(3,3,3,3)" in shown.url
    assert "gravity(0.25,0.75)" in shown.url


def drag(shown: Page, start: tuple[float, float], stop: tuple[float, float]) -> None:
    """From one point of the original to another, both as fractions from the top left."""
    image = shown.find("#original")
    eventually(lambda: bool(shown.driver.execute_script("return arguments[0].naturalWidth", image)))
    size = image.size
    offsets = [(round((x - 0.5) * size["width"]), round((y - 0.5) * size["height"])) for x, y in (start, stop)]
    actions = ActionChains(shown.driver).move_to_element_with_offset(image, *offsets[0]).click_and_hold()
    actions.pause(0.5).move_to_element_with_offset(image, *offsets[1]).pause(0.1).release().perform()
    shown.settle()


def numbers(shown: Page, name: str) -> list[float]:
    found = re.search(rf"[:;]{name}\(([\d.,]+)\)", shown.url)
    assert found is not None, shown.url
    return [float(part) for part in found[1].split(",")]


@pytest.mark.parametrize(("name", "whole"), [("pcrop", (100, 100)), ("crop", (300, 200))])
def test_a_crop_is_dragged_in_any_direction(shown: Page, name: str, whole: tuple[int, int]) -> None:
    before = shown.picture
    shown.find(f"[name=tool][value={name}] + span").click()
    drag(shown, (0.75, 0.8), (0.25, 0.2))
    expected = [0.25 * whole[0], 0.2 * whole[1], 0.75 * whole[0], 0.8 * whole[1]]
    assert numbers(shown, name) == pytest.approx(expected, abs=whole[0] / 100)
    assert shown.picture != before
    assert shown.find("#box").is_displayed()
    assert shown.find(f"#on-{name}").is_selected()


def test_one_crop_takes_the_place_of_the_other(shown: Page) -> None:
    shown.set("crop", "0", "0", "100", "100")
    shown.find("[name=tool][value=pcrop] + span").click()
    drag(shown, (0.1, 0.1), (0.5, 0.5))
    assert "pcrop(" in shown.url
    assert ";crop(" not in shown.url
    assert ":crop(" not in shown.url
    assert shown.text("#verdict") == ""


def test_a_focal_point_is_set_by_a_click_and_moved_by_dragging(shown: Page) -> None:
    shown.type_into("#height", "20")
    before = shown.picture
    shown.find("[name=tool][value=gravity] + span").click()
    drag(shown, (0.2, 0.2), (0.3, 0.9))
    assert numbers(shown, "gravity") == pytest.approx([0.3, 0.9], abs=0.02)
    assert shown.picture != before
    assert shown.find("#point").is_displayed()


def test_a_box_that_is_switched_on_begins_with_the_middle(shown: Page) -> None:
    shown.switch("crop")
    assert numbers(shown, "crop") == [30, 20, 270, 180]
    shown.switch("pcrop")
    assert numbers(shown, "pcrop") == [10, 10, 90, 90]


def test_everything_can_be_done_by_keyboard(shown: Page) -> None:
    """No pointer: the focus goes from control to control, and each is worked with keys."""
    driver = shown.driver
    driver.execute_script("document.activeElement.blur()")
    keys = ActionChains(driver)
    reached: list[str] = []
    for _ in range(60):
        keys.send_keys(Keys.TAB).perform()
        name = driver.execute_script("return document.activeElement.id || document.activeElement.className")
        reached.append(str(name))
        if name == "on-blur":
            break
    assert reached[-1] == "on-blur"
    assert {"storage", "key", "browse", "url", "width", "height", "on-format"} <= set(reached)
    outline = driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    before = shown.picture
    ActionChains(driver).send_keys(Keys.SPACE).perform()
    shown.settle()
    eventually(lambda: "blur(" in shown.url)
    ActionChains(driver).send_keys(Keys.TAB, Keys.ARROW_RIGHT).perform()
    eventually(lambda: "blur(3.1)" in shown.url)
    shown.settle()
    assert shown.picture != before


@pytest.mark.parametrize("source", ["url", "snippet-url", "snippet-curl", "snippet-tag", "snippet-picture"])
def test_a_copy_button_copies_what_is_beside_it(shown: Page, source: str) -> None:
    driver = shown.driver
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
    shown.find(f"[data-copy={source}]").click()
    eventually(lambda: shown.text("#copied") == "Copied.")
    copied = driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    expected = f"http://127.0.0.1:{shown.server.port}{shown.url}" if source == "url" else shown.text(f"#{source}")
    assert copied == expected
    assert expected


def test_formats_stand_side_by_side_with_their_bytes(shown: Page) -> None:
    shown.find("#formats summary").click()
    rows = "#formats-list li"
    eventually(lambda: len(shown.driver.find_elements("css selector", rows)) == len(OUTPUTS))
    eventually(lambda: all("B" in row.text for row in shown.driver.find_elements("css selector", rows)))
    names = [row.text.split()[0] for row in shown.driver.find_elements("css selector", rows)]
    assert names == list(OUTPUTS)
    before = shown.text("#formats-list")
    shown.type_into("#width", "60")
    eventually(lambda: shown.text("#formats-list") not in ("", before) and "…" not in shown.text("#formats-list"))


def test_server_time_is_a_bar_with_a_legend(shown: Page) -> None:
    shown.set("version", "new")
    shown.set("blur", "1.7")
    assert "source" in shown.text("#timing-list")
    assert "render" in shown.text("#timing-list")
    assert len(shown.driver.find_elements("css selector", "#timing span")) >= 3
    shown.open(f"{START}&filters=version(new);blur(1.7)")
    assert shown.text("#cache") == "HIT"
    assert "memory" in shown.text("#timing-list")


def test_the_address_of_the_page_brings_everything_back(shown: Page) -> None:
    shown.set("fit", "fill", "00ff00")
    shown.set("padding", "1", "2", "3", "4")
    before = (shown.url, shown.picture)
    shown.driver.refresh()
    shown.wait()
    assert (shown.url, shown.picture) == before


def test_reset_leaves_the_original_in_its_first_size(shown: Page) -> None:
    shown.set("flip")
    shown.set("gravity", "east")
    shown.find("#reset").click()
    shown.settle()
    assert shown.url.endswith("/480x320/photos/grain.jpg")
    assert (
        json.dumps(shown.driver.execute_script("return [...document.querySelectorAll('.switch:checked')].length"))
        == "0"
    )
