"""What goes into a render beside the original, and what comes out. Imports no pyvips."""

from dataclasses import dataclass, field

from thumbs.errors import SourceUnsupported
from thumbs.image.description import Description
from thumbs.image.formats import sniff
from thumbs.image.geometry import OutputLimits
from thumbs.image.limits import (
    MAX_ANIMATION_PIXELS,
    MAX_AVIF_PIXELS,
    MAX_FRAMES,
    MAX_GIF_PIXELS,
    MAX_JXL_PIXELS,
    MAX_SOURCE_PIXELS,
    MAX_WHOLE_PIXELS,
    RENDER_SECONDS,
)
from thumbs.image.outputs import JSON


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """The largest original that is decoded: its pixels and frames.

    `whole_pixels` applies to still pictures that must be held in memory whole. `frames` and `animation_pixels`, those
    of the canvas times the frames, apply to what is kept of an animation.
    """

    pixels: int = MAX_SOURCE_PIXELS
    whole_pixels: int = MAX_WHOLE_PIXELS
    frames: int = MAX_FRAMES
    animation_pixels: int = MAX_ANIMATION_PIXELS


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """The limits of a render. `seconds` is the time for it; the others are checked before decoding.

    `avif_pixels`, `gif_pixels` (all frames together) and `jxl_pixels` are caps for the outputs that cost the most to
    encode and whose encoders no deadline can stop. `truncated`: an original that is cut off is rendered, as far as it
    goes.
    """

    source: SourceLimits = field(default_factory=SourceLimits)
    output: OutputLimits = field(default_factory=OutputLimits)
    avif_pixels: int = MAX_AVIF_PIXELS
    gif_pixels: int = MAX_GIF_PIXELS
    seconds: float = RENDER_SECONDS
    truncated: bool = False
    jxl_pixels: int = MAX_JXL_PIXELS


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished thumbnail, or the document of a description.

    `encode_seconds` is the part of the time that the encoder took. `truncated`: the original is cut off, so that the
    thumbnail must not be kept.
    """

    body: bytes
    format: str
    encode_seconds: float
    truncated: bool = False


def picture_of(description: Description, file_bytes: int) -> Picture:
    """The document of an original whose file has `file_bytes` bytes, in place of a picture."""
    return Picture(description.document(file_bytes), JSON, 0.0, description.truncated)


def stored(data: bytes) -> Picture:
    """The bytes of an original as they are. Raises `SourceUnsupported` for what has the signature of no format."""
    name = sniff(data)
    if name is None:
        raise SourceUnsupported
    return Picture(data, name, 0.0)
