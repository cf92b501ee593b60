"""What the layers keep: a finished thumbnail with everything its answer needs."""

import struct
from dataclasses import dataclass, field
from typing import Self

from thumbs.http import Headers, http_date

# Magic, modified, created, fresh until, and the lengths of content type, ETag and version; then those, then the body.
_ABOUT = struct.Struct(">4sqddHHh")
_MAGIC = b"MTE1"
_NO_VERSION = -1


@dataclass(frozen=True, slots=True, eq=False)
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
        validators = ((b"ETag", self.etag.encode()), (b"Last-Modified", http_date(self.modified)))
        body = ((b"Content-Type", self.content_type.encode()), (b"Content-Length", b"%d" % len(self.body)))
        object.__setattr__(self, "validators", validators)
        object.__setattr__(self, "headers", body + validators)

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
    def unpack(cls, packed: bytes) -> Self:
        """Raises ValueError for bytes that `pack` did not make."""
        try:
            magic, modified, created, fresh_until, *lengths = _ABOUT.unpack_from(packed)
        except struct.error as error:
            raise ValueError("not a packed entry") from error
        type_end = _ABOUT.size + lengths[0]
        etag_end = type_end + lengths[1]
        version_end = etag_end + max(lengths[2], 0)
        if magic != _MAGIC or version_end > len(packed):
            raise ValueError("not a packed entry")
        return cls(
            body=packed[version_end:],
            content_type=packed[_ABOUT.size : type_end].decode(),
            etag=packed[type_end:etag_end].decode(),
            version=None if lengths[2] == _NO_VERSION else packed[etag_end:version_end].decode(),
            modified=modified,
            created=created,
            fresh_until=fresh_until,
        )
