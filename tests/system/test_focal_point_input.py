"""The input of a focal point works by mouse and by keyboard, in a browser, under a strict Content-Security-Policy."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageOps

from tests.support import pictures
from tests.support.albums import make_albums, session, signed_in
from tests.support.browser import console, one, resized
from tests.support.focal_points import FocalPoint, marked_in
from tests.support.gallery import Gallery
from tests.support.servers import Server, fetch
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

# 600 by 400 pixels that show a picture of 400 by 600.
TURNED = pictures.stored_turned(pictures.quarters(400, 600), 6)
_SLIDE = """
from tests.albums.models import Album, Slide
Slide.objects.all().delete()
Slide.objects.create(pk=1, album=Album.objects.get_or_create(title="Summer")[0], image={image!r}, focus={focus!r})
"""
_EVENTS = """
window.seen = [];
for (const name of ["input", "change"]) arguments[0].addEventListener(name, () => window.seen.push(name));
"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    made = make_albums(tmp_path_factory.mktemp("albums"))
    (made.media / "slides").mkdir()
    (made.media / "slides" / "wide.jpg").write_bytes(pictures.encoded(pictures.quarters(), "JPEG"))
    (made.media / "slides" / "turned.jpg").write_bytes(TURNED)
    return made


@pytest.fixture(scope="module")
def server(gallery: Gallery) -> Iterator[Server]:
    with gallery.served() as running:
        yield running


@pytest.fixture(scope="module")
def cookie(gallery: Gallery) -> str:
    return session(gallery)


@pytest.fixture(scope="module")
def window(server: Server, cookie: str) -> Iterator["Chrome"]:
    with signed_in(server, cookie) as driver:
        yield driver


@pytest.fixture
def driver(window: "Chrome") -> Iterator["Chrome"]:
    """A browser whose console stays empty: nothing breaks the policy, no script fails, no file is missing."""
    console(window)
    yield window
    assert console(window) == []


def slide(gallery: Gallery, focus: str = "", image: str = "slides/wide.jpg") -> None:
    gallery.copy(_SLIDE.format(image=image, focus=focus))


def opened(driver: "Chrome", server: Server, page: str = "admin/albums/slide/1/change/") -> FocalPoint:
    driver.get(server.url(page))
    return FocalPoint(driver).wait()


def saved(gallery: Gallery, row: str = "Slide.objects.get()") -> str:
    return gallery.copy(f"from tests.albums.models import Slide\nprint({row}.focus)").strip()


def save(driver: "Chrome") -> None:
    one(driver, "input[name=_continue]").click()
    eventually(lambda: bool(driver.find_elements("css selector", "li.success")))


# ------------------------------------------------------------------------------------------ mouse


def test_a_click_sets_the_point_and_saving_keeps_it(gallery: Gallery, server: Server, driver: "Chrome") -> None:
    slide(gallery)
    focal = opened(driver, server)
    assert (focal.value, focal.is_marked, focal.spoken) == ("", False, "not set")
    focal.mouse((0.25, 0.75))
    assert focal.point == pytest.approx((0.25, 0.75), abs=0.005)
    assert focal.marked == pytest.approx(focal.point, abs=0.005)
    assert focal.spoken == "25 % from the left, 75 % from the top"
    chosen = focal.value
    save(driver)
    assert saved(gallery) == chosen
    again = FocalPoint(driver).wait()
    assert (again.value, again.is_marked) == (chosen, True)
    assert again.marked == pytest.approx(again.point, abs=0.005)


def test_the_point_follows_the_mouse_and_the_input_sends_the_events_of_an_input(
    gallery: Gallery, server: Server, driver: "Chrome"
) -> None:
    slide(gallery)
    focal = opened(driver, server)
    driver.execute_script(_EVENTS, focal.text)
    focal.mouse((0.2, 0.2), (0.4, 0.5), (0.8, 0.6))
    assert focal.point == pytest.approx((0.8, 0.6), abs=0.005)
    events = driver.execute_script("return window.seen")
    assert events.count("change") == 1
    assert events[-1] == "change"
    assert events.count("input") >= 3
    # Outside of the picture the point stays at its edge.
    focal.mouse((0.5, 0.5), (1.1, 0.5))
    assert focal.point == pytest.approx((1, 0.5), abs=0.005)


