"""Reads in libvips' log that libjpeg had warnings: libvips fails for them only where more rows come after them.

It is the only module that reads a text of a library. The log says how many there were when a file is closed, in the
thread that closes it, and which one was the first; `jpeg` finds out what they were about.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator

# What libvips' JPEG loader logs (8.9 and later). It is not translated, as Python sets no locale for messages.
WARNED = "VIPS: read gave "
_logger = logging.getLogger("pyvips")
_local = threading.local()


class VipsLog:
    """Takes the place of pyvips' logger for what libvips logs. Errors go on to the logger "pyvips".

    libvips also logs a warning about every bad tile of a broken picture, which goes nowhere.
    """

    def log(self, level: int, message: str) -> None:
        if level >= logging.ERROR:
            _logger.log(level, message)
        elif level == logging.WARNING and message.startswith(WARNED) and hasattr(_local, "watched"):
            _local.watched.warned = True


class Watched:
    """`warned`: a JPEG with warnings was closed."""

    warned = False


@contextlib.contextmanager
def watched() -> Iterator[Watched]:
    """Watch the files that this thread closes."""
    _local.watched = watched = Watched()
    try:
        yield watched
    finally:
        del _local.watched
