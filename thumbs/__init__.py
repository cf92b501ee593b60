"""Thumbnails on the fly. The names below are what the Python code of a site imports; README lists the others."""

from importlib import import_module
from typing import TYPE_CHECKING

from thumbs.version import VERSION

if TYPE_CHECKING:
    from thumbs.errors import ThumbError
    from thumbs.site.links import UnknownStorage
    from thumbs.site.purging import NotPurged, cache_tag, purge
    from thumbs.toolkit.errors import NoThumbnail, WrongSpec
    from thumbs.toolkit.links import thumb_url
    from thumbs.toolkit.picture import Picture, picture
    from thumbs.toolkit.thumb import Thumb, thumb

__all__ = [
    "NoThumbnail",
    "NotPurged",
    "Picture",
    "Thumb",
    "ThumbError",
    "UnknownStorage",
    "WrongSpec",
    "__version__",
    "cache_tag",
    "picture",
    "purge",
    "thumb",
    "thumb_url",
]
__version__ = VERSION

# Imported at the first use: the wrappers import this package and need no Django.
_MODULES = {
    "NoThumbnail": "thumbs.toolkit.errors",
    "NotPurged": "thumbs.site.purging",
    "Picture": "thumbs.toolkit.picture",
    "Thumb": "thumbs.toolkit.thumb",
    "ThumbError": "thumbs.errors",
    "UnknownStorage": "thumbs.site.links",
    "WrongSpec": "thumbs.toolkit.errors",
    "cache_tag": "thumbs.site.purging",
    "picture": "thumbs.toolkit.picture",
    "purge": "thumbs.site.purging",
    "thumb": "thumbs.toolkit.thumb",
    "thumb_url": "thumbs.toolkit.links",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
