"""ICC profiles of originals: one that littlecms may read is used; any other counts as absent."""

import pyvips

from thumbs.render.bombs.icc import is_safe
from thumbs.render.libvips import VIPS_ERRORS

_PROFILE = "icc-profile-data"


def has_safe_profile(image: pyvips.Image) -> bool:
    return _has_profile(image) and is_safe(image.get(_PROFILE))


def without_profile(image: pyvips.Image) -> pyvips.Image:
    """`image` without its profile. libvips prefers an embedded profile to the one that it is told to use."""
    if not _has_profile(image):
        return image
    image = image.copy()
    image.remove(_PROFILE)
    return image


def needs_main_picture(data: bytes, name: str, image: pyvips.Image, *, safe: bool) -> bool:
    """Whether `thumbnail_buffer` could convert by a profile that is not let through, or decode a larger picture.

    `image` is the opened file of the format `name`, `safe` is what `has_safe_profile` says of it. `thumbnail_buffer`
    removes no profile, and may decode another picture of the file: the thumbnail of an AVIF, whose size is not limited,
    or a level of a TIFF pyramid, which may have a profile of its own.
    """
    cmyk = image.interpretation == "cmyk"
    if name == "avif":
        return _has_larger_thumbnail(data, image)
    if name == "tiff" and (safe or cmyk) and any(_count(image, field) > least for field, least in _TIFF_PICTURES):
        return True
    return (cmyk or name == "tiff") and _has_profile(image) and not safe


_TIFF_PICTURES = (("n-pages", 1), ("n-subifds", 0))


def _has_larger_thumbnail(data: bytes, main: pyvips.Image) -> bool:
    """Without a thumbnail, libvips opens the main picture again. It takes every profile from the main picture."""
    try:
        thumbnail = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error", thumbnail=True)
    except VIPS_ERRORS:
        return True
    return bool(thumbnail.width > main.width or thumbnail.height > main.height)


def _has_profile(image: pyvips.Image) -> bool:
    return bool(image.get_typeof(_PROFILE))


def _count(image: pyvips.Image, field: str) -> int:
    return int(image.get(field)) if image.get_typeof(field) else 0
