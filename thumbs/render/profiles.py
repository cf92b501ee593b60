"""ICC profiles of originals: one that littlecms may read and that fits the picture is used, others count as absent."""

import pyvips

from thumbs.render.bombs.icc import is_safe
from thumbs.render.color.png import profile_chunk
from thumbs.render.libvips import VIPS_ERRORS

_PROFILE = "icc-profile-data"
_RGB, _GRAY, _CMYK = b"RGB ", b"GRAY", b"CMYK"


def usable_profile(data: bytes, name: str, image: pyvips.Image) -> bytes | None:
    """The profile of a file of the format `name`, opened as `image`, if it may be used.

    A profile of RGB also converts a gray picture. Profiles of other channels than those of the picture count as absent.
    """
    profile = image.get(_PROFILE) if _has_profile(image) else None
    if profile is None and name == "png" and _is_gray(image):
        profile = profile_chunk(data)
    return profile if profile is not None and _fits(profile, image) and is_safe(profile) else None


def needs_more_channels(image: pyvips.Image, profile: bytes | None) -> bool:
    """Whether `image` is gray, and its profile of RGB."""
    return profile is not None and _space(profile) == _RGB and _is_gray(image)


def with_profile(image: pyvips.Image, data: bytes, name: str) -> pyvips.Image:
    """`image` as its profile, which must be usable, can convert it: gray becomes RGB for a profile of RGB."""
    if not _is_gray(image):
        return image
    profile = usable_profile(data, name, image)
    if not needs_more_channels(image, profile):
        return image
    image = image.colourspace("rgb16" if image.format == "ushort" else "srgb").copy()
    image.set_type(pyvips.GValue.blob_type, _PROFILE, profile)
    return image


def without_profile(image: pyvips.Image) -> pyvips.Image:
    """`image` without its profile. libvips prefers an embedded profile to the one that it is told to use."""
    if not _has_profile(image):
        return image
    image = image.copy()
    image.remove(_PROFILE)
    return image


def needs_main_picture(data: bytes, name: str, image: pyvips.Image, profile: bytes | None) -> bool:
    """Whether `thumbnail_buffer` could convert by a profile that is not let through, or decode a larger picture.

    `image` is the opened file of the format `name`, `profile` is what `usable_profile` found. `thumbnail_buffer`
    removes no profile, and may decode another picture of the file: the thumbnail of an AVIF, whose size is not limited,
    or a level of a TIFF pyramid, which may have a profile of its own.
    """
    cmyk = image.interpretation == "cmyk"
    if name == "avif":
        return _has_larger_thumbnail(data, image)
    safe = profile is not None
    if name == "tiff" and (safe or cmyk) and any(_count(image, field) > least for field, least in _TIFF_PICTURES):
        return True
    if needs_more_channels(image, profile):
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


def _fits(profile: bytes, image: pyvips.Image) -> bool:
    """Whether the profile is of the channels of the picture, or of RGB for a gray one."""
    space = _space(profile)
    if image.interpretation == "cmyk":
        return space == _CMYK
    return space == _RGB or (space == _GRAY and _is_gray(image))


def _space(profile: bytes) -> bytes:
    """The color space of the samples (ICC.1:2022, 7.2.6)."""
    return profile[16:20]


def _is_gray(image: pyvips.Image) -> bool:
    return bool(image.bands < 3)


def _has_profile(image: pyvips.Image) -> bool:
    return bool(image.get_typeof(_PROFILE))


def _count(image: pyvips.Image, field: str) -> int:
    return int(image.get(field)) if image.get_typeof(field) else 0
