"""ICC profiles of originals: one that littlecms may read and that fits the picture is used, others count as absent."""

import pyvips

from thumbs.render.bombs.icc import is_safe
from thumbs.render.color.png import profile_chunk

PROFILE = "icc-profile-data"
_RGB, _GRAY, _CMYK = b"RGB ", b"GRAY", b"CMYK"


def usable_profile(data: bytes, name: str, image: pyvips.Image) -> bytes | None:
    """The profile of a file of the format `name`, opened as `image`, if it may be used.

    A profile of RGB also converts a gray picture. Profiles of other channels than those of the picture count as absent.
    """
    profile = image.get(PROFILE) if _has_profile(image) else None
    if profile is None and name == "png" and _is_gray(image):
        profile = profile_chunk(data)
    return profile if profile is not None and _fits(profile, image) and is_safe(profile) else None


def with_profile(image: pyvips.Image, data: bytes, name: str) -> pyvips.Image:
    """`image` as its profile, which must be usable, can convert it: gray becomes RGB for a profile of RGB."""
    if not _is_gray(image):
        return image
    profile = usable_profile(data, name, image)
    if profile is None or _space(profile) != _RGB:
        return image
    image = image.colourspace("rgb16" if image.format == "ushort" else "srgb").copy()
    image.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return image


def without_profile(image: pyvips.Image) -> pyvips.Image:
    """`image` without its profile. libvips prefers an embedded profile to the one that it is told to use."""
    if not _has_profile(image):
        return image
    image = image.copy()
    image.remove(PROFILE)
    return image


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
    return bool(image.get_typeof(PROFILE))
