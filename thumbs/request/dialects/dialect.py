"""What a dialect is configured with, and what its module reads from a URL."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from thumbs.errors import BadFilter, BadPath, SignatureRefused
from thumbs.image.formats import format_of_extension

IMGPROXY, THUMBOR, IMAGOR, IPX, GO_MAGE = NAMES = ("imgproxy", "thumbor", "imagor", "ipx", "mage")
SHA256_BYTES = 32
SIGNERS = ("sha1", "sha256", "sha512")


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """A dialect at `path`, which begins and ends with a slash.

    `sources` maps the start of a source to the name of a storage. Without `keys` it is unsigned; `salts` are those of
    imgproxy, one for each key. With `unsafe`, URLs of thumbor and imagor need no signature. `signature_length` is in
    characters from `signature_start` on, 0 for all; `signature_size` is in bytes before base64. `presets` maps names to
    options of imgproxy. `format` is the output format where a URL names none.
    """

    name: str
    path: str
    sources: Mapping[str, str]
    keys: Sequence[bytes] = field(default=(), repr=False)
    salts: Sequence[bytes] = field(default=(), repr=False)
    unsafe: bool = False
    signer: str = "sha1"
    signature_start: int = 0
    signature_length: int = 0
    signature_size: int = SHA256_BYTES
    presets: Mapping[str, str] = field(default_factory=dict)
    presets_only: bool = False
    base64_filename: bool = False
    watermark: str | None = None
    format: str | None = None

    def digests(self, message: bytes) -> list[bytes]:
        """The digest of `message` with each of the keys."""
        algorithm = getattr(hashlib, self.signer)
        return [hmac.digest(key, message, algorithm) for key in self.keys]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a URL asks for: a source, the fields of a transform, a stem for the download name, Unix seconds.

    `ignored` are the names of options that have no effect, as in the server that the dialect is of.
    """

    source: str
    fields: Mapping[str, Any]
    stem: str | None = None
    expires: int | None = None
    ignored: Sequence[str] = ()


def format_of_source(source: str) -> str | None:
    """The format that the extension of a source names: of a URL, that of its path, without the query."""
    return format_of_extension(source.partition("?")[0] if "://" in source else source)


def is_one_of(expected: Sequence[str], given: str) -> bool:
    """Whether `given` is one of `expected`; compares in constant time."""
    matches = False
    for each in expected:  # no early exit: the time must not depend on which key matches
        matches |= hmac.compare_digest(each.encode(), given.encode())
    return matches


def require_match(expected: Sequence[str], given: str) -> None:
    """Raise `SignatureRefused` unless `given` is one of `expected`; compares in constant time."""
    if not is_one_of(expected, given):
        raise SignatureRefused


def unsupported(option: str) -> NoReturn:
    """Raise `BadFilter` for an option of a peer that has no counterpart here. `option` is a constant."""
    raise BadFilter(f"This server has no counterpart of {option}.")


def wrong(option: str) -> NoReturn:
    """Raise `BadFilter` for a wrong value of an option. `option` is a constant."""
    raise BadFilter(f"The value of {option} is wrong.")


def unquoted(text: str) -> str:
    """`text` with its escapes decoded. Raises `BadPath` for a `%` that begins none, and for what is not UTF-8."""
    pieces = text.split("%")
    try:
        raw = pieces[0].encode() + b"".join(_byte(piece[:2]) + piece[2:].encode() for piece in pieces[1:])
        return raw.decode()
    except ValueError:
        raise BadPath from None


def _byte(digits: str) -> bytes:
    if len(digits) != 2 or not digits.isalnum():  # `fromhex` takes spaces
        raise ValueError("not an escape")
    return bytes.fromhex(digits)
