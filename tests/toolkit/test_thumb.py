"""`thumb`: wrong data gives a false thumbnail and one log line; a mistake in code raises; a file gives its storage."""

import datetime
import logging
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import Context, Template
from django.test import RequestFactory, override_settings
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support import toolkit_site
from tests.support.models import Photo
from tests.support.toolkit_site import configured, storage
from thumbs import NoThumbnail, Thumb, UnknownStorage, WrongSpec, picture, thumb, thumb_url
from thumbs.errors import BadPath
from thumbs.image.geometry import plan
from thumbs.request.resolve import resolve
from thumbs.toolkit import thumb as thumb_module
from thumbs.toolkit.urls import urls
from thumbs.wiring import process

# Names that no URL can hold.
IMPOSSIBLE = {
    "control": "a\nb.jpg",
    "nul": "a\0b.jpg",
    "delete": "a\x7f.jpg",
    "long segment": "x" * 300 + ".jpg",
    "long": "/".join(["x" * 100] * 20) + ".jpg",
    "surrogate": "caf\udce9.jpg",
    "parent": "a/../b.jpg",
    "here": "./a.jpg",
    "only parent": "..",
    "backslash": "a\\b.jpg",
    "empty segment": "a//b.jpg",
    "absolute": "/a.jpg",
    "directory": "a/",
    "slash": "/",
}
# Names that look wrong and have a URL.
STRANGE = [
    'tom\'s "best".jpg',
    "<script>alert(1)</script>.jpg".replace("/", "∕"),
    "a\u202egpj.exe.jpg",
    "\u200f\u2066שלום.jpg",
    "ü" * 120 + ".jpg",
    "a/as/x.jpg",
    "as/x.jpg",
    "a/as/x",
    "filters:quality(1)/a.jpg",
    "f:a.jpg",
    "400x300/a.jpg",
    "a?b#c;d=e&f.jpg",
    "100%25.jpg",
    "a b+c.jpg",
    "no extension",
    ".hidden",
    "a,",
]


@pytest.fixture(autouse=True)
def _forget_names() -> None:
    thumb_module._logged.clear()


@pytest.mark.parametrize("blank", [None, "", (), 0], ids=repr)
def test_a_blank_source_is_a_false_thumbnail_without_a_log_line(
    blank: object, caplog: pytest.LogCaptureFixture
) -> None:
    with configured():
        made = thumb(blank, "card")  # type: ignore[arg-type]
    assert [bool(made), made.url, str(made)] == [False, "", ""]
    assert [made.width, made.height, made.content_type] == [None, None, None]
    assert (made.img(), made.absolute(), repr(made)) == ("", "", "Thumb('')")
    assert not caplog.records


@pytest.mark.parametrize("name", [None, ""])
def test_a_blank_field_is_a_false_thumbnail(name: str | None) -> None:
    with configured():
        assert not thumb(toolkit_site.a_file(name), "card")
        assert not picture(toolkit_site.a_file(name), "card")


def test_a_deleted_file_is_a_false_thumbnail(tmp_path: Path) -> None:
    with configured([storage("uploads", tmp_path)]), override_settings(MEDIA_ROOT=str(tmp_path)):
        photo = Photo(image=SimpleUploadedFile("a.jpg", b"x"))
        photo.image.storage = FileSystemStorage(str(tmp_path))
        photo.image.save("a.jpg", photo.image.file, save=False)
        assert thumb(photo.image, "card").url.endswith("/a.jpg")
        photo.image.delete(save=False)
        assert not thumb(photo.image, "card")


def test_an_upload_that_is_not_stored_is_a_false_thumbnail(tmp_path: Path) -> None:
    with override_settings(MEDIA_ROOT=str(tmp_path)), configured([storage("uploads", tmp_path)]):
        photo = Photo(image="old.jpg")
        assert thumb(photo.image, "card").url.endswith("/old.jpg")
        photo.image = SimpleUploadedFile("new.jpg", b"x")
        assert not thumb(photo.image, "400x300")
        assert picture(photo.image, "400x300").html == ""
        for tag in ("thumb", "thumb_img", "thumb_picture", 'thumb_url "uploads"'):
            template = Template("{% load thumbs %}{% " + tag + ' photo.image "400x300" %}')
            assert template.render(Context({"photo": photo})) == ""
        with pytest.raises(BadPath):
            thumb_url("uploads", photo.image, "400x300")
        photo.image.save("new.jpg", photo.image.file, save=False)
        assert thumb(photo.image, "card").url.endswith("/new.jpg")


