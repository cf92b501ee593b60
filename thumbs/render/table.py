"""The table of codecs: how a process that renders checks, reads, decodes and writes each format, one row each.

`image.formats.FORMATS` has the rest of each row, which needs no pyvips: signature, loader, extra, whether a decoder
holds the whole picture.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from thumbs.errors import SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.image.formats import sniff
from thumbs.render import decoders, header
from thumbs.render.avif.rewriting import readable
from thumbs.render.bombs import avif, jpeg, svg, tiff, webp
from thumbs.render.codecs import savers
from thumbs.render.codecs.png import with_usable_chunks
from thumbs.render.codecs.savers import Saver
from thumbs.render.containers.webp import with_alpha_flag
from thumbs.render.decoders import Decode
from thumbs.render.header import Header


@dataclass(frozen=True, slots=True)
class Codec:
    """One format.

    `normalize` makes of a file what libvips reads. `is_bomb` finds files that crash or stall a library, or fill its
    memory, before it can report their size. `read` is the reader of the header. `decode` decodes at the size that costs
    the least. `saver` writes it; None where thumbnails never have it.
    """

    read: Callable[[bytes], Header]
    decode: Decode
    saver: Saver | None = None
    is_bomb: Callable[[bytes], bool] | None = None
    normalize: Callable[[bytes], bytes] | None = None


def _by_libvips(name: str) -> Callable[[bytes], Header]:
    return partial(header.libvips_header, name=name)


CODECS: dict[str, Codec] = {
    "jpeg": Codec(_by_libvips("jpeg"), decoders.decode_jpeg, savers.JPEG, jpeg.is_bomb),
    "png": Codec(_by_libvips("png"), decoders.decode_png, savers.PNG, normalize=with_usable_chunks),
    "webp": Codec(_by_libvips("webp"), decoders.decode_webp, savers.WEBP, webp.is_bomb, with_alpha_flag),
    "avif": Codec(_by_libvips("avif"), decoders.decode_avif, savers.AVIF, avif.is_bomb, readable),
    "gif": Codec(header.gif_header, decoders.decode_gif, savers.GIF),
    "tiff": Codec(_by_libvips("tiff"), decoders.decode_tiff, is_bomb=tiff.is_bomb),
    "svg": Codec(_by_libvips("svg"), decoders.decode_svg, is_bomb=svg.is_bomb),
    "jxl": Codec(header.jxl_header, decoders.decode_jxl, savers.JXL),
    "heic": Codec(header.heic_header, decoders.decode_heic, is_bomb=avif.is_bomb),
}
SAVERS: dict[str, Saver] = {name: row.saver for name, row in CODECS.items() if row.saver is not None}


def normalized(data: bytes) -> bytes:
    """`data` in a form that libvips reads. Raises `SourceOverLimit` for a PNG of more than 100,000 chunks."""
    name = sniff(data)
    normalize = None if name is None else CODECS[name].normalize
    return data if normalize is None else normalize(data)


def read_header(data: bytes, inputs: frozenset[str]) -> Header:
    """The header of an original.

    Raises `SourceUnsupported` for a format that is not one of `inputs` and for a TIFF of a kind that is not decoded,
    `SourceBroken` for a damaged header, and `SourceOverLimit` for a decompression bomb (`render.bombs`).
    """
    name = sniff(data)
    if name is None or name not in inputs:
        raise SourceUnsupported
    codec = CODECS[name]
    try:
        if codec.is_bomb is not None and codec.is_bomb(data):
            raise SourceOverLimit
    except svg.Unreadable as error:
        raise SourceBroken from error
    return codec.read(data)
