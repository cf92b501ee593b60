"""ICC profiles of originals: one that littlecms may read is used; any other counts as absent."""

import pyvips

from thumbs.render.bombs.icc import is_safe

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


def _has_profile(image: pyvips.Image) -> bool:
    return bool(image.get_typeof(_PROFILE))
