"""What the options of an imgproxy URL make, as a transform of our own.

imgproxy turns a picture before it cuts it to its size, and this server after. So the sides are exchanged for a quarter
turn, and gravities are turned back.
"""

import hashlib
import math
from typing import Any
from urllib.parse import unquote

from thumbs.image.formats import default_output, format_of_extension
from thumbs.image.limits import MAX_SIDE
from thumbs.image.transforms import (
    MAX_SHARPEN_SIGMA,
    MAX_SIGMA,
    MIN_SIGMA,
    NO_PADDING,
    ORIGINAL,
    Anchor,
    Attention,
    Compass,
    Fit,
    Gravity,
    Padding,
    SizedCrop,
    Upscale,
    Watermark,
)
from thumbs.request.dialects.dialect import Asked, Dialect, unsupported
from thumbs.request.dialects.imgproxy_values import Options
from thumbs.request.dialects.turning import before
from thumbs.request.scalars import TOKEN

_MAX_DPR = 4  # of our own filter


def asked(options: Options, source: str, dialect: Dialect) -> Asked:
    """The source and the transform. Raises `BadFilter` for what has no counterpart."""
    version = _version(options.cachebuster)
    expires = options.expires or None
    if options.raw or _is_skipped(options, source):
        return Asked(source, {"format": ORIGINAL, "version": version}, expires=expires)
    fields: dict[str, Any] = {
        **_sizes(options),
        **_crop(options),
        **_turns(options),
        **_effects(options, dialect),
        **_file(options, source, dialect),
        "version": version,
    }
    stem = options.filename or (_stem(source) if options.attachment else None)
    return Asked(source, fields, stem=stem, expires=expires, ignored=sorted(options.ignored))


def _is_skipped(options: Options, source: str) -> bool:
    own = format_of_extension(_path(source))
    return own in options.skipped and options.format in (None, own)


def _path(source: str) -> str:
    return source.partition("?")[0]


def _stem(source: str) -> str:
    return unquote(_path(source).rpartition("/")[2]).rpartition(".")[0] or "image"


def _version(cachebuster: str) -> str | None:
    if not cachebuster:
        return None
    return cachebuster if TOKEN.fullmatch(cachebuster) else hashlib.sha256(cachebuster.encode()).hexdigest()[:32]


def _dpr(options: Options) -> float:
    """Without a size and without enlargement there is nothing to make larger."""
    has_size = options.width or options.height or options.enlarge
    return options.dpr if has_size else min(options.dpr, 1)


def _sizes(options: Options) -> dict[str, Any]:
    width, height, dpr = _sides(options)
    if options.rotate in (90, 270):
        width, height = height, width
    fields: dict[str, Any] = {"width": width, "height": height, "dpr": dpr, "upscale": options.enlarge}
    smaller: bool | Upscale = True if options.enlarge else Upscale.RATIO
    if width is None or height is None:
        if options.resizing == "force" and (width or height):
            fields |= {"fit": Fit.STRETCH, "upscale": smaller, "keep": True}
        return fields
    if options.resizing == "fit":
        fields["fit"] = Fit.FILL if options.extend else Fit.CONTAIN
    elif options.resizing == "force":
        fields |= {"fit": Fit.STRETCH, "upscale": smaller}
    elif options.resizing == "auto":
        fields["fit"] = Fit.AUTO
    elif options.resizing == "fill-down" or options.dpr > 1:
        fields["upscale"] = smaller
    if fields.get("fit") is Fit.FILL:
        fields["align"] = _turned_back(options.align, options)
    elif options.extend and not options.enlarge:
        options.ignored.add("extend")  # it adds something only to a source that is smaller than the size
    return fields


def _sides(options: Options) -> tuple[int | None, int | None, float]:
    """Width and height before `dpr`, 0 as None, and `dpr` as our filter takes it."""
    sides: list[float] = [options.width, options.height]
    if options.zoom != (1, 1):
        if 0 in sides and options.zoom[0] != options.zoom[1]:
            unsupported("zoom with two factors and one side")
        if not any(sides):
            unsupported("zoom without a size")
        sides = [side * factor for side, factor in zip(sides, options.zoom, strict=True)]
    dpr = _dpr(options)
    if not 1 <= dpr <= _MAX_DPR or options.zoom != (1, 1):
        sides, dpr = [side * dpr for side in sides], 1
    width, height = (max(1, math.floor(side + 0.5)) if side else None for side in sides)
    return width, height, dpr


def _crop(options: Options) -> dict[str, Any]:
    gravity = _turned_back(options.gravity, options)
    fields: dict[str, Any] = {"gravity": gravity}
    if options.crop is not None and any(options.crop):
        within = options.gravity if options.crop_gravity is None else options.crop_gravity
        # The mirroring comes after the crop, and its gravity is not turned back by it.
        turned = before(within, rotate=options.rotate, flip=False, flop=False)
        if isinstance(turned, Attention):
            unsupported("crop with gravity sm")
        sides = [side if side < 1 else int(side) for side in options.crop]
        if options.rotate in (90, 270):
            sides.reverse()
        fields["crop"] = SizedCrop(sides[0], sides[1], turned)
    return fields


def _turned_back(gravity: Gravity, options: Options) -> Gravity:
    if options.dpr != 1 and not isinstance(gravity, Attention | Compass):
        gravity = _enlarged(gravity, _dpr(options))
    return before(gravity, rotate=options.rotate, flip=options.flip, flop=options.flop)


def _enlarged(gravity: Gravity, dpr: float) -> Gravity:
    """Offsets in pixels grow with `dpr`."""
    if not isinstance(gravity, Anchor):
        return gravity
    x, y = (each if abs(each) < 1 else round(each * dpr) for each in (gravity.x, gravity.y))
    return Anchor(gravity.compass, x, y)


def _turns(options: Options) -> dict[str, Any]:
    return {"rotate": options.rotate, "flip": options.flip, "flop": options.flop, "trim": options.trim}


def _effects(options: Options, dialect: Dialect) -> dict[str, Any]:
    dpr = _dpr(options)
    fields: dict[str, Any] = {"background": options.background}
    if any(options.padding):
        sides = [math.floor(side * dpr + 0.5) for side in options.padding]
        fields["padding"] = Padding(*(min(side, MAX_SIDE) for side in sides)) if any(sides) else NO_PADDING
    for name, sigma, most in (("blur", options.blur, MAX_SIGMA), ("sharpen", options.sharpen, MAX_SHARPEN_SIGMA)):
        if sigma >= MIN_SIGMA:
            fields[name] = min(sigma, most)
    mark = options.mark
    if mark is not None:
        if dialect.watermark is None:
            unsupported("watermark, for the dialect has none")
        offsets = (round(mark.x * dpr), round(mark.y * dpr))
        fields["watermark"] = Watermark(dialect.watermark, mark.gravity, mark.opacity, mark.scale, *offsets)
    return fields


def _file(options: Options, source: str, dialect: Dialect) -> dict[str, Any]:
    output = options.format or dialect.format
    quality = options.quality or options.qualities.get(output or default_output(_path(source)), 0)
    return {"format": output, "quality": quality or None, "max_bytes": options.max_bytes or None}
