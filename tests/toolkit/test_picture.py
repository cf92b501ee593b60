"""`picture`: HTML that parsers read as meant, candidates that the storage makes, and none that is too large."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree.ElementTree import Element

import pytest
from django.test import override_settings
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

from tests.support import strategies, toolkit_site
from tests.support.srcsets import Candidate, only, parse_html, parse_srcset
from tests.support.toolkit_site import a_file, configured
from thumbs import Picture, WrongSpec, picture
from thumbs.request.resolve import ThumbRequest, resolve
from thumbs.wiring import process


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with configured():
        yield


def _img(made: Picture) -> Element:
    found = only(parse_html(made.html))
    return found if found.tag == "img" else found[-1]


def _srcsets(made: Picture) -> dict[str, list[Candidate]]:
    """The candidates by media type; those of the `<img>` are under its tag."""
    found = only(parse_html(made.html))
    if found.tag == "img":
        return {"img": parse_srcset(found.get("srcset", ""))}
    assert found.tag == "picture"
    assert [each.tag for each in found] == ["source"] * (len(found) - 1) + ["img"]
    assert all(set(each.attrib) <= {"type", "srcset", "sizes"} for each in found[:-1])
    srcsets = {each.attrib["type"]: each.attrib["srcset"] for each in found[:-1]}
    assert len(srcsets) == len(found) - 1
    return {name: parse_srcset(text) for name, text in (srcsets | {"img": found[-1].get("srcset", "")}).items()}


def _request(url: str) -> ThumbRequest:
    return resolve(unquote_to_bytes(url.removeprefix("/img")), (), process.current().policies)


def _all_urls(made: Picture) -> list[str]:
    urls = [made.img.url, *(each.url for group in _srcsets(made).values() for each in group)]
    assert urls == [url for url in urls if url.startswith("/img/")]
    return urls


# -------------------------------------------------------------------------------- candidates


def test_a_picture_has_a_source_for_each_modern_format_and_an_img() -> None:
    made = picture("a.jpg", "hero", storage="open", widths="400 800 1200", sizes="50vw", alt="A cat")
    srcsets = _srcsets(made)
    assert list(srcsets) == ["image/avif", "image/webp", "img"]
    for name, candidates in srcsets.items():
        assert [each.width for each in candidates] == [400, 800, 1200]
        for each in candidates:
            asked = _request(each.url).transform
            assert (asked.width, asked.height) == (each.width, round((each.width or 0) * 900 / 1600))
            assert asked.format == ("jpeg" if name == "img" else name.removeprefix("image/"))
    img = _img(made)
    assert (img.get("width"), img.get("height"), img.get("alt")) == ("1600", "900", "A cat")
    assert (img.get("loading"), img.get("decoding"), img.get("fetchpriority")) == ("lazy", "async", None)
    assert all(each.get("sizes") == "50vw" for each in only(parse_html(made.html)))


def test_densities_are_the_default() -> None:
    srcsets = _srcsets(picture("a.jpg", "card", storage="open"))
    assert [(each.density, _request(each.url).transform.target) for each in srcsets["img"]] == [
        (1, (400, 300)),
        (2, (800, 600)),
    ]
    assert "sizes" not in _img(picture("a.jpg", "card", storage="open", sizes="50vw")).attrib


def test_priority_loads_eagerly() -> None:
    img = _img(picture("a.jpg", "card", storage="open", priority=True))
    assert (img.get("loading"), img.get("fetchpriority")) == ("eager", "high")


def test_the_own_format_has_no_source_of_its_own() -> None:
    assert list(_srcsets(picture("a.webp", "card", storage="open"))) == ["image/avif", "img"]
    assert list(_srcsets(picture("a.jpg", "card", storage="open", formats="webp jpeg jpg"))) == ["image/webp", "img"]


@pytest.mark.parametrize("more", [{"format": "auto"}, {"format": "png"}])
def test_a_format_that_the_call_names_is_the_only_one(more: dict[str, Any]) -> None:
    made = picture("a.jpg", "card", storage="open", **more)
    assert list(_srcsets(made)) == ["img"]
    assert made.img.content_type == (None if more["format"] == "auto" else "image/png")


def test_a_preset_with_a_format_has_no_sources_but_those_that_are_named() -> None:
    assert list(_srcsets(picture("a.jpg", "fixed", storage="open"))) == ["img"]
    assert list(_srcsets(picture("a.jpg", "fixed", storage="open", formats=["webp"]))) == ["image/webp", "img"]


def test_a_storage_of_one_format_gives_only_that() -> None:
    for key in ("a.jpg", "a.webp", "a"):
        made = picture(key, "card", storage="webp-only")
        assert {_request(url).transform.format for url in _all_urls(made)} == {"webp"}
        assert list(_srcsets(made)) == ["img"]


@pytest.mark.parametrize("storage", ["sizes", "sizes-signed"])
def test_a_storage_of_some_sizes_gives_only_those(storage: str) -> None:
    made = picture("a.jpg", "400x300", storage=storage, widths=[200, 400, 600, 800])
    assert [each.width for each in _srcsets(made)["img"]] == [400, 800]
    assert all(_request(url) for url in _all_urls(made))
    with pytest.raises(WrongSpec, match="closed set"):
        picture("a.jpg", "400x300", storage=storage, widths=[500, 600])


@pytest.mark.parametrize("storage", ["presets", "presets-signed"])
def test_a_storage_of_presets_gives_only_those(storage: str) -> None:
    made = picture(a_file("a.jpg", focus="0.5,0.5", version=5), "card", storage=storage)
    assert made
    assert {_request(url).transform.target for url in _all_urls(made)} == {(400, 300)}
    assert list(_srcsets(made)) == ["img"]
    for wrong in ({"widths": [500]}, {"ratio": "16/9"}, {"formats": "webp"}):
        with pytest.raises(WrongSpec):
            picture("a.jpg", "card", storage=storage, **wrong)


def test_candidates_over_the_limits_are_left_out() -> None:
    made = picture("a.jpg", "x", storage="small", widths=[400, 900, 2000])
    assert [each.width for each in _srcsets(made)["img"]] == [400, 900]
    assert _all_urls(picture("a.jpg", "600x400", storage="small", format="png")) == [
        "/img/small/thumbs/600x400/filters:format(png)/a.jpg"
    ]
    with pytest.raises(WrongSpec, match="larger"):
        picture("a.jpg", "x", storage="small", widths=[2000])


def test_a_format_that_cannot_have_all_candidates_has_no_source() -> None:
    # AVIF ends at four megapixels: its source would give a large screen a picture that is refused, or a small one.
    assert list(_srcsets(picture("a.jpg", "1600x900", storage="open"))) == ["image/webp", "img"]
    small = picture(a_file("a.jpg", size=(2000, 900)), "x", storage="open", widths=[800, 2000])
    assert list(_srcsets(small)) == ["image/avif", "image/webp", "img"]
    assert list(_srcsets(picture("a.jpg", "x", storage="open", widths=[800, 2000]))) == ["image/webp", "img"]
    named = _srcsets(picture("a.jpg", "1600x900", storage="open", formats="avif"))
    assert [each.density for each in named["image/avif"]] == [1]
    own = picture("a.avif", "1600x900", storage="open")
    assert {_request(url).transform.target for url in _all_urls(own) if "webp" not in url} == {(1600, 900)}


def test_no_candidate_is_wider_than_the_source() -> None:
    made = picture(a_file("a.jpg", size=(1000, 800)), "x", storage="open", widths=[400, 800, 1000, 1200])
    assert [each.width for each in _srcsets(made)["img"]] == [400, 800, 1000]
    made = picture(a_file("a.jpg", size=(500, 400)), "400x300", storage="open")
    assert [_request(each.url).transform.target for each in _srcsets(made)["img"]] == [(400, 300)]
    made = picture(a_file("a.jpg", size=(500, 400)), "x300", storage="open")
    assert [_request(each.url).transform.target for each in _srcsets(made)["img"]] == [(None, 300)]


def test_a_source_smaller_than_all_candidates_keeps_the_smallest() -> None:
    made = picture(a_file("a.jpg", size=(100, 80)), "x", storage="open", widths=[400, 800])
    assert [each.width for each in _srcsets(made)["img"]] == [100]


@pytest.mark.parametrize("size", [(0, 0), (None, None), (0, 750), (1000, 0), (-1, -1), (True, True)])
def test_columns_without_a_size_leave_no_candidate_out(size: tuple[object, object]) -> None:
    made = picture(a_file("a.jpg", size=size), "x", storage="open", widths=[400, 800, 1600])
    assert [each.width for each in _srcsets(made)["img"]] == [400, 800, 1600]
    made = picture(a_file("a.jpg", size=size), "card", storage="open")
    assert [each.density for each in _srcsets(made)["img"]] == [1, 2]


def test_a_descriptor_is_the_true_width() -> None:
    portrait = a_file("a.jpg", size=(3000, 4000))
    made = picture(portrait, "fitted", storage="open", widths=[400, 800])
    assert [each.width for each in _srcsets(made)["img"]] == [225, 450]
    made = picture(portrait, "400x300", storage="open", widths=[400], rotate=90)
    assert [each.width for each in _srcsets(made)["img"]] == [300]
    made = picture("a.jpg", "400x", storage="open", widths=[400], padding=(0, 10))
    assert [each.width for each in _srcsets(made)["img"]] == [420]


def test_equal_widths_are_one_candidate() -> None:
    made = picture(a_file("a.jpg", size=(1000, 100)), "900x90", storage="open", fit="contain", widths=[900, 1000])
    widths = [each.width for each in _srcsets(made)["img"]]
    assert len(widths) == len(set(widths))


def test_a_single_width_is_the_candidate_and_not_the_larger_src() -> None:
    made = picture("a.jpg", "hero", storage="open", widths="400")
    assert [each.width for each in _srcsets(made)["img"]] == [400]


def test_widths_without_sizes_take_the_whole_viewport() -> None:
    assert _img(picture("a.jpg", "hero", storage="open", widths="400")).get("sizes") == "100vw"


@pytest.mark.parametrize(
    ("spec", "more", "targets"),
    [
        ("800x", {"ratio": "16/9"}, [(800, 450), (1600, 900)]),
        ("x450", {"ratio": "16:9", "densities": (1,)}, [(800, 450)]),
        ("x", {"ratio": "2", "widths": (400, 800)}, [(400, 200), (800, 400)]),
        ("800x100", {"ratio": 2, "widths": (400,)}, [(400, 200)]),
        ("fitted", {"ratio": "1/1", "densities": "1"}, [(400, 400)]),
    ],
)
def test_a_ratio_makes_the_height(spec: str, more: dict[str, object], targets: list[tuple[int, int]]) -> None:
    made = picture("a.jpg", spec, storage="open", **more)  # type: ignore[arg-type]
    asked = [_request(each.url).transform for each in _srcsets(made)["img"]] or [_request(made.img.url).transform]
    assert [each.target for each in asked] == targets
    assert {each.fit for each in asked} == {"cover"}
    width, height = made.img.width or 0, made.img.height or 0
    assert width / height == targets[0][0] / targets[0][1]


@pytest.mark.parametrize(
    ("spec", "more"),
    [
        ("800x", {"ratio": "1/1"}),
        ("x", {"ratio": "1/1", "widths": [400, 800]}),
        ("x", {"ratio": "16/9", "grid": "m6 l4"}),
        ("800x600", {"ratio": "1/1", "fit": "contain"}),
        ("fitted", {"ratio": "1/1"}),
        ("north 800x", {"ratio": "1/1"}),
    ],
)
def test_a_ratio_crops_around_the_focal_point_unless_the_call_has_a_gravity(spec: str, more: dict[str, object]) -> None:
    file = a_file("a.jpg", size=(4000, 3000), focus="0.2,0.3")
    focused = picture(file, spec, storage="open", **more)  # type: ignore[arg-type]
    assert all("gravity(0.2,0.3)" in url for url in _all_urls(focused))
    pinned = picture(file, spec, storage="open", gravity="north", **more)  # type: ignore[arg-type]
    assert all("gravity(north)" in url for url in _all_urls(pinned))


@pytest.mark.parametrize("more", [{}, {"widths": [400, 800]}, {"fit": "contain"}], ids=str)
def test_a_picture_that_is_not_cropped_has_no_focal_point(more: dict[str, object]) -> None:
    made = picture(a_file("a.jpg", focus="0.2,0.3"), "800x", storage="open", **more)  # type: ignore[arg-type]
    assert not any("gravity" in url for url in _all_urls(made))


@pytest.mark.parametrize(
    "wrong",
    [
        {"widths": "400 x"},
        {"widths": [0]},
        {"widths": [float("inf")]},
        {"densities": [0.5]},
        {"densities": "5"},
        {"densities": [float("nan")]},
        {"formats": "wepb"},
        {"ratio": "16/0"},
        {"ratio": "wide"},
        {"ratio": "nan"},
        {"grid": "z6"},
        {"grid": "m13"},
        {"grid": "m"},
        {"formt": "webp"},
    ],
    ids=str,
)
@pytest.mark.parametrize("source", ["a.jpg", None])
def test_a_mistake_raises(source: str | None, wrong: dict[str, object]) -> None:
    with pytest.raises(WrongSpec):
        picture(source, "card", storage="open", **wrong)  # type: ignore[arg-type]


def test_a_ratio_needs_a_width() -> None:
    with pytest.raises(WrongSpec, match="width"):
        picture("a.jpg", "x", storage="open", ratio="16/9")


@pytest.mark.parametrize("formats", [["jpeg", "webp"], ["png", "webp"], ["webp"], None])
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a"])
@pytest.mark.parametrize("query", ["?x=1", "?x=1.gif"])
def test_a_query_of_a_remote_original_changes_no_format(formats: list[str] | None, name: str, query: str) -> None:
    remote = {"driver": "http", "allowed_sources": ["https://img.example.com/"], "signature_secret_key": "a" * 32}
    with configured([{"name": "remote", **remote, **({"formats": formats} if formats else {})}]):
        url = f"https://img.example.com/{name}"
        plain, queried = (picture(each, "400x300", storage="remote") for each in (url, f"{url}{query}"))
        assert plain
        assert queried.img.content_type == plain.img.content_type
        assert [each.content_type for each in queried.sources] == [each.content_type for each in plain.sources]
        tags = [[each.tag for each in only(parse_html(made.html)).iter()] for made in (plain, queried)]
        assert tags[0] == tags[1]


# ---------------------------------------------------------------------------------------- HTML


@pytest.mark.parametrize(
    "key", ["a,", "a,,", "a b,c.jpg", 'tom\'s "best" <1>.jpg', "a,/as/x.jpg", "a&amp;b.jpg", "(1).jpg", "é, .png"]
)
def test_any_key_is_read_back_from_the_html(key: str) -> None:
    made = picture(key, "card", storage="signed")
    urls = [re.sub("%2C$", ",", url) for url in _all_urls(made)]
    assert {_request(url).path for url in urls} == {key}
    assert _img(made).get("src") == made.img.url


_values = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=60)


@given(
    strategies.paths,
    _values,
    _values.filter(lambda text: "&" not in text).map(mark_safe),
    st.sampled_from([(400,), (400, 800), ()]),
)
def test_attributes_hold_what_was_given(key: str, alt: str, safe: str, widths: tuple[int, ...]) -> None:
    with configured():
        made = picture(key, "card", storage="open", widths=widths, alt=alt, data_x=alt, title=safe, class_="a b")
        if not made:
            return
        img = _img(made)
        assert (img.get("alt"), img.get("data-x"), img.get("class")) == (alt, alt, "a b")
        expected = {"src", "alt", "data-x", "title", "class", "width", "height", "loading", "decoding"}
        assert set(img.attrib) - {"srcset", "sizes"} == expected
        _srcsets(made)


@pytest.mark.parametrize("nasty", ['"><script>alert(1)</script>', "' onload='x", "<b>", "&quot;&lt;&#39;"])
def test_text_that_is_marked_as_safe_cannot_leave_its_attribute(nasty: str) -> None:
    made = picture("a.jpg", "card", storage="open", alt=mark_safe(nasty), title=mark_safe(nasty))
    img = _img(made)
    assert "onload" not in img.attrib
    assert len(list(only(parse_html(made.html)).iter())) == 4


def test_true_is_bare_and_none_and_false_are_left_out() -> None:
    made = picture("a.jpg", "card", storage="open", hidden=True, title=None, inert=False, alt=None)
    img = _img(made)
    assert img.get("hidden") == ""
    assert re.search(" hidden[ >]", made.html)
    assert not {"title", "inert"} & set(img.attrib)
    assert img.get("alt") == ""


def test_a_size_of_the_call_is_the_only_one() -> None:
    img = _img(picture("a.jpg", "card", storage="open", width=100))
    assert (img.get("width"), img.get("height")) == ("100", None)


@pytest.mark.parametrize("source", [None, "", "a\nb"])
def test_empty_is_a_static_file_without_candidates(source: str | None) -> None:
    with override_settings(STATIC_URL="/static/"):
        made = picture(source, "hero", storage="open", empty="img/empty.svg", alt="none", class_="x", widths=[400])
    img = only(parse_html(made.html))
    assert [bool(made), img.tag, img.get("src")] == [False, "img", "/static/img/empty.svg"]
    assert (img.get("alt"), img.get("class")) == ("none", "x")
    assert not {"srcset", "sizes", "width"} & set(img.attrib)
    assert picture(source, "hero", storage="open").html == ""


@pytest.mark.parametrize("conf", toolkit_site.every_storage(), ids=lambda conf: str(conf["name"]))
@pytest.mark.parametrize("spec", ["card", "hero", "fixed", "x", "400x300", "200x", "fitted 800x600"])
def test_every_url_of_every_picture_is_accepted(conf: dict[str, object], spec: str) -> None:
    name = str(conf["name"])
    mistakes = 0
    for source in ("a.jpg", "a.png", "a.avif", "b/as/a.jpg", a_file("a.jpg", size=(900, 600), focus="0.1,0.2")):
        for more in ({}, {"widths": "200 400 3000"}, {"ratio": "4/3", "widths": "200 400"}, {"grid": "m6 l4"}):
            try:
                made = picture(source, spec, storage=name, **more)  # type: ignore[arg-type]
            except WrongSpec:
                mistakes += 1
                continue
            # A name after /as/ decides the format of a URL, which no preset does.
            assert made or (name.startswith("presets") and source == "b/as/a.jpg")
            for url in _all_urls(made) if made else ():
                assert _request(url).storage == name
    assert not mistakes or name not in ("open", "signed", "short")
