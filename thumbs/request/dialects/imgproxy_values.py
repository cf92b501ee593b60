"""What the options of an imgproxy URL say together, and the names of its directions and formats."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thumbs.image.transforms import Color, Compass, Gravity, Trim

RESIZING = ("fit", "fill", "fill-down", "force", "auto")
FORMATS = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "webp": "webp", "avif": "avif", "gif": "gif"}
# It writes these, and this server does not.
OTHER_FORMATS = ("ico", "heic", "bmp", "tiff", "jxl", "svg")
COMPASS = {
    "ce": Compass.CENTER,
    "no": Compass.NORTH,
    "so": Compass.SOUTH,
    "ea": Compass.EAST,
    "we": Compass.WEST,
    "noea": Compass.NORTHEAST,
    "nowe": Compass.NORTHWEST,
    "soea": Compass.SOUTHEAST,
    "sowe": Compass.SOUTHWEST,
}


@dataclass(slots=True)
class Mark:
    """The watermark of a URL. Offsets are in pixels before `dpr`."""

    opacity: int
    gravity: Compass = Compass.CENTER
    x: int = 0
    y: int = 0
    scale: float = 0


@dataclass(slots=True)
class Options:
    """What the options of a URL say together. Sides of 0 follow from the other one."""

    resizing: str = "fit"
    width: int = 0
    height: int = 0
    zoom: tuple[float, float] = (1, 1)
    dpr: float = 1
    enlarge: bool = False
    extend: bool = False
    align: Gravity = Compass.CENTER
    gravity: Gravity = Compass.CENTER
    crop: tuple[float, float] | None = None
    crop_gravity: Gravity | None = None
    trim: Trim | None = None
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    rotate: int = 0
    flop: bool = False
    flip: bool = False
    background: Color | None = None
    blur: float = 0
    sharpen: float = 0
    mark: Mark | None = None
    quality: int = 0
    qualities: dict[str, int] = field(default_factory=dict)
    max_bytes: int = 0
    format: str | None = None
    skipped: tuple[str, ...] = ()
    raw: bool = False
    cachebuster: str = ""
    expires: int = 0
    filename: str = ""
    attachment: bool = False
    presets: int = 0  # so far
    ignored: set[str] = field(default_factory=set)


Arguments = Sequence[str]
Reader = Callable[[Options, Arguments], None]