@pytest.mark.parametrize("name", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
@pytest.mark.parametrize("make", [thumb, picture])
def test_a_name_without_a_url_is_false_and_logged_once(
    name: str, make: type[Thumb], caplog: pytest.LogCaptureFixture
) -> None:
    with configured():
        for source in (name, toolkit_site.a_file(name)):
            assert not make(source, "card", storage="open")  # type: ignore[call-arg, arg-type]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    line = caplog.records[0].getMessage()
    assert repr(name[:300])[:50] in line
    assert line.isprintable()
    assert len(line) < 2000


@pytest.mark.parametrize("name", [*IMPOSSIBLE.values(), None, ""])
def test_with_strict_wrong_data_raises_with_its_name(name: str | None) -> None:
    with configured():
        urls().strict = True
        for make in (thumb, picture):
            with pytest.raises(NoThumbnail) as raised:
                make(toolkit_site.a_file(name), "card", storage="open")
            assert repr(name or "") in str(raised.value)


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("served_by", ["open", "signed", "webp-only"])
def test_a_strange_name_has_a_url(name: str, served_by: str, caplog: pytest.LogCaptureFixture) -> None:
    with configured():
        made = thumb(name, "400x300", storage=served_by, format="webp")
        assert made
        assert made.url.isascii()
        assert not set(made.url) & set("\"<> \n\\'") - {"'"}
    assert not caplog.records


def test_no_text_raises() -> None:
    @given(st.text(max_size=300) | st.text("./\\as:fx;\0\n\udcff", max_size=40), st.text(max_size=30))
    def check(name: str, other: str) -> None:
        assert isinstance(thumb(name, "card", storage="signed", version=other, name=other).url, str)
        assert isinstance(picture(toolkit_site.a_file(name, focus=other, version=other), "card").html, str)

    with configured():
        check()


@pytest.mark.parametrize(
    "version",
    [
        datetime.datetime.min,  # noqa: DTZ901
        datetime.datetime.max,  # noqa: DTZ901
        datetime.datetime(1, 1, 1, tzinfo=datetime.UTC),
        datetime.datetime(2026, 5, 1, 12, tzinfo=datetime.UTC),
        datetime.date(2026, 5, 1),
        -1,
        10**30,
        1.5,
        "a b/c",
        "\udcff",
        b"x",
        object,
    ],
    ids=str,
)
def test_any_version_is_a_token(version: object) -> None:
    with configured():
        assert "version(" in thumb("a.jpg", "card", storage="open", version=version).url


@pytest.mark.parametrize("column", [None, "", "0.5", "2,3", "nan,nan", "0.5,0.5,0.5", 5, b"0.5,0.5", "a" * 999])
def test_a_focal_point_that_is_none_is_left_out(column: object) -> None:
    with configured():
        assert "gravity" not in thumb(toolkit_site.a_file("a.jpg", focus=column), "card", storage="open").url


@pytest.mark.parametrize("size", [(0, 0), (-1, 5), ("3", "4"), (10**400, 10**400), (None, 5), (1.5, 2.5)], ids=str)
def test_columns_that_hold_no_size_are_left_out(size: tuple[object, object]) -> None:
    with configured():
        file = toolkit_site.a_file("a.jpg", size=size)
        made = thumb(file, "400x", storage="open")
        assert (made.width, made.height) == (None, None)
        assert picture(file, "400x", storage="open")


def test_a_focal_point_replaces_the_gravity_of_a_preset_and_not_that_of_the_call() -> None:
    with configured():
        file = toolkit_site.a_file("a.jpg", focus="0.310x0.62")
        assert "gravity(0.31,0.62)" in thumb(file, "north", storage="open").url
        assert "gravity(south)" in thumb(file, "north", storage="open", gravity="south").url
        assert "gravity" not in thumb(file, "fitted", storage="open").url


@pytest.mark.parametrize("none", [{"gravity": None}, {"gravity": ""}, {"g": None}, {"g": ""}], ids=str)
@pytest.mark.parametrize("spec", ["card", "north"])
def test_a_gravity_that_is_left_out_leaves_the_focal_point(spec: str, none: dict[str, Any]) -> None:
    with configured():
        file = toolkit_site.a_file("a.jpg", focus="0.2,0.3")
        assert "gravity(0.2,0.3)" in thumb(file, spec, storage="open", **none).url
        assert thumb(file, spec, storage="open", **none) == thumb(file, spec, storage="open")
        made = picture(file, spec, storage="open", ratio="1/1", **none)
        assert made.html == picture(file, spec, storage="open", ratio="1/1").html


_PARTS = [
    {"crop": (0, 0, 500, 500)},
    {"crop": (200, 100, 990, 490)},
    {"crop": (200, 100, 5000, 5000, "clamp")},
    {"crop": (600, 0.5, "southeast")},
    {"pcrop": (0, 0, 50, 50)},
    {"pcrop": (33.3, 0.1, 99.9, 66.7)},
]


@pytest.mark.parametrize("part", _PARTS, ids=str)
@pytest.mark.parametrize("spec", ["400x100", "100x400", "50x50"])
def test_a_crop_keeps_the_focal_point_of_the_whole_picture(part: dict[str, Any], spec: str) -> None:
    size = (1000, 750)

    @given(st.floats(0, 1), st.floats(0, 1))
    @example(0.25, 0.25)
    def check(x: float, y: float) -> None:
        made = thumb(toolkit_site.a_file("a.jpg", size=size, focus=f"{x:.4f},{y:.4f}"), spec, storage="open", **part)
        transform = resolve(unquote_to_bytes(made.url.removeprefix("/img")), (), process.current().policies).transform
        layout = plan(size, transform)
        kept, shown = layout.region, layout.spans
        ranges = ((kept.left, kept.width), (kept.top, kept.height))
        for share, whole, (start, length), span in zip((x, y), size, ranges, shown, strict=True):
            nearest = min(max(share * whole, start), start + length)
            rounding = span.factor  # a pixel of the thumbnail
            assert span.start - rounding <= nearest <= span.end + rounding

    with configured():
        check()


def test_a_focal_point_beside_a_crop_is_one_of_what_the_crop_keeps() -> None:
    with configured():
        sized = toolkit_site.a_file("a.jpg", size=(1000, 1000), focus="0.25,0.25")
        unknown = toolkit_site.a_file("a.jpg", focus="0.25,0.1")
        assert "gravity(0.5,0.5)" in thumb(sized, "400x100", storage="open", crop=(0, 0, 500, 500)).url
        assert "gravity(0.5,0)" in thumb(unknown, "400x100", storage="open", pcrop=(0, 20, 50, 70)).url
        assert "gravity(0.5,0)" in thumb(unknown, "400x100", storage="open", pcrop=(0, 20, 50, 70), name="b.jpg").url
        for html in picture(sized, "400x100", storage="open", crop=(0, 0, 500, 500)).html.split(", "):
            assert "gravity(0.5,0.5)" in html


@pytest.mark.parametrize("size", [None, (0, 0), (100, 100), (10**400, 10**400)], ids=str)
def test_a_focal_point_is_left_out_where_the_part_that_a_crop_keeps_is_unknown(size: tuple[int, int] | None) -> None:
    with configured():
        file = toolkit_site.a_file("a.jpg", size=size, focus="0.25,0.25")
        assert "gravity" not in thumb(file, "400x100", storage="open", crop=(0, 0, 500, 500)).url
        assert "gravity(north)" in thumb(file, "north", storage="open", crop=(0, 0, 500, 500)).url


# ------------------------------------------------------------------------------ mistakes in code


@pytest.mark.parametrize("source", ["a.jpg", None, "", "a\nb"])
@pytest.mark.parametrize("make", [thumb, picture])
@pytest.mark.parametrize(
    ("spec", "options", "sentence"),
    [
        ("crad", {}, "card"),
        ("400x300 card hero", {}, "one preset"),
        ("400x300 20x", {}, "one size"),
        ("400", {}, "A size is"),
        (400, {}, "A spec is text"),
        (None, {}, "A spec is text"),
        ("card", {"quality": 101}, "quality"),
        ("card", {"format": "wepb"}, "format"),
        ("card", {"format": "webp);quality(1"}, "format takes"),
        ("card", {"preset": "nope"}, "preset"),
        ("card", {"expires": 5}, "lifetime"),
        ("90000x90000", {}, "larger"),
        ("3000x3000", {"format": "avif"}, "larger"),
        ("card", {"watermark": "logo"}, "watermark"),
    ],
    ids=str,
)
def test_a_mistake_raises_for_any_source(
    source: object, make: type[Thumb], spec: object, options: dict[str, object], sentence: str
) -> None:
    with configured(), pytest.raises(WrongSpec, match=sentence):
        make(source, spec, storage="open", **options)  # type: ignore[call-arg, arg-type]


def test_an_option_that_does_not_exist_raises_with_the_nearest() -> None:
    with configured():
        with pytest.raises(WrongSpec, match="filter"):
            thumb("a.jpg", "card", storage="open", formt="webp")
        with pytest.raises(WrongSpec, match="format"):
            picture("a.jpg", "card", storage="open", formt="webp")


@pytest.mark.parametrize("source", ["a.jpg", None])
@pytest.mark.parametrize("make", [thumb, picture])
def test_a_storage_that_does_not_exist_raises_with_the_nearest(source: str | None, make: type[Thumb]) -> None:
    with configured(), pytest.raises(UnknownStorage, match="'open'"):
        make(source, "card", storage="opem")  # type: ignore[call-arg, arg-type]


@pytest.mark.parametrize("lifetime", [0, -1, float("nan"), 1e12, "60"])
def test_a_lifetime_that_is_none_raises(lifetime: object) -> None:
    with configured(), pytest.raises(WrongSpec, match="lifetime"):
        thumb("a.jpg", "card", storage="open", lifetime=lifetime)  # type: ignore[arg-type]


def test_what_is_no_file_raises() -> None:
    with configured(), pytest.raises(TypeError, match="not of Photo"):
        thumb(Photo(title="x"), "card")  # type: ignore[arg-type]


def test_a_size_that_one_storage_offers_is_no_mistake_for_a_blank_source() -> None:
    with configured():
        assert not thumb(None, "1500x1500")
        with pytest.raises(WrongSpec, match="larger"):
            thumb(None, "1500x1500", storage="small")


# --------------------------------------------------------------------------------- the storage


def test_a_file_gives_its_storage_and_its_key(tmp_path: Path) -> None:
    storages = [storage("others", tmp_path / "others"), storage("uploads", tmp_path / "media")]
    with configured(storages):
        held = toolkit_site.a_file("cats/tom.jpg", tmp_path / "media")
        below = toolkit_site.a_file("tom.jpg", tmp_path / "media" / "cats")
        around = toolkit_site.a_file("media/cats/tom.jpg", tmp_path)
        for file in (held, below, around):
            assert thumb(file, "9x").url == "/img/uploads/thumbs/9x/cats/tom.jpg"
        assert not thumb(toolkit_site.a_file("elsewhere/tom.jpg", tmp_path), "9x")


def test_a_file_that_no_storage_serves_names_the_field_and_the_storages(tmp_path: Path) -> None:
    with configured([storage("uploads", tmp_path / "a"), storage("docs", tmp_path / "b")]):
        photo = Photo(image="a.jpg")
        photo.image.storage = FileSystemStorage(str(tmp_path / "c"))
        for make in (thumb, picture):
            with pytest.raises(UnknownStorage) as raised:
                make(photo.image, "9x")
            for part in ("tests.Photo.image", "FileSystemStorage", "uploads", "docs"):
                assert part in str(raised.value)


def test_a_plain_name_is_of_the_default_storage(tmp_path: Path) -> None:
    storages = [storage("others", tmp_path / "others"), storage("uploads", tmp_path / "media")]
    with override_settings(MEDIA_ROOT=str(tmp_path / "media")), configured(storages):
        assert thumb("tom.jpg", "9x").url == "/img/uploads/thumbs/9x/tom.jpg"
    elsewhere = override_settings(MEDIA_ROOT=str(tmp_path / "elsewhere"))
    with elsewhere, configured(storages), pytest.raises(UnknownStorage, match="others, uploads"):
        thumb("tom.jpg", "9x")
    with override_settings(MEDIA_ROOT=str(tmp_path / "elsewhere")), configured(storages[:1]):
        assert thumb("tom.jpg", "9x").url == "/img/others/thumbs/9x/tom.jpg"


# ---------------------------------------------------------------------------------- the value


def test_an_absolute_url_has_the_host_of_the_prefix_or_of_the_request() -> None:
    request = RequestFactory().get("/page/", headers={"host": "site.example"}, secure=True)
    with configured():
        made = thumb("a b.jpg", "9x", storage="open")
        assert made.absolute(request) == "https://site.example/img/open/thumbs/9x/a%20b.jpg"
        with pytest.raises(ImproperlyConfigured, match="URL_PREFIX"):
            made.absolute()
    with configured(URL_PREFIX="https://img.example.com/t/"):
        made = thumb("a.jpg", "9x", storage="open")
        assert made.absolute() == made.absolute(request) == "https://img.example.com/t/open/thumbs/9x/a.jpg"
    with configured(URL_PREFIX="//img.example.com/"):
        made = thumb("a.jpg", "9x", storage="open")
        assert made.absolute(request) == "https://img.example.com/open/thumbs/9x/a.jpg"
        with pytest.raises(ImproperlyConfigured):
            made.absolute()


def test_a_thumbnail_is_frozen_hashable_and_equal_by_its_url() -> None:
    with configured():
        one, other = (thumb("a.jpg", "card", storage="open") for _ in range(2))
        assert one == other
        assert len({one, other}) == 1
        assert one != thumb("b.jpg", "card", storage="open")
        for name in ("url", "width", "anything"):
            with pytest.raises(AttributeError):
                setattr(one, name, "x")


def test_the_type_is_known_unless_the_client_decides() -> None:
    with configured():
        assert thumb("a.png", "9x", storage="open").content_type == "image/png"
        assert thumb("a.tiff", "9x", storage="open").content_type == "image/jpeg"
        assert thumb("a.png", "9x", storage="open", format="avif").content_type == "image/avif"
        assert thumb("a.png", "9x", storage="open", name="b.webp").content_type == "image/webp"
        assert thumb("a.png", "9x", storage="open", format="auto").content_type is None
        assert thumb("c/as/a.png", "9x", storage="open", format="auto").content_type == "image/png"


@pytest.mark.parametrize("storage", ["presets", "presets-signed"])
def test_where_only_presets_are_offered_a_name_of_the_same_format_is_added(storage: str) -> None:
    with configured():
        made = thumb("a.png", "card", storage=storage, name="b.png")
        assert made.url.endswith("/400x300/a.png/as/b.png")
        assert made.content_type == "image/png"
        assert not thumb("a.png", "card", storage=storage, name="b.jpg")
        assert thumb("a/as/b.jpg", "card", storage=storage).url.endswith("/400x300/a/as/b.jpg/as/b.jpg")


def test_another_configuration_gives_other_urls() -> None:
    with configured():
        assert "/400x300/" in thumb("a.jpg", "card", storage="open").url
    with configured(PRESETS={"card": {"size": "40x30"}}):
        assert "/40x30/" in thumb("a.jpg", "card", storage="open").url
        process.reset()
        assert "/40x30/" in thumb("a.jpg", "card", storage="open").url
