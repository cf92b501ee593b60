"""What the modifiers of ipx make, as the fields of a transform of our own."""

from typing import Any

from thumbs.image.limits import MAX_SIDE
from thumbs.image.transforms import (
    MAX_SHARPEN_SIGMA,
    MAX_SIGMA,
    MIN_SIGMA,
    Color,
    Crop,
    Fit,
    Padding,
    Upscale,
)
from thumbs.request.dialects.ipx_modifiers import Modifiers
from thumbs.request.dialects.turning import before

_BLACK = Color(0, 0, 0)
_FITS = {
    "cover": Fit.COVER,
    "contain": Fit.FILL,
    "fill": Fit.STRETCH,
    "inside": Fit.CONTAIN,
    "outside": Fit.OUTSIDE,
}


def fields_of(modifiers: Modifiers) -> dict[str, Any]:
    """The fields of a transform, without those of the file."""
    return {**_size(modifiers), **_turns(modifiers), **_effects(modifiers)}


def _size(modifiers: Modifiers) -> dict[str, Any]:
    # Its limit is the size of the whole source, also for a part of it.
    fields: dict[str, Any] = {"upscale": modifiers.enlarge or modifiers.extract is not None}
    sides: tuple[int | None, int | None] = (modifiers.width, modifiers.height)
    if modifiers.size is not None:
        sides = modifiers.size
        fields |= {"fit": _FITS[modifiers.fit], "gravity": modifiers.position}
        if not modifiers.enlarge and modifiers.extract is None:
            fields["upscale"] = Upscale.RATIO
        if modifiers.fit == "contain":
            fields["fill"] = modifiers.background or _BLACK
    if modifiers.rotate and not modifiers.turned_last:  # the size is that of the turned picture
        sides = sides[::-1] if modifiers.rotate in (90, 270) else sides
        fields["gravity"] = before(modifiers.position, rotate=modifiers.rotate, flip=False, flop=False)
    fields["width"], fields["height"] = sides
    if modifiers.extract is not None:
        left, top, width, height = modifiers.extract
        fields["crop"] = Crop(left, top, left + width, top + height)
    return fields


def _turns(modifiers: Modifiers) -> dict[str, Any]:
    return {"rotate": modifiers.rotate, "flip": modifiers.flip, "flop": modifiers.flop}


def _effects(modifiers: Modifiers) -> dict[str, Any]:
    fields: dict[str, Any] = {"grayscale": modifiers.grayscale}
    if any(modifiers.extend):
        fields["padding"] = Padding(*(min(side, MAX_SIDE) for side in modifiers.extend))
        fields["background"] = modifiers.background or _BLACK
    elif modifiers.flatten:
        fields["background"] = modifiers.background or _BLACK
    for name, sigma, most in (("blur", modifiers.blur, MAX_SIGMA), ("sharpen", modifiers.sharpen, MAX_SHARPEN_SIGMA)):
        if sigma >= MIN_SIGMA:
            fields[name] = min(sigma, most)
    return fields
