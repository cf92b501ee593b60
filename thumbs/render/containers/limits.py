"""The bounds of the readers of this room; docs/security.md explains each."""

# WebP. An animation has a chunk for each frame.
MAX_WEBP_CHUNKS = 100_000

# JPEG. A profile has at most 255 segments.
MAX_JPEG_HEADER_SEGMENTS = 1000
MAX_JPEG_PICTURES = 8  # in one file, of which one may be a gain map
MAX_JPEG_GAIN_MAP_BYTES = 16_384  # of its description

# AVIF. libheif refuses more than 1000 items, 100 boxes in one, and 32 extents of one item.
MAX_AVIF_BOXES = 10_000  # at one level
MAX_AVIF_METAS = 2  # one is right; libheif reads the last one
MAX_AVIF_ITEMS = 1000
MAX_AVIF_EXTENTS = 10_000  # of all items together; properties and references of items count too

# GIF.
MAX_GIF_FRAMES = 100_000
MAX_GIF_BLOCKS = 400_000  # extensions, frames, and runs of sub-blocks of one size
MAX_GIF_INTERLACED_PIXELS = 32_000_000  # of a frame that is higher than its canvas
MAX_GIF_WRITTEN_PIXELS = 8_388_608  # of a frame whose codes libvips does not read

# JPEG XL. Level 10 of the format allows 256 further channels, each with a name of at most 1071 bytes.
MAX_JXL_CHANNELS = 256
MAX_JXL_HEADER_BYTES = 65_536
