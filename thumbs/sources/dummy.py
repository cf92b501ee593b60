"""Originals that are drawn: each path has one, and no storage is asked. For development without the files of a site."""

import colorsys
import hashlib

from thumbs.sources.bitmap import Color, Colors, draw
from thumbs.sources.source import Original, Version

SIZE = (1500, 1000)  # pixels: what depends on the size of an original, has the ratio 3:2
# Raise the number when other pictures are drawn: it is part of the ETag.
_VERSION = Version("dummy-1", None)


class DummySource:
    """A plain original of `SIZE` at every path, with a color that the path decides."""

    def read(self, path: str) -> Original:
        return Original(draw(SIZE, colors_of(path), path), _VERSION)

    def version(self, path: str) -> Version:  # noqa: ARG002 - the protocol's
        return _VERSION

    def ready(self) -> None:
        pass


def colors_of(path: str) -> Colors:
    """A light color for the ground and a dark one for the text, of one hue. Equal paths have equal colors."""
    hue = hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=2).digest()
    angle = int.from_bytes(hue, "big") / 0x10000
    return Colors(_color(angle, lightness=0.8), _color(angle, lightness=0.25))


def _color(angle: float, *, lightness: float) -> Color:
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(angle, lightness, 0.45))
    return red, green, blue