def test_the_point_is_that_of_the_picture_as_it_is_shown(gallery: Gallery, server: Server, driver: "Chrome") -> None:
    slide(gallery, image="slides/turned.jpg")
    focal = opened(driver, server)
    size = focal.area.size
    assert size["height"] > size["width"]
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(TURNED)))
    for top, row in ((0.15, 90), (0.85, 510)):
        focal.mouse((0.25, top))
        save(driver)
        url = gallery.copy(
            "from tests.albums.models import Slide\nprint(Slide.objects.get().image.thumb('60x20', format='png').url)"
        )
        crop = pictures.decoded(fetch(server.url(url.strip().removeprefix("/"))).body).convert("RGB")
        shown, expected = crop.getpixel((15, 10)), upright.getpixel((100, row))
        assert isinstance(shown, tuple)
        assert isinstance(expected, tuple)
        assert shown == pytest.approx(expected, abs=12)
        focal = FocalPoint(driver).wait()


# --------------------------------------------------------------------------------------- keyboard


def test_the_keyboard_reaches_the_picture_and_moves_the_point(
    gallery: Gallery, server: Server, driver: "Chrome"
) -> None:
    slide(gallery)
    focal = opened(driver, server)
    focal.text.click()
    focal.keys("Tab")
    assert driver.switch_to.active_element == focal.area
    assert focal.area.value_of_css_property("outline-style") == "solid"
    for keys, value in (
        (("ArrowRight",), "0.51,0.5"),
        (("ArrowDown",), "0.51,0.51"),
        (("Shift+ArrowLeft", "Shift+ArrowUp"), "0.41,0.41"),
        (("ArrowLeft", "ArrowUp"), "0.4,0.4"),
        (("Shift+ArrowRight",) * 8, "1,0.4"),
        (("Shift+ArrowUp",) * 5, "1,0"),
        (("Control+ArrowLeft", "Alt+ArrowDown"), "1,0"),
        (("Home",), "0.5,0.5"),
        (("Delete",), ""),
        (("ArrowLeft", "Backspace"), ""),
        (("Shift+ArrowDown",), "0.5,0.6"),
    ):
        focal.keys(*keys)
        assert focal.value == value
        assert focal.is_marked is (value != "")
    assert focal.spoken == "50 % from the left, 60 % from the top"
    assert focal.area.get_attribute("aria-valuenow") == "50"
    save(driver)
    assert saved(gallery) == "0.5,0.6"


def test_the_picture_is_a_slider_with_a_name_and_the_keys_are_described(
    gallery: Gallery, server: Server, driver: "Chrome"
) -> None:
    slide(gallery, "0.31,0.62")
    focal = opened(driver, server)
    area = focal.area
    assert area.aria_role == "slider"
    assert area.accessible_name == "Focus: position in the picture"
    described = one(driver, f"#{area.get_attribute('aria-describedby')}")
    assert "arrow keys" in described.text
    assert focal.spoken == "31 % from the left, 62 % from the top"
    focal.button("Center").click()
    assert focal.value == "0.5,0.5"
    focal.button("Clear").click()
    assert (focal.value, focal.is_marked, focal.spoken) == ("", False, "not set")


# ------------------------------------------------------------------------------------ text and form


def test_text_and_picture_show_the_same_point(gallery: Gallery, server: Server, driver: "Chrome") -> None:
    slide(gallery)
    focal = opened(driver, server)
    for text, marked in (("0.1,0.9", (0.1, 0.9)), ("0.31x0.62", (0.31, 0.62)), (" .5 , 1. ", (0.5, 1))):
        focal.text.clear()
        focal.text.send_keys(text)
        assert focal.is_marked
        assert focal.marked == pytest.approx(marked, abs=0.005)
    for text in ("0.1", "2,0.5", "left,top", "0.1,-1"):
        focal.text.clear()
        focal.text.send_keys(text)
        assert (focal.is_marked, focal.value) == (False, text)


