"""Every spelling of a filter has a place in its controls, and what no control can show is kept."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.support.ui import Select

from tests.support.browser import console
from tests.support.playground_pages import Page, fill, page, served
from tests.support.servers import Server

KEY = "photos/grain.jpg"
# Controls of a filter in their order, and what they write.
TYPED = [
    ("crop", ("size and gravity", "100", "60", "east"), "crop(100,60,east)"),
    ("crop", ("size and gravity", "100", "60", "southeast", "10", "20"), "crop(100,60,southeast,10,20)"),
    ("crop", ("size and gravity", "0.5", "0", "a point", "0.3", "0.7"), "crop(0.5,0,focus,0.3,0.7)"),
    (
        "crop",
        ("size and gravity", "90", "60", "a point", "30", "70", "px of the original"),
        "crop(90,60,focus,30px,70px)",
    ),
    ("crop", ("edges", "10", "20", "9000", "90", "clamp"), "crop(10,20,9000,90,clamp)"),
    ("gravity", ("east", "20", "0"), "gravity(east,20,0)"),
    ("gravity", ("northwest", "0.1", "-5"), "gravity(northwest,0.1,-5)"),
    ("gravity", ("a point", "30", "70", "px of the original"), "gravity(30px,70px)"),
    ("gravity", ("smart",), "gravity(smart)"),
    ("watermark", ("logo", "southeast", "80", "0.25", "10", "4"), "watermark(logo,southeast,80,0.25,10,4)"),
    ("upscale", ("ratio",), "upscale(ratio)"),
    ("fit", ("outside",), "fit(outside)"),
    ("fit", ("auto",), "fit(auto)"),
    ("linear", ("no",), "linear(no)"),
]
# With fit(fill), where the place on the canvas shows.
ON_CANVAS = [
    ("align", ("southeast",), "align(southeast)"),
    ("align", ("east", "12", "3"), "align(east,12,3)"),
    ("align", ("a point", "0.2", "0.9"), "align(0.2,0.9)"),
]
# Arguments that a URL may have, spelled as the controls spell them.
KEPT = [
    "crop(1,2,150,120)",
    "crop(1,2,9000,8000,clamp)",
    "crop(100,60,center)",
    "crop(100,60,northwest,10,20)",
    "crop(0.5,0,west,0.1,-7)",
    "crop(100,60,focus,0.31,0.62)",
    "crop(100,60,focus,31px,62px)",
    "gravity(entropy)",
    "gravity(east,50,0)",
    "gravity(0.31,0.62)",
    "gravity(31px,62px)",
    "fit(fill,ffcc00);align(south,0,8)",
    "fit(fill,transparent);align(0.1,0.9);format(png)",
    "fit(outside);upscale(ratio)",
    "fit(auto);swap;keep",
    "watermark(logo)",
    "watermark(logo,southeast,50,0.25,10,-10)",
    "linear(yes);format(auto)",
    "padding(1,2,3,4);sharpen;blur(2.5);trim(9,ff0000);frames(all)",
]
# Mistakes: the controls cannot show them, and the page says what is wrong.
WRONG = ["quality(abc)", "crop(1,2,3)", "gravity(nowhere,1,2)", "preset(none)", "fit(fill,ffcc00,3)", "blur(1,2)"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("originals")
    fill(root)
    with served(root, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def window(server: Server) -> Iterator[Page]:
    with page(server) as opened:
        opened.open(f"storage=open&key={KEY}&size=120x90")
        yield opened


@pytest.fixture
def shown(window: Page) -> Iterator[Page]:
    yield window
    assert console(window.driver) == []


@pytest.mark.parametrize(("name", "values", "text"), TYPED, ids=[text for _, _, text in TYPED])
def test_a_value_is_set_with_controls(shown: Page, name: str, values: tuple[str, ...], text: str) -> None:
    shown.open(f"storage=signed&key={KEY}&size=120x90")
    before = shown.picture
    if name == "crop":
        shown.switch(name)
        Select(shown.find("#way-crop")).select_by_visible_text(values[0])
        values = values[1:]
    shown.set(name, *values)
    assert f":{text}/" in shown.url
    assert shown.text("#verdict") == ""
    assert shown.picture
    if text not in ("upscale(ratio)", "linear(no)", "fit(auto)"):  # which change nothing of this picture
        assert shown.picture != before
    if "clamp" in text:  # which is chosen last: until then the crop is refused
        assert all("status of 400" in line for line in console(shown.driver))


# A change comes while the page reads why the thumbnail before was refused. Whether it waits for the next one then.
_CHANGE_MEANWHILE = """
const done = arguments[0];
const read = Blob.prototype.text;
const change = (value) => {
  const width = document.getElementById("width");
  width.value = value;
  width.dispatchEvent(new Event("input", { bubbles: true }));
};
Blob.prototype.text = function () {
  Blob.prototype.text = read;
  return read.call(this).then((text) => {
    change("122");
    setTimeout(() => done(document.getElementById("result").getAttribute("aria-busy")));
    return text;
  });
};
change("121");
"""


def test_what_is_not_wanted_any_more_does_not_end_the_wait_for_what_is(window: Page) -> None:
    window.open(f"storage=open&key={KEY}&size=120x90&filters=crop(10,20,9000,90)")
    assert window.text("#no-thumbnail").startswith("400: ")
    assert window.driver.execute_async_script(_CHANGE_MEANWHILE) == "true"
    window.settle()
    assert "/122x90/" in window.url
    assert all("status of 400" in line for line in console(window.driver))


@pytest.mark.parametrize(("name", "values", "text"), ON_CANVAS, ids=[text for _, _, text in ON_CANVAS])
def test_a_place_on_the_canvas_is_set_with_controls(shown: Page, name: str, values: tuple[str, ...], text: str) -> None:
    shown.open(f"storage=signed&key={KEY}&size=120x120&filters=fit(fill,00ff00)")
    before = shown.picture
    shown.set(name, *values)
    assert text in shown.url
    assert shown.picture not in ("", before)


@pytest.mark.parametrize("filters", KEPT)
def test_a_url_sets_the_controls_which_write_the_same(shown: Page, filters: str) -> None:
    shown.change("#url", f"/open/thumbs/120x90/filters:{filters}/{KEY}")
    assert shown.text("#verdict") == ""
    assert shown.picture
    shown.type_into("#width", "121")  # from now on the URL is the one of the controls
    written = shown.url.partition("/filters:")[2].partition("/")[0]
    assert sorted(written.split(";")) == sorted(filters.split(";"))
    assert [each.text for each in shown.driver.find_elements("css selector", ".raw") if each.is_displayed()] == []


@pytest.mark.parametrize("filters", WRONG)
def test_what_no_control_can_show_is_kept_and_shown_as_text(shown: Page, filters: str) -> None:
    shown.change("#url", f"/open/thumbs/120x90/filters:{filters}/{KEY}")
    assert shown.text("#verdict") != ""
    shown.type_into("#width", "121")
    assert f"/121x90/filters:{filters}/" in shown.url
    arguments = filters.partition("(")[2].rstrip(")")
    texts = [each.text for each in shown.driver.find_elements("css selector", ".raw") if each.is_displayed()]
    assert texts == [f"As in the URL: {arguments}"]
    name = filters.partition("(")[0]
    if name == "quality":
        shown.set(name, "40")
        assert "quality(40)" in shown.url
        assert shown.text("#verdict") == ""


@pytest.mark.parametrize("size", ["12ax90", "0x0", "-5x", "1e3x2", "x\u202e"])
def test_a_wrong_size_is_marked_and_leaves_the_controls_empty(shown: Page, size: str) -> None:
    shown.change("#url", f"/open/thumbs/{size}/{KEY}")
    assert shown.text("#verdict") != ""
    assert shown.picture == ""
    assert set(shown.find("#width").get_attribute("value") or "0") <= set("0123456789")


def test_a_point_in_pixels_is_dragged_in_pixels(shown: Page) -> None:
    shown.open(f"storage=signed&key={KEY}&size=120x20&filters=gravity(30px,70px)")
    point = shown.find("#point")
    assert point.is_displayed()
    style = point.get_attribute("style")
    assert style is not None
    assert "left: 10%" in style
    assert "top: 35%" in style
