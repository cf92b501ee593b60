"""libvips' loaders in a test process, where the first renderer decides which of them stay usable."""

import contextlib
from collections.abc import Iterator

import pyvips

from thumbs.image.formats import DEFAULT_INPUTS, FORMATS
from thumbs.render import libvips


@contextlib.contextmanager
def every_loader() -> Iterator[None]:
    """All formats can be read, also those that are not read by default."""
    libvips.start(DEFAULT_INPUTS)
    others = [row.loader for name, row in FORMATS.items() if name not in DEFAULT_INPUTS]
    for loader in others:
        pyvips.operation_block_set(loader, False)
    try:
        yield
    finally:
        for loader in others:
            pyvips.operation_block_set(loader, True)
