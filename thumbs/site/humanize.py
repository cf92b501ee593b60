"""Formats numbers for texts that people read: sizes, durations and counts."""

_SIZES = ("KiB", "MiB", "GiB", "TiB")
_DURATIONS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def file_size(bytes_: float) -> str:
    """`bytes_` in binary units, such as `24.6 MiB`."""
    value = bytes_
    for unit in _SIZES:
        value /= 1024
        if value < 1024 or unit == _SIZES[-1]:
            break
    return f"{value:,.1f} {unit}"


def duration(seconds: float) -> str:
    """`seconds` in the largest unit that fits, such as `3 d`. Negative ones, after a clock was set back, are `0 s`."""
    for length, unit in _DURATIONS:
        if seconds >= length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def count_of(count: int, singular: str, plural: str | None = None) -> str:
    """`1 thumbnail`, `2,000 thumbnails`. By default the plural is `singular` with an s."""
    return f"{count:,} {singular if count == 1 else plural or f'{singular}s'}"
