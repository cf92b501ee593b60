"""What the layers keep: a finished thumbnail with everything its answer needs."""

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from thumbs.http import Headers, http_date

# Magic, modified, created, fresh until, and the lengths of content type, ETag and version; then those, then the body.
_ABOUT = struct.Struct(">4sqddHHh")
_LENGTHS = struct.Struct(">HHh")
_LENGTHS_AT = _ABOUT.size - _LENGTHS.size
_MAGIC = b"MTE1"
_NO_VERSION = -1


# Not frozen, for that makes it thrice as slow to construct, and one is constructed for every hit from disk; still,
# nobody changes one.
@dataclass(slots=True, eq=False)
class Entry:
    """A thumbnail. Times are Unix seconds.

    `version` is the source's version token that it was made from; `created` the moment before the source was asked,
    so that a purge after it is a purge of this entry too; from `fresh_until` on it is stale.
    """

    body: bytes = field(repr=False)
    content_type: str
    etag: str
    version: str | None
    modified: int
    created: float
    fresh_until: float
    validators: Headers = field(init=False, repr=False)
    headers: Headers = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.validators, self.headers = _headers(self.content_type, len(self.body), self.etag, self.modified)

    @property
    def size(self) -> int:
        """Bytes in memory, near enough: the picture, and an allowance for the objects around it."""
        return len(self.body) + 1500

    def pack(self) -> bytes:
        """One string of bytes for layers outside the process; `unpack` gives the entry back."""
        content_type, etag = self.content_type.encode(), self.etag.encode()
        version = b"" if self.version is None else self.version.encode()
        lengths = len(content_type), len(etag), _NO_VERSION if self.version is None else len(version)
        about = _ABOUT.pack(_MAGIC, self.modified, self.created, self.fresh_until, *lengths)
        return b"".join((about, content_type, etag, version, self.body))

    @classmethod
    def unpack(cls, packed: bytes | bytearray) -> Self:
        """Raises ValueError for bytes that `pack` did not make."""
        if len(packed) < _ABOUT.size:
            raise ValueError("not a packed entry")
        content_type, etag, version = _LENGTHS.unpack_from(packed, _LENGTHS_AT)
        end = _ABOUT.size + content_type + etag + max(version, 0)
        if end > len(packed):
            raise ValueError("not a packed entry")
        return cls(bytes(memoryview(packed)[end:]), *_about(bytes(packed[:end])))


@lru_cache(maxsize=1024)
def _about(packed: bytes) -> tuple[str, str, str | None, int, float, float]:
    """The fields of an entry behind its body: what comes before that in `packed`."""
    magic, modified, created, fresh_until, *lengths = _ABOUT.unpack_from(packed)
    if magic != _MAGIC:
        raise ValueError("not a packed entry")
    type_end = _ABOUT.size + lengths[0]
    etag_end = type_end + lengths[1]
    content_type, etag = packed[_ABOUT.size : type_end].decode(), packed[type_end:etag_end].decode()
    version = None if lengths[2] == _NO_VERSION else packed[etag_end:].decode()
    return content_type, etag, version, modified, created, fresh_until


@lru_cache(maxsize=1024)
def _headers(content_type: str, length: int, etag: str, modified: int) -> tuple[Headers, Headers]:
    """The validators, and all that the entry itself says."""
    validators = ((b"ETag", etag.encode()), (b"Last-Modified", http_date(modified)))
    return validators, ((b"Content-Type", content_type.encode()), (b"Content-Length", b"%d" % length), *validators)
