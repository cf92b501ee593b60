"""What other image servers answered to their URLs, and how Mage is set up to answer the same ones."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support.block_pictures import Grid, measured
from thumbs.conf.loading import Configuration, load
from thumbs.front import Mount
from thumbs.http.messages import Request
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.request.dialects.routes import Routes, routes_of
from thumbs.wiring.build import build, rendering_of
from thumbs.wiring.rendering import Rendering

_ROWS = Path(__file__).parent / "dialect_rows"
GRID_LEVELS = 6
# Pairs of a key and a salt of imgproxy, as hex digits.
_KEYS = ("943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881", "6d616765206f6c64206b6579")
_SALTS = ("520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5", "6d616765206f6c642073616c74")
_LOCAL = {"local:///": "photos"}
_PRESETS = {"card": "rs:fill:200:150/f:webp", "soft": "bl:3"}
_IMGPROXY = {"dialect": "imgproxy", "sources": _LOCAL, "watermark": "mark"}
_SIGNED = {"key": "mage-test-key"}

# The dialects of each setup.
SETUPS: Mapping[str, Mapping[str, list[dict[str, Any]]]] = {
    "imgproxy": {
        "plain": [{**_IMGPROXY, "presets": _PRESETS}],
        "signed": [{**_IMGPROXY, "presets": _PRESETS, "key": list(_KEYS), "salt": list(_SALTS)}],
        "short": [{**_IMGPROXY, "key": _KEYS[0], "salt": _SALTS[0], "signature_size": 16}],
        "auto": [{**_IMGPROXY, "format": "auto"}],
        "base": [{**_IMGPROXY, "path": "/img/", "sources": {**_LOCAL, "": "photos"}}],
        "only": [{**_IMGPROXY, "presets": {"default": "q:50", **_PRESETS}, "presets_only": True}],
    },
    **{
        name: {
            "plain": [{"dialect": name, "sources": {"": "photos"}, **_SIGNED, "unsafe": True}],
            "signed": [{"dialect": name, "sources": {"": "photos"}, **_SIGNED}],
            "auto": [{"dialect": name, "sources": {"": "photos"}, "format": "auto"}],
        }
        for name in ("thumbor", "imagor")
    },
    "ipx": {"plain": [{"dialect": "ipx", "sources": {"/": "photos", "/pics/": "nested"}}]},
    "mage": {
        "plain": [{"dialect": "mage", "path": path, "sources": {"": "photos"}} for path in ("/thumbs/", "/t/")],
        "signed": [
            {"dialect": "mage", "path": path, "sources": {"": "photos"}, "key": "mage-test-secret"}
            for path in ("/thumbs/", "/t/")
        ],
        "sha512": [
            {
                "dialect": "mage",
                "path": "/thumbs/",
                "sources": {"": "photos"},
                "key": "mage-test-secret",
                "signer": "sha512",
                "signature_start": 4,
                "signature_length": 20,
            }
        ],
    },
}
_SHA256 = {"dialect": "imagor", "sources": {"": "photos"}, **_SIGNED, "signer": "sha256", "signature_length": 40}
SIGNED_SETUPS = ("signed", "short", "sha512", "imagor-sha256")


@dataclass(frozen=True)
class Row:
    """One answer of a server. `size` and `grid` are None where the answer has none to compare."""

    dialect: str
    setup: str
    url: str
    status: int
    content_type: str | None
    size: tuple[int, int] | None
    grid: Grid | None
    accept: str

    @property
    def names_format(self) -> bool:
        """Whether the URL says which format the answer has."""
        words = ("f:", "format:", "ext:", "@", "format(", "f_", "format_", "fmt(", "/as/")
        return any(word in self.url for word in words)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str


@dataclass(frozen=True)
class DialectServer:
    """Dialects in a process of their own, without a server around them."""

    thumbnailer: Thumbnailer
    routes: Routes

    def ask(self, url: str, accept: str = "") -> Answer:
        """The answer to a URL as a client sends it: what is not ASCII is escaped."""
        target = quote(url, safe="/:(),;=@!$&*+~%?'#[]").encode()
        match = Mount(whole_server=True).match(target, "GET", self.routes)
        if match is None:
            return Answer(404, b"", "")
        request = Request("GET", match.path, len(target), accept, error=match.error, dialect=match.dialect)
        answer = self.thumbnailer.answer(request)
        headers = {name.lower(): value.decode() for name, value in answer.headers}
        return Answer(answer.status, answer.body, headers.get(b"content-type", ""))


def open_dialects(
    directory: Path, dialects: list[dict[str, Any]], rendering: Callable[[Configuration], Rendering] = rendering_of
) -> DialectServer:
    """A server of `dialects` for the originals in `directory`. Raises AssertionError where they are wrong."""
    formats = ["jpeg", "png", "webp", "avif", "gif", "original"]
    read = load(
        {
            "STORAGES": [
                {"name": "photos", "driver": "local", "root": str(directory), "formats": formats},
                {"name": "nested", "driver": "local", "root": str(directory / "nested")},
            ],
            "DIALECTS": dialects,
            "WATERMARKS": {"mark": str(directory / "mark.png")},
        }
    )
    assert read.errors == ()
    routes = routes_of((conf.path for conf in read.dialects), (conf.name for conf in read.storages))
    return DialectServer(build(read, rendering(read)), routes)


@contextmanager
def servers_of_rows(
    directory: Path, rendering: Callable[[Configuration], Rendering] = rendering_of
) -> Iterator[Callable[[Row], DialectServer]]:
    """The server with the setup of a row; each setup is opened once, and closed at the end of the block."""
    opened: dict[tuple[str, str], DialectServer] = {}

    def open_once(row: Row) -> DialectServer:
        key = row.dialect, row.setup
        if key not in opened:
            opened[key] = open_dialects(directory, setup_of(row), rendering)
        return opened[key]

    yield open_once
    for each in opened.values():
        each.thumbnailer.close()


def setup_of(row: Row) -> list[dict[str, Any]]:
    return [_SHA256] if row.setup == "imagor-sha256" else SETUPS[row.dialect][row.setup]


@cache
def rows(dialect: str) -> tuple[Row, ...]:
    return tuple(_row(dialect, line.split("\t")) for line in _lines(dialect))


def _row(dialect: str, cells: list[str]) -> Row:
    setup, status, content_type, size, grid, accept, url = cells
    width, _, height = size.partition("x")
    levels = [] if grid == "-" else list(bytes.fromhex(grid))
    return Row(
        dialect=dialect,
        setup=setup,
        url=url,
        status=int(status),
        content_type=None if content_type == "-" else content_type,
        size=None if size == "-" else (int(width), int(height)),
        grid=tuple((levels[i], levels[i + 1], levels[i + 2]) for i in range(0, len(levels), 3)) or None,
        accept="" if accept == "-" else accept,
    )


def _lines(name: str) -> list[str]:
    return (_ROWS / f"{name}.tsv").read_text().splitlines()[1:]


@dataclass(frozen=True)
class ClientUrl:
    """A URL that a client library wrote, and what the real server answered to it."""

    dialect: dict[str, Any]
    client: str
    url: str
    status: int
    content_type: str | None
    size: tuple[int, int] | None


@cache
def client_urls() -> tuple[ClientUrl, ...]:
    return tuple(_client_url(line.split("\t")) for line in _lines("clients"))


def _client_url(cells: list[str]) -> ClientUrl:
    name, client, status, content_type, size, key, salt, signer, url = cells
    dialect: dict[str, Any] = {"dialect": name, "sources": {"": "photos"}}
    if name == "imgproxy":
        dialect |= {**_IMGPROXY, "presets": _PRESETS}
    if name == "ipx":
        dialect |= {"path": "/_ipx/", "sources": {"/": "photos"}}
    if key != "-":
        dialect |= {"key": key, **({"salt": salt} if salt != "-" else {})}
    if signer != "-":
        dialect |= {"signer": signer.partition(",")[0], "signature_length": int(signer.partition(",")[2])}
    width, _, height = size.partition("x")
    return ClientUrl(
        dialect,
        client,
        url,
        int(status),
        None if content_type == "-" else content_type,
        None if size == "-" else (int(width), int(height)),
    )


def difference(row: Row, answer: Answer) -> str | None:
    """How the answer differs from that of the real server; None if it does not.

    A refusal is a refusal, whatever its status.
    """
    if row.status != 200:
        return None if 400 <= answer.status < 500 else f"{answer.status} in place of {row.status}"
    if answer.status != 200:
        detail = json.loads(answer.body)["detail"] if answer.body else ""
        return f"{answer.status} in place of 200. {detail}"
    if row.size is None:
        return f"a picture in place of {row.content_type}"
    if row.names_format and answer.content_type != row.content_type:
        return f"{answer.content_type} in place of {row.content_type}"
    return _picture_difference(row, answer.body)


def _picture_difference(row: Row, body: bytes) -> str | None:
    size, grid = measured(body)
    if size != row.size:
        return f"{size} in place of {row.size}"
    if row.grid is None:
        return None
    far = max(
        abs(a - b) for ours, theirs in zip(grid, row.grid, strict=True) for a, b in zip(ours, theirs, strict=True)
    )
    return None if far <= GRID_LEVELS else f"{far} levels off"
