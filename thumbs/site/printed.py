"""A URL as it can be printed, with the place in it of each character of the decoded path."""

import re
from collections.abc import Container
from dataclasses import dataclass, replace
from urllib.parse import quote

from thumbs.http.messages import quoted_path
from thumbs.request.grammar import SIZE
from thumbs.request.mistakes import Mistake

_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
# A segment that may be a signature, also one that is not right here, and the one after it. One without a capital or a
# digit is rather a directory: of a thousand million signatures, at most a few hundred have none.
_SIGNATURE = re.compile(r"/([^/]+)/thumbs/(?=[^/]*[A-Z0-9])([A-Za-z0-9_+=-]{16,})/([^/]*)")
HIDDEN = "[signature]"


@dataclass(frozen=True, slots=True)
class PrintedUrl:
    """A URL and the path that it names.

    `text` is the URL, with percent-encodings for what is not printable. `path` is its path, percent-decoded once; it
    begins with a slash, and bytes that are not UTF-8 are surrogate escapes. `places` has the place in `text` of each
    character of `path`, and that of its end.
    """

    text: str
    path: str
    places: tuple[int, ...]

    def located(self, mistake: Mistake) -> Mistake:
        """A mistake of `path` as one of `text`."""
        start, stop = self.places[mistake.offset], self.places[mistake.end]
        return replace(mistake, offset=start, text=self.text[start:stop], nearest=quoted_path(mistake.nearest))

    def without_signature(self, unsigned: Container[str] = ()) -> "PrintedUrl":
        """The same with `[signature]` in place of a signature: what is printed may be pasted into chats and tickets.

        In a URL of the `unsigned` storages, it is one only if a size follows.
        """
        match = _SIGNATURE.search(self.path)
        if match is None or (match[1] in unsigned and SIZE.fullmatch(match[3]) is None):
            return self
        start, stop = self.places[match.start(2)], self.places[match.end(2)]
        moved = len(HIDDEN) - (stop - start)
        places = tuple(
            place + moved if place >= stop else min(place, start) if place > start else place for place in self.places
        )
        return PrintedUrl(self.text[:start] + HIDDEN + self.text[stop:], self.path, places)


def printed(url: str) -> PrintedUrl:
    """`url`, with or without scheme and host, percent-encoded or not."""
    start, stop = _path_range(url)
    text = _printable(url[:start])
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
