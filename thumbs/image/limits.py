"""The default of each limit: the configuration changes it, and the value classes start from it (SPEC 6)."""

MAX_SOURCE_BYTES = 64 * 1024 * 1024
MAX_SOURCE_PIXELS = 50_000_000
# For what must be in memory whole, all frames together.
MAX_WHOLE_PIXELS = 25_000_000
MAX_FRAMES = 1000

MAX_SIDE = 5120
MAX_OUTPUT_PIXELS = 26_214_400
MAX_AVIF_PIXELS = 4_000_000
# All frames together.
MAX_GIF_PIXELS = 8_000_000

FETCH_SECONDS = 30.0
RENDER_SECONDS = 15.0
