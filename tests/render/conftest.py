"""libvips reads every format in these tests: the first renderer of a process decides, and tests run in any order."""

from thumbs.image.formats import FORMATS
from thumbs.render import libvips

libvips.start(FORMATS)