def test_a_reset_of_the_form_shows_the_first_point_again(gallery: Gallery, server: Server, driver: "Chrome") -> None:
    slide(gallery, "0.1,0.2")
    focal = opened(driver, server, "form/")
    focal.mouse((0.7, 0.7))
    one(driver, "#reset").click()
    eventually(lambda: focal.marked == pytest.approx((0.1, 0.2), abs=0.005))
    assert focal.value == "0.1,0.2"


def test_a_read_only_input_shows_its_point_and_keeps_it(gallery: Gallery, server: Server, driver: "Chrome") -> None:
    slide(gallery, "0.1,0.2")
    focal = opened(driver, server, "form/?readonly=1")
    assert focal.marked == pytest.approx((0.1, 0.2), abs=0.005)
    focal.mouse((0.7, 0.7))
    assert focal.area.get_attribute("tabindex") == "-1"
    assert focal.area.get_attribute("aria-disabled") == "true"
    assert not focal.button("Clear").is_enabled()
    assert focal.value == "0.1,0.2"


def test_a_page_from_right_to_left_does_not_mirror_the_picture(
    gallery: Gallery, server: Server, driver: "Chrome"
) -> None:
    slide(gallery, "0.1,0.2")
    focal = opened(driver, server, "form/?dir=rtl")
    assert focal.marked == pytest.approx((0.1, 0.2), abs=0.005)
    focal.mouse((0.25, 0.5))
    assert focal.point == pytest.approx((0.25, 0.5), abs=0.005)
    focal.text.clear()
    driver.execute_script("arguments[0].focus()", focal.area)
    focal.keys("Shift+ArrowRight")
    assert focal.value == "0.6,0.5"


def test_without_a_picture_to_show_the_text_is_still_there(gallery: Gallery, server: Server, window: "Chrome") -> None:
    slide(gallery, "0.1,0.2", "slides/gone.jpg")
    window.get(server.url("form/"))
    focal = FocalPoint(window)
    note = one(focal.element, ".thumbs-focal-note")
    eventually(note.is_displayed)
    assert note.text == "The picture cannot be shown. The focal point can be entered as text."
    assert not focal.area.is_displayed()
    assert focal.text.is_enabled()
    assert all("Content Security Policy" not in message for message in console(window))


def test_without_script_the_point_is_text(gallery: Gallery, server: Server, cookie: str) -> None:
    slide(gallery)
    with signed_in(server, cookie, script=False) as driver:
        driver.get(server.url("admin/albums/slide/1/change/"))
        assert driver.find_elements("css selector", ".thumbs-focal") == []
        one(driver, "input[name=focus]").send_keys("0.25,0.5")
        save(driver)
    assert saved(gallery) == "0.25,0.5"


# ----------------------------------------------------------------------------------------- screens


@pytest.mark.parametrize("dark", [False, True])
def test_the_picture_fits_a_telephone_in_light_and_dark(
    gallery: Gallery, server: Server, driver: "Chrome", dark: bool
) -> None:
    slide(gallery, "0.9,0.5")
    with resized(driver, width=360, dark=dark):
        focal = opened(driver, server)
        assert driver.execute_script("return document.scrollingElement.scrollWidth") <= 360
        assert 200 < focal.area.size["width"] < 360
        focal.mouse((0.25, 0.75))
        assert focal.point == pytest.approx((0.25, 0.75), abs=0.01)
        hint = one(focal.element, ".thumbs-focal-hint")
        assert contrast(hint.value_of_css_property("color"), background(driver)) > 4.5
        assert console(driver) == []


def background(driver: "Chrome") -> str:
    return str(driver.execute_script("return getComputedStyle(document.body).backgroundColor"))


