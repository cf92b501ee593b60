"""What a layer returns is used only if this app can have written it: all else is a miss, and is removed."""

import errno
import itertools
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import pytest
from django.core.cache import caches
from django.test import Client, override_settings

from tests.support.clock import NOW
from tests.support.commands import disk_cache, local_storage
from thumbs.cache import adapters
from thumbs.cache.adapters import AliasLayer, DiskLayer
from thumbs.cache.entry import Entry
from thumbs.cache.filestore.store import FileStore
from thumbs.http.messages import SECURITY_HEADERS
from thumbs.image.formats import FORMATS
from thumbs.pipeline.entries import entry_of, proxy_entry
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.sources.source import Version
from thumbs.wiring import process

KEY = "group/name"
ABOUT = struct.Struct(">4sqddHHh")  # the format, written independently from its description
OCTETS = "application/octet-stream"
NAN, INF = math.nan, math.inf


def packed(
    *,
    content_type: bytes = b"image/webp",
    etag: bytes = b'"tag"',
    version: bytes = b"v1",
    modified: int = 1_600_000_000,
    times: tuple[float, float] = (NOW, NOW + 300),
    version_length: int | None = None,
) -> bytes:
    length = len(version) if version_length is None else version_length
    about = ABOUT.pack(b"MTE1", modified, *times, len(content_type), len(etag), length)
    return about + content_type + etag + version + b"picture"


POISONED = {
    "text/html": packed(content_type=b"text/html"),
    "a script": packed(content_type=b"text/javascript"),
    "a format that is not read": packed(content_type=b"image/bmp"),
    "no type": packed(content_type=b""),
    "a parameter": packed(content_type=b"image/webp; charset=utf-8"),
    "upper case": packed(content_type=b"IMAGE/WEBP"),
    "a split type": packed(content_type=b"image/webp\r\nSet-Cookie: a=b"),
    "a line after the type": packed(content_type=b"image/webp\n"),
    "a type that is no UTF-8": packed(content_type=b"image/\xff"),
    "a long type": packed(content_type=b"image/webp" * 6000),
    "a split tag": packed(etag=b'"tag"\r\nSet-Cookie: a=b\r\n\r\n<html>'),
    "a line in the tag": packed(etag=b'"a\r\nb"'),
    "a line after the tag": packed(etag=b'"tag"\n'),
    "no tag": packed(etag=b""),
    "a bare tag": packed(etag=b"tag"),
    "a weak tag": packed(etag=b'W/"tag"'),
    "two tags": packed(etag=b'"one", "two"'),
    "a space in the tag": packed(etag=b'"a b"'),
    "a quote in the tag": packed(etag=b'"a"b"'),
    "a control character in the tag": packed(etag=b'"a\x7fb"'),
    "letters beyond ASCII in the tag": packed(etag='"ü"'.encode()),
    "a long tag": packed(etag=b'"' + b"a" * 127 + b'"'),
    "a long version": packed(version=b"v" * 1025),
    "a version that is no UTF-8": packed(version=b"\xff\xfe"),
    "a negative length": packed(version=b"", version_length=-2),
    "modified before 1970": packed(modified=-1),
    "modified after 9999": packed(modified=253_402_300_800),
    "modified at the end of time": packed(modified=2**63 - 1),
    "modified at its beginning": packed(modified=-(2**63)),
    **{
        f"times {created} and {fresh}": packed(times=(created, fresh))
        for created, fresh in itertools.product((NAN, INF, -INF, -1.0, 1e300, NOW), repeat=2)
        if (created, fresh) != (NOW, NOW)
    },
}
every_poison = pytest.mark.parametrize("poison", POISONED.values(), ids=list(POISONED))


def test_the_plain_case_of_these_is_an_entry() -> None:
    entry = Entry.unpack(packed())
    assert (entry.content_type, entry.etag, entry.version) == ("image/webp", '"tag"', "v1")
    assert Entry.unpack(packed(modified=253_402_300_799)).headers
    assert Entry.unpack(packed(etag=b'"' + b"~" * 126 + b'"', version=b"v" * 1024)).version == "v" * 1024
    assert Entry.unpack(packed(version=b"", version_length=-1)).version is None


