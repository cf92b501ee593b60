"""What Chromium draws of a picture: its size, and the mean colors of a grid."""

import contextlib
import http.server
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.browser.chromium import Installation
from bench.processes import LOOPBACK
from thumbs.image.formats import FORMATS, sniff

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

GRID = 8
_SCRIPT = (Path(__file__).parent / "grid.js").read_text()
_SECONDS = 60.0
# Colors of the canvas are those of the screen's profile otherwise.
_ARGUMENTS = ("--force-color-profile=srgb",)
_PAGE = b"<!doctype html><title>Canvas</title>"
_SNIFFED_BYTES = 4096
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn picture: its size in pixels, and the means of `GRID` × `GRID` cells, row by row.

    A cell is red, green, blue, each premultiplied by alpha, and alpha; 0 to 255.
    """

    width: int
    height: int
    cells: tuple[tuple[float, float, float, float], ...]

    def difference(self, other: "Drawing") -> tuple[float, float]:
        """The largest difference of a color of a cell, and of its alpha."""
        pairs = list(zip(self.cells, other.cells, strict=True))
        color = max(abs(one[band] - two[band]) for one, two in pairs for band in range(3))
        return color, max(abs(one[3] - two[3]) for one, two in pairs)


class CanvasError(Exception):
    """The browser failed at a picture: it ended, it took too long, or its canvas cannot hold the picture."""


@dataclass(slots=True)
class Canvas:
    """A browser with one page that draws pictures. A browser that failed is replaced by a new one."""

    installation: Installation
    files: "_FileServer"
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _driver: "Chrome | None" = None

    def draw(self, picture: Path | bytes) -> Drawing | None:
        """The drawing of a file or of its bytes; None where the browser shows nothing. Raises `CanvasError`."""
        self.files.served = picture
        self.files.number += 1  # a URL is used once: no cache has an answer
        found = self._run(f"/{self.files.number}")
        if found is None:
            return None
        if "error" in found:
            raise CanvasError(found["error"])
        cells = tuple((red, green, blue, alpha) for red, green, blue, alpha in found["cells"])
        return Drawing(found["width"], found["height"], cells)

    @property
    def version(self) -> str:
        """The name and version of the browser."""
        capabilities = self._page().capabilities
        return f"{capabilities['browserName']} {capabilities['browserVersion']}"

    def close(self) -> None:
        self._driver = None
        self._stack.close()

    def _run(self, path: str) -> dict[str, Any] | None:
        from selenium.common.exceptions import WebDriverException  # noqa: PLC0415 - only where it is installed
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 - as above

        try:
            found: dict[str, Any] | None = self._page().execute_async_script(_SCRIPT, path, GRID)
        except (WebDriverException, HTTPError, OSError) as error:
            with contextlib.suppress(WebDriverException, HTTPError, OSError):
                self.close()
            self._stack = contextlib.ExitStack()
            raise CanvasError(type(error).__name__) from error
        return found

    def _page(self) -> "Chrome":
        if self._driver is None:
            driver = self._stack.enter_context(self.installation.started(_ARGUMENTS, seconds=_SECONDS))
            driver.get(f"http://{LOOPBACK}:{self.files.port}/")
            self._driver = driver
        return self._driver


@contextlib.contextmanager
def opened(installation: Installation) -> Iterator[Canvas]:
    """A canvas, until the block ends. The browser starts with the first picture."""
    with _FileServer() as files:
        thread = threading.Thread(target=files.serve_forever, daemon=True)
        thread.start()
        canvas = Canvas(installation, files)
        try:
            yield canvas
        finally:
            canvas.close()
            files.shutdown()
            thread.join()


# ------------------------------------------------------------------------------------ HTTP


class _FileServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """The page and the picture, from one origin: else the browser does not let a script read the canvas."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.served: Path | bytes = b""
        self.number = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _FileServer

    def do_GET(self) -> None:
        """Answer `/` with the page, the last number with the picture, and all else with 404."""
        if self.path == "/":
            self._send("text/html", _PAGE)
        elif self.path == f"/{self.server.number}":
            picture = self.server.served
            self._send(_content_type(picture), picture)
        else:
            self.send_error(404)

    def _send(self, content_type: str, body: Path | bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body) if isinstance(body, bytes) else body.stat().st_size))
        self.end_headers()
        if isinstance(body, bytes):
            self.wfile.write(body)
        else:
            with body.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    self.wfile.write(chunk)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the command prints a table."""


def _content_type(picture: Path | bytes) -> str:
    """Browsers look at the first bytes themselves, except that SVG has to be named."""
    if isinstance(picture, Path):
        with picture.open("rb") as file:
            head = file.read(_SNIFFED_BYTES)
    else:
        head = picture[:_SNIFFED_BYTES]
    name = sniff(head)
    return "application/octet-stream" if name is None else FORMATS[name].content_type
