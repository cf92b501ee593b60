"""Thumbnails on the fly: `thumbs.purge(storage, path)` is what a site calls; everything else is in the modules."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thumbs.site.purging import purge

__all__ = ["__version__", "purge"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # Not before it is asked for: the fronts import this package, and need no Django.
    if name == "purge":
        from thumbs.site.purging import purge  # noqa: PLC0415

        return purge
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
