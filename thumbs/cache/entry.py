"""What the layers keep: a finished thumbnail with everything its answer needs.

Bytes from a layer outside the process may come from anywhere: only what this app can have written becomes an entry.
"""

import re
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from thumbs.http.messages import Headers, http_date
from thumbs.image.formats import FORMATS
from thumbs.image.outputs import JSON_TYPE

# Magic, modified, created, fresh until, and the lengths of content type, ETag and version; then those, then the body.
_ABOUT = struct.Struct(">4sqddHHh")
_LENGTHS = struct.Struct(">HHh")
_LENGTHS_AT = _ABOUT.size - _LENGTHS.size
_MAGIC = b"MTE1"
_NO_VERSION = -1

# The content type of what is kept of an original; no client gets it.
INTERNAL = "application/octet-stream"
# The names of such entries: an original, and its proxy, whose name goes on with its recipe. No digest begins so.
SOURCE_NAME, PROXY_NAME = "source", "reduced"
# Also those of formats that are only read: `format(original)` gives the stored file.
_CONTENT_TYPES = frozenset((INTERNAL, JSON_TYPE, *(row.content_type for row in FORMATS.values())))
_LONGEST_TYPE = max(map(len, _CONTENT_TYPES))
# RFC 9110, 8.8.3: a strong entity-tag, with ASCII characters only.
_ETAG = re.compile(r'"[\x21\x23-\x7e]{0,126}"')
_LONGEST_ETAG = 128
_LONGEST_VERSION = 1024
_LATEST_DATE = 253_402_300_799  # the last second of the year 9999, and the last one that HTTP can name
_LATEST = 1e12  # for times that stand in no header: a lifetime may be very long


# Not frozen, because frozen ones take three times as long to construct, at every hit from disk. Treat it as frozen.
@dataclass(slots=True, eq=False)
class Entry:
    """A thumbnail. Times are Unix seconds.

    `version` is the version token of the original that it was made from. `created` is the time before the source was
    read, so that a later purge covers this entry. From `fresh_until` on it is stale.
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

    def with_body(self, body: bytes) -> "Entry":
        """The same with another body. The headers are not computed again, so they fit only where it is as long."""
        entry = object.__new__(Entry)
        entry.body, entry.content_type, entry.etag, entry.version = body, self.content_type, self.etag, self.version
        entry.modified, entry.created, entry.fresh_until = self.modified, self.created, self.fresh_until
        entry.validators, entry.headers = self.validators, self.headers
        return entry

    @property
    def size(self) -> int:
        """About the bytes that it takes in memory: the picture, and an allowance for the objects around it."""
        return len(self.body) + 1500

    def pack(self) -> bytes:
        """The entry as bytes, for layers outside the process; `unpack` is the inverse.

        A version token that is longer than any storage's is left out: a renewal then reads the source again.
        """
        content_type, etag = self.content_type.encode(), self.etag.encode()
        version = b"" if self.version is None else self.version.encode()
        known = self.version is not None and len(version) <= _LONGEST_VERSION
        version = version if known else b""
        lengths = len(content_type), len(etag), len(version) if known else _NO_VERSION
        about = _ABOUT.pack(_MAGIC, self.modified, self.created, self.fresh_until, *lengths)
        return b"".join((about, content_type, etag, version, self.body))

    @classmethod
    def unpack(cls, packed: bytes | bytearray) -> Self:
        """Raises ValueError for bytes that `pack` cannot have made of an entry of this app."""
        if len(packed) < _ABOUT.size:
            raise ValueError("not a packed entry")
        content_type, etag, version = _LENGTHS.unpack_from(packed, _LENGTHS_AT)
        if content_type > _LONGEST_TYPE or etag > _LONGEST_ETAG or not _NO_VERSION <= version <= _LONGEST_VERSION:
            raise ValueError("not a packed entry")
        end = _ABOUT.size + content_type + etag + max(version, 0)
        if end > len(packed):
            raise ValueError("not a packed entry")
        return cls(bytes(memoryview(packed)[end:]), *_about(bytes(packed[:end])))

    @classmethod
    def unpack_for(cls, key: str, packed: bytes | bytearray) -> Self:
        """As `unpack`, for bytes under `key`: also raises ValueError for an original under the key of a thumbnail."""
        entry = cls.unpack(packed)
        if (entry.content_type == INTERNAL) != key.rpartition("/")[2].startswith((SOURCE_NAME, PROXY_NAME)):
            raise ValueError("an entry of another kind")
        return entry


@lru_cache(maxsize=1024)
def _about(packed: bytes) -> tuple[str, str, str | None, int, float, float]:
    """The fields of an entry after `body`, from the part of the packed entry that comes before the body."""
    magic, modified, created, fresh_until, *lengths = _ABOUT.unpack_from(packed)
    if magic != _MAGIC:
        raise ValueError("not a packed entry")
    type_end = _ABOUT.size + lengths[0]
    etag_end = type_end + lengths[1]
    content_type, etag = packed[_ABOUT.size : type_end].decode(), packed[type_end:etag_end].decode()
    version = None if lengths[2] == _NO_VERSION else packed[etag_end:].decode()
    if content_type not in _CONTENT_TYPES or not _ETAG.fullmatch(etag):
        raise ValueError("not the headers of an entry")
    if not (0 <= modified <= _LATEST_DATE and 0 <= created <= _LATEST and 0 <= fresh_until <= _LATEST):
        raise ValueError("not the times of an entry")
    return content_type, etag, version, modified, created, fresh_until


@lru_cache(maxsize=1024)
def _headers(content_type: str, length: int, etag: str, modified: int) -> tuple[Headers, Headers]:
    """The validators, and all headers that depend only on the entry."""
    validators = ((b"ETag", etag.encode()), (b"Last-Modified", http_date(modified)))
    return validators, ((b"Content-Type", content_type.encode()), (b"Content-Length", b"%d" % length), *validators)
