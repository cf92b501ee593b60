"""The codes of the pixels of a GIF (GIF89a, Appendix F), read as browsers read them and written as libvips reads them.

libvips' nsgif takes codes of the minimum size 0 or 1 for shorter than they are, shows nothing of a frame with a code
that does not exist, and needs one more byte behind a last code that ends with its byte.
"""

from collections.abc import Iterator

from thumbs.render.containers.limits import MAX_GIF_WRITTEN_PIXELS

# Minimum code sizes below this one are read wrongly by nsgif.
LEAST_CODE_BITS = 2
_MOST_WIDTH = 12
_MOST_ENTRIES = 1 << _MOST_WIDTH
_REFILL = 32  # bytes
# What is written: nine bits for each pixel, and a clear code before the table needs ten.
_BITS = 8
_CLEAR, _END = 1 << _BITS, (1 << _BITS) + 1
_GROUP = 254  # pixels between clear codes
_GROUPS = 8  # so many end with a whole byte
_NAMES = [format(code, "09b") for code in range(_END + 1)]
_LONGEST_BLOCK = 255


def rewritten(pixels: bytes, count: int) -> bytes:
    """The coded pixels of a frame of `count` pixels in a form that nsgif reads: the same pixels up to a damaged code.

    They begin with the minimum code size, and end with the terminator of their sub-blocks. Codes behind the first
    8,000,000 codes or pixels count as missing.
    """
    indices = _indices(_joined(pixels), pixels[0], min(count, MAX_GIF_WRITTEN_PIXELS))
    codes = b"".join(_packed(indices))
    blocks = (codes[at : at + _LONGEST_BLOCK] for at in range(0, len(codes), _LONGEST_BLOCK))
    return b"".join((bytes([_BITS]), *(bytes([len(block)]) + block for block in blocks), b"\0"))


def _joined(pixels: bytes) -> bytes:
    """The contents of the sub-blocks."""
    at, blocks = 1, []
    while at < len(pixels) and pixels[at]:
        blocks.append(pixels[at + 1 : at + 1 + pixels[at]])
        at += 1 + pixels[at]
    return b"".join(blocks)


def _indices(codes: bytes, bits: int, most: int) -> bytes:
    """The pixels, `most` at most: up to the end code, the end of the codes, or a code that does not exist yet."""
    if bits > _BITS:
        return b""
    clear, end = 1 << bits, (1 << bits) + 1
    table = [bytes([value]) for value in range(clear)] + [b"", b""]
    found, before = bytearray(), b""
    value = held = at = 0
    width = bits + 1
    for _ in range(MAX_GIF_WRITTEN_PIXELS):
        if held < width:
            piece = codes[at : at + _REFILL]
            at += len(piece)
            value |= int.from_bytes(piece, "little") << held
            held += 8 * len(piece)
        if held < width or len(found) >= most:
            break
        code = value & (1 << width) - 1
        value, held = value >> width, held - width
        if code == clear:
            del table[end + 1 :]
            width, before = bits + 1, b""
            continue
        if code == end or code > len(table) or (code == len(table) and not before):
            break
        run = table[code] if code < len(table) else before + before[:1]
        found += run
        if before and len(table) < _MOST_ENTRIES:
            table.append(before + run[:1])
        if len(table) >> width and width < _MOST_WIDTH:
            width += 1
        before = run
    return bytes(found[:most])


def _packed(indices: bytes) -> Iterator[bytes]:
    """Codes of nine bits for the pixels, with the end code."""
    step = _GROUP * _GROUPS
    for start in range(0, len(indices) or 1, step):
        part = indices[start : start + step]
        groups = [part[at : at + _GROUP] for at in range(0, len(part), _GROUP)]
        # The first code stands in the lowest bits.
        names = ["".join(map(_NAMES.__getitem__, reversed(group))) + _NAMES[_CLEAR] for group in reversed(groups)]
        if start + step >= len(indices):
            names.insert(0, _NAMES[_END])
        text = "".join(names)
        yield int(text, 2).to_bytes(-(-len(text) // 8), "little")
