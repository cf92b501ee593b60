"""What the segments and filters of thumbor and imagor make, as the fields of a transform of our own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from thumbs.image.formats import FORMATS
from thumbs.image.limits import MAX_SIDE
from thumbs.image.transforms import (
    ALL_FRAMES,
    AUTO,
    MAX_SHARPEN_SIGMA,
    MAX_SIGMA,
    MIN_SIGMA,
    Attention,
    Compass,
    Crop,
    Fit,
    Gravity,
    Padding,
    Trim,
)
from thumbs.request.dialects.dialect import unsupported
from thumbs.request.dialects.thumbor_filters import Filters
from thumbs.request.dialects.turning import before

_COLUMNS = {"left": -1, "center": 0, "right": 1}
_ROWS = {"top": -1, "middle": 0, "bottom": 1}
_COMPASS = {
    (-1, -1): Compass.NORTHWEST,
    (0, -1): Compass.NORTH,
    (1, -1): Compass.NORTHEAST,
    (-1, 0): Compass.WEST,
    (0, 0): Compass.CENTER,
    (1, 0): Compass.EAST,
    (-1, 1): Compass.SOUTHWEST,
    (0, 1): Compass.SOUTH,
    (1, 1): Compass.SOUTHEAST,
}


@dataclass(frozen=True, slots=True)
class Geometry:
    """The segments before the filters. A side that follows from the other one is None."""

    width: int | None
    height: int | None
    keep: bool  # the side that is None is as long as the source's
    flop: bool
    flip: bool
    fit: bool
    full: bool
    adaptive: bool
    crop: tuple[float, float, float, float] | None
    trim: int | None
    gravity: Gravity
    padding: tuple[int, int, int, int]  # top, right, bottom, left

    @classmethod
    def of(cls, parts: Mapping[str, str | None], *, alone: bool) -> Self:
        """Of the groups of the pattern. `alone`: one direction stands for the beginning or end of either axis."""
        edges = [float(parts[name] or 0) for name in ("left", "top", "right", "bottom")]
        column, row = _COLUMNS[parts["halign"] or "center"], _ROWS[parts["valign"] or "middle"]
        if alone and 0 in (column, row):
            column = row = column + row
        gravity: Gravity = _COMPASS[column, row]
        pads = [int(parts.get(f"pad_{side}") or 0) for side in ("left", "top", "right", "bottom")]
        if not parts.get("pad_right"):
            pads[2:] = pads[:2]
        return cls(
            width=_side(parts["width"]),
            height=_side(parts["height"]),
            keep="orig" in (parts["width"], parts["height"]),
            flop=bool(parts["flop"]),
            flip=bool(parts["flip"]),
            fit=bool(parts["fit"]),
            full=bool(parts.get("full")),
            adaptive=bool(parts.get("adaptive")),
            crop=(edges[0], edges[1], edges[2], edges[3]) if parts["left"] is not None else None,
            trim=None if parts["trim"] is None else min(int(parts["tolerance"] or 0), 255),
            gravity=Attention.SMART if parts["smart"] else gravity,
            padding=(pads[1], pads[2], pads[3], pads[0]),
        )


def _side(text: str | None) -> int | None:
    return None if text in (None, "", "orig") else int(text or 0) or None


def fields_of(geometry: Geometry, filters: Filters, own: str | None, default: str | None) -> dict[str, Any]:
    """The fields of a transform. `own` is the format of the source by its name, `default` that of the dialect."""
    is_gif = own == "gif" and not filters.differences.imagor
    fields = {
        **_size(geometry, filters),
        **_cut(geometry, filters),
        **_turns(geometry, filters),
        **({} if is_gif else _effects(filters)),  # thumbor leaves the pixels of GIFs as they are
        **_file(filters, own, default),
    }
    return _part(fields, filters)


def _size(geometry: Geometry, filters: Filters) -> dict[str, Any]:
    width, height = geometry.width, geometry.height
    fields: dict[str, Any] = {"width": width, "height": height}
    has_both = width is not None and height is not None
    fields["upscale"] = filters.upscale if filters.upscale is not None else not geometry.fit
    if geometry.keep and (width or height) is not None:
        fields["keep"] = True
        fields["fit"] = Fit.CONTAIN if geometry.fit else Fit.STRETCH if filters.stretch else Fit.COVER
    elif not has_both:
        fields["upscale"] = fields["upscale"] and (width or height) is not None
    elif geometry.fit:
        fields["fit"] = Fit.OUTSIDE if geometry.full else Fit.CONTAIN
        fields["swap"] = geometry.adaptive
        if filters.fill is not None and not geometry.full and not geometry.adaptive:
            fields |= {"fit": Fit.FILL, "fill": filters.fill}
    elif filters.stretch:
        fields["fit"] = Fit.STRETCH
    if filters.fill is not None and any(geometry.padding):
        fields["padding"] = Padding(*(min(side, MAX_SIDE) for side in geometry.padding))
    if filters.padding is not None:
        fields["padding"] = Padding(*(min(side, MAX_SIDE) for side in filters.padding))
    if filters.background is not None:
        fields["background"] = filters.background
    if filters.orient in (90, 270):
        fields["width"], fields["height"] = height, width
    return fields


def _part(fields: dict[str, Any], filters: Filters) -> dict[str, Any]:
    """A part of the resized picture: that part of the source, to the same scale."""
    if filters.part is None:
        return fields
    covers = fields.get("fit", Fit.COVER) is not Fit.CONTAIN and None not in (fields["width"], fields["height"])
    if covers or "crop" in fields or "trim" in fields or filters.orient:
        unsupported("the filter crop beside another cut")
    left, top, width, height = filters.part
    edges = (left * 100, top * 100, (left + width) * 100, (top + height) * 100)
    sides = {
        name: None if fields[name] is None else max(1, round(fields[name] * share))
        for name, share in (("width", width), ("height", height))
    }
    return {**fields, **sides, "crop": Crop(*edges, percent=True)}


def _cut(geometry: Geometry, filters: Filters) -> dict[str, Any]:
    gravity = filters.focus or geometry.gravity
    if filters.orient:
        gravity = before(gravity, rotate=filters.orient, flip=False, flop=False)
    fields: dict[str, Any] = {"gravity": gravity}
    if geometry.crop is not None:
        left, top, right, bottom = geometry.crop
        in_shares = filters.differences.imagor and max(geometry.crop) <= 1 and max(right, bottom) > 0
        if left < right and top < bottom:
            if in_shares:
                edges = (left * 100, top * 100, min(right * 100, 100), min(bottom * 100, 100))
                fields["crop"] = Crop(*edges, percent=True)
            else:
                fields["crop"] = Crop(int(left), int(top), int(right), int(bottom), clamp=True)
    if geometry.trim is not None:
        fields["trim"] = Trim(geometry.trim if filters.differences.imagor else 0)
    return fields


def _turns(geometry: Geometry, filters: Filters) -> dict[str, Any]:
    """They mirror before they turn, and this server after."""
    flop, flip = geometry.flop, geometry.flip
    if filters.rotate in (90, 270):
        flop, flip = flip, flop
    if filters.orient and (filters.rotate or geometry.crop is not None):
        unsupported("orient beside rotate or a crop")
    return {"rotate": filters.rotate or filters.orient, "flop": flop, "flip": flip}


def _effects(filters: Filters) -> dict[str, Any]:
    fields: dict[str, Any] = {"grayscale": filters.grayscale, **filters.amounts}
    for name, sigma, most in (("blur", filters.blur, MAX_SIGMA), ("sharpen", filters.sharpen, MAX_SHARPEN_SIGMA)):
        if sigma >= MIN_SIGMA:
            fields[name] = min(sigma, most)
    return fields


def _file(filters: Filters, own: str | None, default: str | None) -> dict[str, Any]:
    moving = own is not None and own in filters.differences.moving and not filters.first_frame
    # In thumbor, an animation is a GIF whatever the URL says.
    asked = "gif" if moving and not filters.differences.imagor else filters.format
    output = asked or default
    frames = ALL_FRAMES if moving and (output in (None, AUTO) or FORMATS[output or "gif"].animated) else 1
    fields: dict[str, Any] = {"format": output, "frames": frames}
    fields["quality"] = filters.quality or None
    fields["max_bytes"] = filters.max_bytes or None
    return fields
