"""Mage's answers: a server on loopback which has the files as originals."""

import contextlib
import http.client
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import LOOPBACK, free_port, running
from bench.servers import PROJECT
from thumbs.image.formats import FORMATS

_SECONDS = 120.0  # for one request: more than all limits of the server together
# Originals are shown at their own size, which may be more than the defaults allow for thumbnails.
_LIMITS = {"max_side": 16_384, "max_output_pixels": 100_000_000, "render_seconds": 60}


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of a response, and its picture; `code` names the error of any other status than 200."""

    status: int
    picture: bytes = b""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Mage:
    """A running server. `names` are the originals' names in its storage."""

    port: int
    names: dict[Path, str]

    def thumbnail(self, file: Path) -> Answer:
        """The whole picture as a PNG, or the status of the refusal; 0 where the server did not answer."""
        path = f"/originals/thumbs/x/filters:format(png)/{self.names[file]}"
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=_SECONDS)
        try:
            with contextlib.closing(connection):
                connection.request("GET", path)
                response = connection.getresponse()
                body = response.read()
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, code=type(error).__name__)
        return Answer(200, body) if response.status == 200 else Answer(response.status, code=_code(body))


@contextlib.contextmanager
def serving(files: Sequence[Path], directory: Path) -> Iterator[Mage]:
    """A server whose only storage has `files`, without caches, until the block ends. `directory` is for its own files.

    All formats are enabled. The originals are links with plain names: any file name can be compared. Raises
    `UnavailableError` where the server does not start.
    """
    root = directory / "originals"
    root.mkdir()
    names = {file: f"{number}{_suffix(file)}" for number, file in enumerate(files)}
    for file, name in names.items():
        (root / name).symlink_to(file.resolve())
    storage = {"name": "originals", "driver": "local", "root": str(root), "follow_symlinks": True, "cache": {}}
    config = directory / "storages.json"
    document = {"storages": [storage], "input_formats": list(FORMATS), "limits": _LIMITS}
    config.write_text(json.dumps({**document, "run_dir": str(directory / "run")}))
    port = free_port()
    command = (sys.executable, PROJECT / "manage.py", "run_thumb_server", "--bind", f"{LOOPBACK}:{port}")
    env = {**os.environ, "STORAGES_CONFIG_PATH": str(config), "LOG_LEVEL": "WARNING", "PYTHONPATH": str(PROJECT)}
    with running((*command, "--workers", "1"), log=directory / "log", env=env, cwd=PROJECT) as child:
        child.await_port(port)
        yield Mage(port, names)


def _suffix(file: Path) -> str:
    """The extension, where a URL holds it as it is."""
    return file.suffix if file.suffix.isascii() and file.suffix[1:].isalnum() else ""


def _code(body: bytes) -> str:
    """The code of a problem document (RFC 9457); empty for any other body."""
    with contextlib.suppress(ValueError, AttributeError):
        return str(json.loads(body).get("code", ""))
    return ""
