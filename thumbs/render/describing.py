"""From a checked header to a description of the original: pixels are decoded only where the answer depends on them."""

from collections.abc import Sequence
from dataclasses import replace
from operator import mul

import pyvips

from thumbs.image.description import Description, Levels
from thumbs.image.geometry import Layout, plan
from thumbs.image.outputs import COLOR, THUMBHASH
from thumbs.image.placeholders import thumbhash
from thumbs.image.transforms import Fit, Transform
from thumbs.render import decode, trim
from thumbs.render.completeness.decoding import Attempt, decode_checked
from thumbs.render.header import Header
from thumbs.render.libvips import Deadline
from thumbs.render.values import RenderLimits

# What has been decoded for an answer: the layout after trimming, and the picture for the placeholders.
_Decoded = tuple[Layout, pyvips.Image | None]
# All of an original, and no more pixels than a ThumbHash takes.
_SMALL = Transform(width=thumbhash.MAX_SIDE, height=thumbhash.MAX_SIDE, fit=Fit.CONTAIN)
# Any output format that is animated: an animation is limited by the frames that a thumbnail would keep of it.
_ANIMATED = "webp"


def describe(
    data: bytes, header: Header, transform: Transform, *, limits: RenderLimits, deadline: Deadline
) -> Description:
    """The description of an original. `data` is normalized, `header` is its header, and `transform` has all defaults.

    Raises `SourceOverLimit`, `SizeOverLimit` and `BadFilter`, and `SourceBroken` and `RenderTimeout` where pixels are
    decoded.
    """
    frames = header.kept_frames(replace(transform, format=_ANIMATED))
    header.check(limits.source, frames=frames, trimmed=transform.trim is not None)
    layout = plan(header.size, transform)
    limits.output.check_layout(layout, frames=frames)
    small, truncated = None, False
    if transform.trim is not None or transform.data:

        def decode_once(attempt: Attempt) -> _Decoded:
            return _decoded(attempt.data, header.attempted(attempt), transform, deadline)

        checked = decode_checked(data, header.format, decode_once, render_truncated=limits.truncated)
        (layout, small), truncated = checked
        limits.output.check_layout(layout, frames=frames)
    described = Description(
        format=header.format,
        size=header.size,
        frames=1 if header.animation is None else header.frames,
        orientation=header.orientation,
        has_alpha=header.has_alpha,
        color_space=header.color_space,
        output=layout.output,
        truncated=truncated,
    )
    return described if small is None else _with_data(described, small, transform.data)


def _decoded(data: bytes, header: Header, transform: Transform, deadline: Deadline) -> _Decoded:
    layout = plan(header.size, transform)
    if transform.trim is not None:
        full = plan(header.size, Transform(crop=transform.crop))
        layout = trim.trimmed_layout(decode.scaled(data, header, full, deadline), header.size, transform)
    if not transform.data:
        return layout, None
    return layout, decode.scaled(data, header, plan(header.size, _SMALL), deadline)


def _with_data(described: Description, small: pyvips.Image, asked: Sequence[str]) -> Description:
    """`described` with the data that are `asked` for. `small` is the whole original, in sRGB or gray, in memory."""
    image = small.colourspace("srgb") if small.bands < 3 else small
    image = image if image.hasalpha() else image.addalpha()
    rgba = bytes(image.write_to_memory())
    return replace(
        described,
        thumbhash=thumbhash.encode(image.width, image.height, rgba) if THUMBHASH in asked else b"",
        color=_mean_color(rgba) if COLOR in asked else None,
    )


def _mean_color(rgba: bytes) -> Levels:
    """The mean of all pixels, each weighted by its alpha; black where none is visible."""
    *bands, alphas = (rgba[channel::4] for channel in range(4))
    opacity = sum(alphas) or 1
    red, green, blue = (round(sum(map(mul, band, alphas)) / opacity) for band in bands)
    return red, green, blue
