"""What a page asks for: the parts of a thumbnail URL as texts, right or wrong, and the way from a URL to them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from thumbs.http.messages import quoted_path
from thumbs.request.filters import find
from thumbs.request.grammar import PREFIXES, SIZE, looks_named, split_name
from thumbs.request.policy import StoragePolicy
from thumbs.site.printed import printed

_CALL = re.compile(r"([a-z_]+)(?:\((.*)\))?", re.DOTALL)
_NOT_UTF_8 = re.compile(r"([\udc80-\udcff])")
_NO_FILTER = "fit(cover)"  # the default, for a key that would be read as filters


@dataclass(frozen=True, slots=True)
class Wanted:
    """`filters` is the text after `filters:`, `name` the download name; each may be empty."""

    storage: str
    key: str
    size: str = "x"
    filters: str = ""
    name: str = ""

    @property
    def target(self) -> str:
        """What follows `/{storage}/thumbs/` and the signature: decoded, and not checked."""
        filters = self.filters or (_NO_FILTER if self.key.startswith(PREFIXES) else "")
        name = self.name or (self.key.rpartition("/")[2] if looks_named(self.key) else "")
        parts = [self.size, *([PREFIXES[0] + filters] if filters else []), self.key, *(["as", name] if name else [])]
        return "/".join(parts)

    @property
    def calls(self) -> list[tuple[str, str]]:
        """The filters by their long names, with the text in their parentheses; without those that have no name."""
        found = []
        for text in self.filters.split(";"):
            match = _CALL.fullmatch(text)
            row = find(match[1]) if match else None
            if match is not None and row is not None:
                found.append((row.name, match[2] or ""))
        return found

    def with_filter(self, name: str, arguments: str) -> "Wanted":
        """The same with this filter, in the place of one with its name."""
        calls = [call for call in self.calls if call[0] != name] + [(name, arguments)]
        return replace(self, filters=";".join(f"{each}({text})" if text else each for each, text in calls))


def path_of(url: str, mount: str, policies: Mapping[str, StoragePolicy]) -> str:
    """The decoded path of `url` from `/{storage}/thumbs/` on, without a signature.

    `url` may have a scheme, a host and the `mount`, or another prefix.
    """
    path = printed(url.strip()).path
    start = len(mount) - 1 if path.startswith(mount) else max(0, path.rfind("/", 0, max(0, path.find("/thumbs/"))))
    parts = path[start:].split("/", 5)
    # Whatever the second part is: a misspelled one is still before a signature.
    policy = policies.get(parts[1]) if len(parts) > 4 else None
    if policy is not None and not SIZE.fullmatch(parts[3]) and SIZE.fullmatch(parts[4]):
        del parts[3]
    return "/".join(parts)


def wanted_of(path: str) -> Wanted | None:
    """The parts of such a path, whatever is wrong with them; None where they cannot be told apart."""
    parts = path.split("/", 3)
    if len(parts) < 4 or "/" not in parts[3]:
        return None
    size, _, rest = parts[3].partition("/")
    filters = ""
    if rest.startswith(PREFIXES):
        spelled, _, rest = rest.partition("/")
        filters = spelled.partition(":")[2]
    key, name = split_name(rest)
    return Wanted(parts[1], key, size, filters, name or "")


def quoted(path: str) -> str:
    """`path` percent-encoded. Bytes that are not UTF-8, which are surrogate escapes, become themselves."""
    return "".join(
        f"%{ord(piece) - 0xDC00:02X}" if _NOT_UTF_8.fullmatch(piece) else quoted_path(piece)
        for piece in _NOT_UTF_8.split(path)
    )
