"""A URL as it can be printed, with the place in it of each character of the decoded path."""

import re
from collections.abc import Container
from dataclasses import dataclass, replace
from urllib.parse import quote

from thumbs.http.messages import quoted_path
from thumbs.problems import closest
from thumbs.request.grammar import SIZE
from thumbs.request.mistakes.located import Mistake

_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
# A segment that may be a signature, also one that is not right here. One without a capital or a digit is rather a
# directory: of a thousand million signatures, at most a few hundred have none.
_SIGNATURE = re.compile(r"(?=[^/]*[A-Z0-9])[A-Za-z0-9_+=-]{16,}")
_USER = re.compile(r"(?<=//)[^/]*@")
HIDDEN = "[signature]"


@dataclass(frozen=True, slots=True)
class PrintedUrl:
    """A URL and the path that it names.

    `text` is the URL without user information, percent-encoded where it is not printable. `path` is its path,
    percent-decoded once; it begins with a slash, and bytes that are not UTF-8 are surrogate escapes. `places` has the
    place in `text` of each character of `path`, and that of its end.
    """

    text: str
    path: str
    places: tuple[int, ...]

    def located(self, mistake: Mistake) -> Mistake:
        """A mistake of `path` as one of `text`."""
        start, stop = self.places[mistake.offset], self.places[mistake.end]
        text = self.text[start:stop]
        near = "" if HIDDEN in text else quoted_path(mistake.nearest)
        return replace(mistake, offset=start, text=text, nearest=near)

    def without_signature(self, unsigned: Container[str] = ()) -> "PrintedUrl":
        """The same with `[signature]` in place of a signature: what is printed may be pasted into chats and tickets.

        In a URL of the `unsigned` storages, it is one only if a size follows.
        """
        found = self._signature(unsigned)
        if found is None:
            return self
        start, stop = (self.places[offset] for offset in found)
        moved = len(HIDDEN) - (stop - start)
        places = tuple(
            place + moved if place >= stop else min(place, start) if place > start else place for place in self.places
        )
        return PrintedUrl(self.text[:start] + HIDDEN + self.text[stop:], self.path, places)

    def _signature(self, unsigned: Container[str]) -> tuple[int, int] | None:
        """Where in `path` may be a signature: before a size, or after `/{storage}/thumbs/`, also misspelled."""
        segments = ["", "", *self.path.split("/"), ""]
        start = 0
        for storage, middle, segment, size in zip(segments, segments[1:], segments[2:], segments[3:], strict=False):
            if _SIGNATURE.fullmatch(segment):
                is_signed = storage not in unsigned and closest(middle.lower(), ["thumbs"])
                if is_signed or SIZE.fullmatch(size):
                    return start, start + len(segment)
            start += len(segment) + 1
        return None


def printed(url: str) -> PrintedUrl:
    """`url`, with or without scheme and host, percent-encoded or not."""
    start, stop = _path_range(url)
    text = _printable(_USER.sub("", url[:start]))
    raw = b"" if url.startswith("/", start) else b"/"
    starts = [len(text)] * len(raw)  # the place in `text` of each byte of `raw`
    position = start
    while position < stop:
        encoded = _ENCODED.match(url, position, stop)
        piece = encoded[0] if encoded else url[position]
        made = bytes.fromhex(piece[1:]) if encoded else _bytes(piece)
        raw += made
        starts += [len(text)] * len(made)
        text += _printable(piece)
        position += len(piece)
    path = raw.decode(errors="surrogateescape")
    places = []
    consumed = 0
    for char in path:
        places.append(starts[consumed])
        consumed += len(_bytes(char))
    return PrintedUrl(text + _printable(url[stop:]), path, (*places, len(text)))


def target_of(url: str) -> bytes:
    """The request target that a client sends for `url`: no scheme, host or fragment."""
    start, _ = _path_range(url)
    target = _bytes(url.partition("#")[0][start:])
    return target if target.startswith(b"/") else b"/" + target


def _path_range(url: str) -> tuple[int, int]:
    """Where the path of `url` begins and ends."""
    without_fragment = url.partition("#")[0]
    scheme, separator, rest = without_fragment.partition("://")
    start = 0
    if separator and scheme.isalpha():
        slash = rest.find("/")
        start = len(without_fragment) if slash < 0 else len(scheme) + len(separator) + slash
    query = without_fragment.find("?", start)
    return start, len(without_fragment) if query < 0 else query


def _bytes(text: str) -> bytes:
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # not from a command line
        return text.encode(errors="surrogatepass")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else quote(_bytes(char)) for char in text)