@pytest.mark.parametrize("name", FORMATS)
def test_a_stored_original_of_any_format_is_an_entry_that_comes_back(name: str) -> None:
    content_type = FORMATS[name].content_type
    assert Entry.unpack(packed(content_type=content_type.encode())).content_type == content_type
    made = entry_of(KEY, Made(format=name), Version("v1", None), NOW, 300)
    assert Entry.unpack(made.pack()).content_type == content_type


@every_poison
def test_what_this_app_cannot_have_written_is_no_entry(poison: bytes) -> None:
    with pytest.raises(ValueError, match=r"entry|decode"):
        Entry.unpack(poison)


@every_poison
def test_on_disk_it_is_a_miss_and_is_removed(poison: bytes, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "cache", max_bytes=None)
    store.set(KEY, poison, expires=None)
    layer = DiskLayer(store)
    with pytest.raises(BlockingIOError):  # `get_now` removes nothing, and leaves that to `get`, which may wait
        layer.get_now(KEY)
    assert layer.get(KEY) is None
    assert store.get(KEY) is None


def test_on_a_disk_that_removes_nothing_it_is_a_miss_too(tmp_path: Path) -> None:
    class ReadOnly(FileStore):
        def delete(self, key: str) -> bool:
            raise OSError(errno.EROFS, key)

    store = ReadOnly(tmp_path / "cache", max_bytes=None)
    store.set(KEY, POISONED["text/html"], expires=None)
    assert DiskLayer(store).get(KEY) is None


@pytest.fixture
def shared() -> Iterator[Callable[[str, bytes], AliasLayer]]:
    """A layer in one of Django's caches, and in it under a key what another program has put there."""
    locmem = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "poisoned"}
    with override_settings(CACHES={"default": locmem}):
        caches["default"].clear()

        def poisoned(key: str, poison: bytes) -> AliasLayer:
            body = adapters._key_digest(key) + bytes(adapters._MARKERS.size) + poison
            caches["default"].set(f"mage:photos:{key}", crc32(body).to_bytes(4, "big") + body)
            return AliasLayer(lambda: caches["default"], "photos", 300, clock=lambda: NOW)

        yield poisoned


@every_poison
def test_in_a_shared_cache_it_is_a_miss_and_is_removed(
    poison: bytes, shared: Callable[[str, bytes], AliasLayer]
) -> None:
    assert shared(KEY, poison).get(KEY) is None
    assert caches["default"].get(f"mage:photos:{KEY}") is None


@pytest.mark.parametrize(
    ("key", "content_type"),
    [("group/source", b"image/webp"), ("group/reduced-3", b"image/webp"), (KEY, OCTETS.encode())],
)
def test_an_original_is_no_thumbnail_and_a_thumbnail_no_original(
    key: str, content_type: bytes, shared: Callable[[str, bytes], AliasLayer], tmp_path: Path
) -> None:
    poison = packed(content_type=content_type)
    assert shared(key, poison).get(key) is None
    assert caches["default"].get(f"mage:photos:{key}") is None
    store = FileStore(tmp_path / "cache", max_bytes=None)
    store.set(key, poison, expires=None)
    assert DiskLayer(store).get(key) is None
    assert DiskLayer(store).get_expired(key) is None
    assert store.get(key) is None


def test_originals_and_thumbnails_under_their_own_keys_come_back(
    shared: Callable[[str, bytes], AliasLayer], tmp_path: Path
) -> None:
    store = FileStore(tmp_path / "cache", max_bytes=None)
    cases = [(KEY, b"image/webp"), ("group/source", OCTETS.encode()), ("group/reduced-3", OCTETS.encode())]
    for key, content_type in cases:
        good = packed(content_type=content_type)
        assert shared(key, good).get(key) is not None
        store.set(key, good, expires=None)
        assert DiskLayer(store).get(key) is not None


def test_a_cache_that_gives_and_does_not_delete_is_a_miss_too(shared: Callable[[str, bytes], AliasLayer]) -> None:
    layer = shared(KEY, packed(etag=b""))

    class Stubborn:
        get_many = staticmethod(caches["default"].get_many)

        def delete(self, _: str) -> None:
            raise ConnectionError

    assert AliasLayer(Stubborn, "photos", 300).get(KEY) is None  # type: ignore[arg-type]
    assert layer.get(KEY) is None


