"""Figures for people: bytes in binary units, spans of time in the largest unit that fits."""

_SIZES = ("KiB", "MiB", "GiB", "TiB")
_SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def size(count: float) -> str:
    """`count` bytes, such as `24.6 MiB`."""
    for unit in _SIZES:
        count /= 1024
        if count < 1024 or unit == _SIZES[-1]:
            break
    return f"{count:,.1f} {unit}"


def span(seconds: float) -> str:
    """A time of so many seconds, such as `3 d` or `0 s`; a clock that was set back counts as none."""
    for length, unit in _SPANS:
        if seconds >= length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def counted(count: int, noun: str, nouns: str | None = None) -> str:
    """`1 thumbnail`, `2,000 thumbnails`; `nouns` is the plural where that is not `noun` with an s."""
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"
