"""The bounds of the readers of this room; docs/security.md explains each."""

# WebP. An animation has a chunk for each frame.
MAX_WEBP_CHUNKS = 100_000

# AVIF. libheif refuses more than 1000 items, 100 boxes in one, and 32 extents of one item.
MAX_AVIF_BOXES = 10_000  # at one level
MAX_AVIF_METAS = 2  # one is right; libheif reads the last one
MAX_AVIF_ITEMS = 1000
MAX_AVIF_EXTENTS = 10_000  # of all items together; properties and references of items count too
