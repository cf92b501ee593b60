"""The headers of answers that depend on the request: `Cache-Control`, `Content-Disposition` and `Vary`."""

from collections.abc import Sequence

from thumbs.http import cache_control, messages
from thumbs.http.messages import SECURITY_HEADERS, Headers
from thumbs.request.grammar import Target

_VARY: Headers = ((b"Vary", b"Accept"),)


def success_headers(target: Target, configured: str | None, *, private: bool, keepable: bool) -> Headers:
    """The headers of a picture. `configured`, `private` and `keepable` are those of its storage's policy."""
    versioned = target.transform.version is not None
    value = cache_control.cache_control(configured, private=private, versioned=versioned)
    if not keepable:
        value = cache_control.NO_STORE
    headers: Headers = ((b"Cache-Control", value.encode()), *SECURITY_HEADERS)
    if target.name is not None:
        headers += ((b"Content-Disposition", messages.content_disposition(target.name).encode()),)
    return headers


def vary_of(path: bytes) -> Headers:
    """`Vary` for the error response to a path that could not be resolved; any `format(auto)` in it counts."""
    return _VARY if b"format(auto)" in path or b"fmt(auto)" in path else ()


def with_vary(headers: Headers, names: Sequence[str]) -> Headers:
    """`headers` with `names` added to `Vary`, in one line: of several, nginx before 1.23 reads only the last."""
    known = {"", *map(str.lower, names)}
    given = (value.decode().split(",") for name, value in headers if name.lower() == b"vary")
    others = [name.strip() for names in given for name in names if name.strip().lower() not in known]
    vary = "*" if "*" in others else ", ".join((*names, *others))
    return ((b"Vary", vary.encode()), *(header for header in headers if header[0].lower() != b"vary"))
