"""The formats that this environment reads and writes: those of libvips, and those of the extras that are installed."""

from thumbs import extras
from thumbs.image.formats import FORMATS

INPUTS = tuple(name for name, row in FORMATS.items() if row.extra is None or extras.is_installed(row.extra))
OUTPUTS = tuple(name for name in INPUTS if FORMATS[name].output)
# Those of the extras.
OPTIONAL_OUTPUTS = tuple(name for name in OUTPUTS if FORMATS[name].extra is not None)
