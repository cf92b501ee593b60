"""The bounds of the readers of this room; docs/security.md explains each."""

# GIF.
MAX_GIF_FRAMES = 100_000
MAX_GIF_BLOCKS = 400_000  # extensions, frames, and runs of sub-blocks of one size
MAX_GIF_INTERLACED_PIXELS = 32_000_000  # of a frame that is higher than its canvas
