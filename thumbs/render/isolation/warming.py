"""Renders small pictures, so that libvips and its libraries load, start and remember what later renders need.

It imports pyvips: import it after Landlock.
"""

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import cycle, islice

import pyvips

from thumbs.image.formats import FORMATS
from thumbs.image.transforms import Attention, Color, Compass, Fit, Padding, Transform, Trim, Watermark
from thumbs.render import libvips
from thumbs.render.codecs import heic, jxl
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits
from thumbs.render.watermarks import composite

_WIDTH, _HEIGHT = 96, 64
_OUTPUTS = tuple(name for name, row in FORMATS.items() if row.output and row.extra is None)
# Every kind of step once.
_TRANSFORMS = (
    Transform(width=40, height=40, gravity=Attention.SMART, sharpen=1.0, padding=Padding(1, 2, 3, 4)),
    Transform(width=40, height=40, gravity=Attention.ENTROPY, blur=1.0, rotate=90),
    Transform(width=40, height=40, fit=Fit.FILL, trim=Trim(10), background=Color(1, 2, 3, 128)),
    Transform(width=40, brightness=10, contrast=10, saturation=10, flip=True),
    Transform(width=40, grayscale=True, flop=True),
)
# The generic families of CSS, in all faces, with letters of scripts that pango lays out by different modules: Latin,
# Cyrillic, Hebrew, Arabic, Devanagari, Thai, Han, Hangul, emoji.
_FAMILIES = ("sans-serif", "serif", "monospace", "cursive", "fantasy")
_FACES = ("", "font-weight='bold'", "font-style='italic'", "font-weight='bold' font-style='italic'")
_LETTERS = "aЖ\u05d0\u0628\u0915\u0e01\u4e2d\uac00\U0001f600"


def load_packages(formats: Collection[str]) -> None:
    """Import the packages that read or write `formats` where libvips does not. One that fails to load is left out."""
    if "jxl" in formats and not (jxl.libvips_reads() and jxl.libvips_writes()):
        jxl.is_available()
    if "heic" in formats:
        with contextlib.suppress(ImportError):
            heic.load()


def render_samples(inputs: Collection[str], *, concurrency: int, outputs: Collection[str] = ()) -> None:
    """Set libvips up, read each of `inputs`, write each output format and run every step. Raises `ThumbError`.

    `outputs` are the optional ones that are written as well.
    """
    libvips.start(inputs, concurrency=concurrency)
    renderer = Renderer(frozenset(inputs), concurrency)
    samples = [sample for name in inputs for sample in _samples(name)]
    written = (*_OUTPUTS, *(name for name in outputs if _is_written(name)))
    rounds = max(len(samples), len(written), len(_TRANSFORMS))
    ways = zip(cycle(samples), cycle(written), cycle(_TRANSFORMS), strict=False)
    for data, output, transform in islice(ways, rounds):
        renderer.render(data, replace(transform, format=output, quality=80), RenderLimits())
    picture = _picture()
    composite(picture, Watermark("", Compass.CENTER, 50, 0.5), picture.addalpha()).avg()


def _samples(name: str) -> Iterator[bytes]:
    if name == "svg":
        yield _drawing()
        return
    picture = _picture()
    if name == "heic":  # nothing here writes it
        return
    if name == "jxl" and not jxl.libvips_writes():
        if _is_written(name):
            yield jxl.encode(picture, 80)
        return
    suffix = f".{FORMATS[name].extensions[0]}"
    yield picture.write_to_buffer(suffix)
    if name == "jpeg":  # color management. A table for CMYK takes 50 ms, and the next original needs its own.
        yield picture.write_to_buffer(suffix, profile="p3")


def _is_written(name: str) -> bool:
    return name != "jxl" or jxl.libvips_writes() or jxl.is_available()


def _picture() -> pyvips.Image:
    """A picture with content to find: noise on a plain ground."""
    noise = pyvips.Image.gaussnoise(_WIDTH // 2, _HEIGHT // 2, sigma=60, mean=128)
    ground = noise.embed(_WIDTH // 4, _HEIGHT // 4, _WIDTH, _HEIGHT, extend="white")
    return ground.bandjoin([ground, ground]).cast("uchar").copy(interpretation="srgb")


def _drawing() -> bytes:
    faces = [f"font-family='{family}' {face}" for family in _FAMILIES for face in _FACES]
    texts = "".join(f"<text x='2' y='9' font-size='8' {face}>{_LETTERS}</text>" for face in faces)
    size = f"width='{_WIDTH}' height='{_HEIGHT}'"
    return f"<svg xmlns='http://www.w3.org/2000/svg' {size}>{texts}</svg>".encode()
