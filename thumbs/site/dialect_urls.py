"""URLs of other image servers, for explanations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from thumbs.errors import TargetTooLong
from thumbs.front import Mount
from thumbs.http import messages
from thumbs.request.dialects.dialect import Asked, Dialect
from thumbs.request.dialects.translating import read, settled
from thumbs.request.grammar import Target
from thumbs.request.policy import StoragePolicy
from thumbs.site.printed import target_of
from thumbs.wiring.dialects import dialects
from thumbs.wiring.process import current, routes

_HIDDEN = "[hidden]"
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_FIRST = re.compile(rb"(/*)[^/?]+")


@dataclass(frozen=True, slots=True)
class DialectUrl:
    """A URL of a dialect: its target from the last slash of the dialect's path on."""

    dialect: Dialect
    raw: bytes
    length: int

    @property
    def kind(self) -> str:
        """The name and the path of the dialect, and whether its URLs are signed."""
        is_signed = bool(self.dialect.keys) and not self.dialect.unsafe
        return f"{self.dialect.name} at {self.dialect.path}, {'signed' if is_signed else 'unsigned'}"

    @property
    def shown(self) -> str:
        """The URL from the dialect's path on, without its signature."""
        raw = _FIRST.sub(rb"\1" + _HIDDEN.encode(), self.raw, count=1) if self.dialect.keys else self.raw
        return self.dialect.path.rstrip("/") + raw.decode("ascii", "replace")

    def asked(self) -> Asked:
        """What the URL asks for, verified. Raises `BadRequest` or `SignatureRefused`."""
        if self.length > messages.MAX_TARGET_BYTES:
            raise TargetTooLong
        return read(self.raw, self.dialect)

    def settled(self, asked: Asked, policies: Mapping[str, StoragePolicy]) -> tuple[str, Target]:
        """The storage and the target. Raises `BadRequest` or `StorageUnknown`."""
        return settled(asked, self.dialect, policies)


def explain_dialect(url: str, prefix: str) -> DialectUrl | None:
    """The URL of a dialect that `url` is below `prefix`, as a client sends it; None for another one."""
    target = quote(target_of(url), safe=_VISIBLE).encode()
    match = Mount(prefix, whole_server=True).match(target, "GET", routes())
    if match is None or not match.dialect:
        return None
    return DialectUrl(dialects(current().read)[match.dialect], match.path, len(target))
