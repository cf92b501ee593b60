"""Reads the ICC profile of a JPEG from its segments (ICC.1:2022, B.4)."""

from thumbs.render.bombs.limits import MAX_ICC_BYTES
from thumbs.render.containers.jpeg import PROFILE_SEGMENT, segments

_NAME = b"ICC_PROFILE\0"
_HEADER_BYTES = len(_NAME) + 2  # the number of the part, from 1 on, and how many there are


def profile_segments(data: bytes) -> bytes | None:
    """The profile in the segments before the pixels; None without one, and where its parts do not fit together.

    That is the rule of browsers: a part without contents does not count, and behind the last one that is missing no
    segment is looked at. libvips reads ten parts at most, in any number, and of two with one number the second.
    """
    view, parts, count, size = memoryview(data), dict[int, memoryview](), 0, 0
    for code, start, end in segments(data):
        if code != PROFILE_SEGMENT or end - start <= _HEADER_BYTES or not data.startswith(_NAME, start):
            continue
        number, total = data[start + len(_NAME) : start + _HEADER_BYTES]
        if number in parts or not 1 <= number <= total or total != (count or total):
            return None
        parts[number], count = view[start + _HEADER_BYTES : end], total
        size += end - start
        if len(parts) == count:
            break
    if len(parts) != count or count == 0 or size > MAX_ICC_BYTES:
        return None
    return b"".join(parts[number] for number in range(1, count + 1))
