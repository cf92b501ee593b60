"""The files of a site: found under paths, read and written byte for byte, compared as a unified diff."""

import contextlib
import difflib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tokenize import detect_encoding

TEMPLATES = frozenset({".html", ".htm", ".xhtml", ".djhtml", ".txt", ".xml", ".svg", ".email", ".eml"})
JINJA = frozenset({".jinja", ".jinja2", ".j2"})
PYTHON = frozenset({".py"})
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(frozen=True, slots=True)
class File:
    """The text of a file with its line ends, and how to write it again. Bytes that are no text are kept."""

    path: Path
    text: str
    encoding: str

    def encoded(self, text: str) -> bytes:
        return text.encode(self.encoding, "surrogateescape")

    def write(self, text: str) -> None:
        """Replaces the file at once: a reader sees the old one or the new one. A symbolic link stays one."""
        target = self.path.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.encoded(text))
                file.flush()
                os.fsync(file.fileno())
            shutil.copystat(target, name)
            with contextlib.suppress(PermissionError):  # only root gives files away
                os.chown(name, target.stat().st_uid, target.stat().st_gid)
            os.utime(name)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def diff(self, text: str) -> str:
        """The unified diff from the file to `text`, as `patch` and `git apply` take it."""
        name = self.path.as_posix().lstrip("/")
        lines = difflib.unified_diff(_lines(self.text), _lines(text), f"a/{name}", f"b/{name}")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def read(path: Path) -> File:
    """The file at `path`. Raises OSError."""
    data = path.read_bytes()
    encoding = "utf-8"
    if path.suffix in PYTHON:
        try:
            encoding = detect_encoding(iter(data.splitlines(keepends=True)).__next__)[0].replace("utf-8-sig", "utf-8")
        except SyntaxError:
            encoding = "utf-8"
    text = data.decode(encoding, "surrogateescape")
    return File(path, text, encoding)


def found(paths: Iterable[Path]) -> Iterator[Path]:
    """The files under these paths that may read a peer; a path that is a file is taken whatever its name."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for directory, names, files in os.walk(path):
            names[:] = sorted(name for name in names if not _is_skipped(Path(directory, name)))
            for name in sorted(files):
                if Path(name).suffix.lower() in TEMPLATES | JINJA | PYTHON:
                    yield Path(directory, name)


def is_jinja(path: Path) -> bool:
    """Whether it is a Jinja2 template: by its name, or in a directory where Django's backend looks for them."""
    return path.suffix.lower() in JINJA or "jinja2" in path.parent.parts


def _is_skipped(directory: Path) -> bool:
    """Hidden directories, those of packages, and environments of Python."""
    return directory.name.startswith(".") or directory.name in _SKIPPED or (directory / "pyvenv.cfg").exists()


def _lines(text: str) -> list[str]:
    """Lines that end with a line feed, as `patch` reads them. `str.splitlines` splits at other characters too."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