def contrast(one_color: str, other: str) -> float:
    """The contrast of two colors of CSS (WCAG 2.2, 1.4.3)."""
    low, high = sorted(map(luminance, (one_color, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    channels = [float(part) / 255 for part in color.partition("(")[2].rstrip(")").split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colors_are_told_apart() -> None:
    assert contrast("rgb(0, 0, 0)", "rgba(255, 255, 255, 1)") == pytest.approx(21)


# ----------------------------------------------------------------------------------- files and rows


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "turned.jpg").write_bytes(TURNED)
    (tmp_path / "wide.png").write_bytes(pictures.encoded(pictures.quarters(), "PNG"))
    (tmp_path / "text.jpg").write_text("no picture")
    return tmp_path


def test_a_chosen_file_is_shown_before_it_is_saved(
    gallery: Gallery, server: Server, driver: "Chrome", files: Path
) -> None:
    gallery.copy("from tests.albums.models import Slide\nSlide.objects.all().delete()")
    driver.get(server.url("admin/albums/slide/add/"))
    focal = FocalPoint(driver)
    assert one(focal.element, ".thumbs-focal-note").text == "Choose a picture to set its focal point here."
    file = one(driver, "input[name=image]")
    file.send_keys(str(files / "text.jpg"))
    eventually(lambda: "cannot be shown" in one(focal.element, ".thumbs-focal-note").text)
    file.send_keys(str(files / "turned.jpg"))
    focal.wait()
    size = focal.area.size
    assert size["height"] > size["width"]
    focal.mouse((0.25, 0.75))
    chosen = focal.value
    save(driver)
    assert saved(gallery) == chosen
    # Another file, and then none: the saved picture is shown again.
    focal = FocalPoint(driver).wait()
    one(driver, "input[name=image]").send_keys(str(files / "wide.png"))
    eventually(lambda: focal.area.size["width"] > focal.area.size["height"])
    driver.execute_script(
        "arguments[0].value = ''; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))",
        one(driver, "input[name=image]"),
    )
    eventually(lambda: focal.area.size["height"] > focal.area.size["width"])


def test_a_row_that_is_added_has_an_input_of_its_own(
    gallery: Gallery, server: Server, driver: "Chrome", files: Path
) -> None:
    slide(gallery, "0.1,0.2")
    driver.get(server.url("admin/albums/album/1/change/"))
    first = FocalPoint(driver, "slides-0-focus").wait()
    for _ in range(2):
        one(driver, ".add-row a").click()
    # The first of the new rows goes away again, and the second one gets its number.
    one(driver, "#slides-1 .inline-deletelink").click()
    one(driver, "input[name=slides-1-image]").send_keys(str(files / "wide.png"))
    added = FocalPoint(driver, "slides-1-focus").wait()
    added.mouse((0.75, 0.25))
    assert added.point == pytest.approx((0.75, 0.25), abs=0.005)
    assert first.value == "0.1,0.2"
    assert driver.find_elements("css selector", "#slides-empty .thumbs-focal-picture") == []
    chosen = added.value
    save(driver)
    assert saved(gallery, "Slide.objects.latest('pk')") == chosen
    assert saved(gallery, "Slide.objects.earliest('pk')") == "0.1,0.2"


# ---------------------------------------------------------------------------------------- viewers


def test_a_viewer_sees_the_pictures_and_the_points_and_no_inputs(gallery: Gallery, server: Server) -> None:
    slide(gallery, "0.31,0.62")
    with signed_in(server, session(gallery, superuser=False)) as driver:
        for page in ("slide", "album"):
            driver.get(server.url(f"admin/albums/{page}/1/change/"))
            assert marked_in(one(driver, "thumbs-focus-shown")) == pytest.approx((0.31, 0.62), abs=0.01)
            assert driver.find_elements("css selector", "thumbs-focal-point, input[type=file]") == []
            assert one(driver, ".field-focus .readonly").text == "0.31,0.62"
        assert console(driver) == []
