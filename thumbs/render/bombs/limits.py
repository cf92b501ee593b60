"""The bound of every parser that reads an original before libvips does; docs/security.md explains each."""

# PNG. With chunks of 8 KiB, as libpng writes them, the largest original has 8192.
MAX_PNG_CHUNKS = 100_000
# Of an interlaced PNG that is cut off, what is missing is filled with zeros: inflated bytes of the whole picture.
MAX_PADDED_PNG_BYTES = 268_435_456

# JPEG. libjpeg takes 180 bytes for an empty application segment.
MAX_JPEG_SEGMENTS = 200_000
MAX_JPEG_SCANS = 1000
# Of a damaged JPEG, to see whether data is missing: symbols and blocks, those of about 1.5 MB, and restart intervals.
MAX_JPEG_STEPS = 2_000_000
MAX_JPEG_INTERVALS = 200_000


# TIFF, all directories together.
MAX_TIFF_DIRECTORIES = 10_000
MAX_TIFF_ENTRIES = 100_000
MAX_TIFF_DESCRIPTION_BYTES = 1_000_000

# SVG.
MAX_SVG_ELEMENTS = 100_000  # as drawn
MAX_SVG_ATTRIBUTES = 500_000
MAX_SVG_URLS = 50_000  # in CSS; escapes count too
MAX_SVG_ENTITY_CHARACTERS = 16_777_216  # after all references are replaced

# ICC profiles. 100 tags is the limit of littlecms.
MAX_ICC_BYTES = 4_194_304
MAX_ICC_TAGS = 100
MAX_ICC_ROWS = 1000  # tags, where those that no conversion reads are left out
MAX_ICC_ENTRIES = 4096  # of a curve, an array, or a table beside a grid
MAX_ICC_GRID_BYTES = 4_194_304
MAX_ICC_RECORDS = 1000  # translations of one text
# Tags may share their content. A profile of a press has six tables that usually share two or three contents.
MAX_ICC_TAG_BYTES = 16_777_216