@pytest.mark.parametrize("marker", [INF, NAN, NOW + 1e6])
def test_a_purge_of_what_is_still_to_come_hides_nothing(
    marker: float, shared: Callable[[str, bytes], AliasLayer]
) -> None:
    layer = shared(KEY, packed())
    caches["default"].set("mage:photos:purged:group", marker)
    assert layer.get(KEY) is not None


# ---------------------------------------------------------------------- what is made is believed


@dataclass(frozen=True)
class Made:
    """A picture that was rendered."""

    body: bytes = b"picture"
    format: str = "webp"
    encode_seconds: float = 0.0
    truncated: bool = False


@pytest.mark.parametrize(
    ("modified", "counted"), [(-1, 0), (-(10**12), 0), (5, 5), (10**12, int(NOW)), (2**62, int(NOW)), (None, int(NOW))]
)
def test_a_source_of_any_time_makes_an_entry_that_comes_back(modified: int | None, counted: int) -> None:
    made = entry_of(KEY, Made(), Version("v1", modified), NOW, 300)
    assert made.modified == counted
    assert Entry.unpack(made.pack()).modified == counted
    assert Entry.unpack(proxy_entry(b"", Version(None, modified), NOW, 300).pack()).modified == counted


def test_a_version_that_is_too_long_to_keep_is_left_out() -> None:
    entry = Entry(b"picture", "image/webp", '"tag"', "v" * 100_000, 0, NOW, NOW + 300)
    assert Entry.unpack(entry.pack()).version is None


# -------------------------------------------------------------------------------- over HTTP


@pytest.mark.parametrize("name", ["text/html", "a split tag", "modified at the end of time", "times nan and inf"])
def test_a_poisoned_cache_costs_a_render_and_no_more(
    name: str, originals: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = local_storage("photos", originals, disk=disk_cache(tmp_path / "cache"))
    thumbs: dict[str, object] = {"STORAGES": [storage], "RUN_DIR": str(tmp_path / "run")}
    with override_settings(THUMBS=thumbs):
        path = "/img/photos/thumbs/40x30/quarters.jpg"
        first = Client().get(path)
        key = _key_of(process.thumbnailer(), b"/photos/thumbs/40x30/quarters.jpg")
        store = FileStore(tmp_path / "cache", max_bytes=None)
        assert store.get(key) is not None
        store.set(key, POISONED[name], expires=None)
        answers = [Client().get(path) for _ in range(2)]
    assert [(answer.status_code, answer.headers["X-Cache"]) for answer in answers] == [(200, "MISS"), (200, "HIT")]
    for answer in answers:
        assert (answer.content, answer.headers["ETag"]) == (first.content, first.headers["ETag"])
    assert caplog.records == []


def test_a_stored_original_that_is_never_an_output_is_found_on_disk(tmp_path: Path) -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><script>alert(1)</script></svg>'
    (tmp_path / "originals").mkdir()
    (tmp_path / "originals" / "logo.svg").write_bytes(drawing)
    storage = local_storage("photos", tmp_path / "originals", disk=disk_cache(tmp_path / "cache"))
    storage["formats"] = ["png", "original"]
    thumbs: dict[str, object] = {"STORAGES": [storage], "INPUT_FORMATS": ["svg"], "RUN_DIR": str(tmp_path / "run")}
    with override_settings(THUMBS=thumbs):
        answers = [Client().get("/img/photos/thumbs/x/filters:format(original)/logo.svg") for _ in range(2)]
    assert [(answer.status_code, answer.headers["X-Cache"]) for answer in answers] == [(200, "MISS"), (200, "HIT")]
    for answer in answers:
        assert (answer.content, answer.headers["Content-Type"]) == (drawing, "image/svg+xml")
        for header, value in SECURITY_HEADERS:  # the scripts of a drawing must not run
            assert answer.headers[header.decode()] == value.decode()


def _key_of(thumbnailer: Thumbnailer, path: bytes) -> str:
    return thumbnailer._resolve(path, (), "").key
