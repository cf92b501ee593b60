"""The style sheet and the script of the page, under names with a digest, so that browsers may keep them for good."""

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

_DIRECTORY = Path(__file__).parent / "assets"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


class Asset(NamedTuple):
    content_type: str
    body: bytes


@cache
def name_of(extension: str) -> str:
    """The name of the `css` or `js` file in URLs."""
    return f"playground.{hashlib.blake2b(_read(extension), digest_size=8).hexdigest()}.{extension}"


def asset(name: str) -> Asset | None:
    """The file of this name; None for any other, such as one of an earlier release."""
    for extension, content_type in _TYPES.items():
        if name == name_of(extension):
            return Asset(content_type, _read(extension))
    return None


@cache
def _read(extension: str) -> bytes:
    return (_DIRECTORY / f"playground.{extension}").read_bytes()
