"""Thumbnails on the fly. The names below are what the Python code of a site imports; README lists the others."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thumbs.errors import ThumbError
    from thumbs.site.links import UnknownStorage, thumb_url
    from thumbs.site.purging import NotPurged, purge

__all__ = ["NotPurged", "ThumbError", "UnknownStorage", "__version__", "purge", "thumb_url"]
__version__ = "0.1.0"

# Imported at the first use: the wrappers import this package and need no Django.
_MODULES = {
    "NotPurged": "thumbs.site.purging",
    "ThumbError": "thumbs.errors",
    "UnknownStorage": "thumbs.site.links",
    "purge": "thumbs.site.purging",
    "thumb_url": "thumbs.site.links",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
