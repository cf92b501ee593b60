"""The default of every limit on one picture, defined once: what is read, decoded, made, and how long that may take.

The configuration offers them under `limits` (docs/configuration.md).
"""

# The original.
MAX_SOURCE_BYTES = 67_108_864  # 64 MiB of file
MAX_SOURCE_PIXELS = 50_000_000
MAX_WHOLE_PIXELS = 25_000_000  # of a still picture that must be held in memory whole
MAX_ANIMATION_PIXELS = 200_000_000  # of the canvas, times the frames that are kept: they are decoded one by one
MAX_FRAMES = 1000  # that are kept of an animation
MAX_SOURCE_SIDE = 65_535  # pixels, the largest side of a JPEG; not configurable

# The thumbnail.
MAX_SIDE = 5120  # pixels
MAX_OUTPUT_PIXELS = 26_214_400  # all frames together: 5120 × 5120
# No deadline can stop the encoders of AVIF, GIF and JPEG XL, and they cost the most time or memory.
MAX_AVIF_PIXELS = 4_000_000
MAX_GIF_PIXELS = 8_000_000  # all frames together
MAX_JXL_PIXELS = 8_000_000

# The memory that one render may take, in a process of its own.
RENDER_MEMORY_BYTES = 629_145_600  # 600 MiB

# The time for each.
FETCH_SECONDS = 30.0
RENDER_SECONDS = 15.0
