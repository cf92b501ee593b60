"""What a file says of its colors by code points or numbers, without an ICC profile."""

from dataclasses import dataclass
from enum import Enum

from thumbs.render.color.primaries import BT709, Primaries

# The luminance of the brightest white of a picture that does not say it, and of diffuse white: ITU-R BT.2408, in cd/m².
DEFAULT_PEAK = 1000.0
REFERENCE_WHITE = 203.0


class Curve(Enum):
    """Transfer functions that are no power. PQ and HLG are for a high dynamic range."""

    SRGB = "srgb"
    ST240 = "st240"
    PQ = "pq"
    HLG = "hlg"


@dataclass(frozen=True, slots=True)
class Power:
    """The light of a value is `(gain * value) ** exponent`."""

    exponent: float
    gain: float = 1.0


Transfer = Curve | Power
HIGH_RANGE = (Curve.PQ, Curve.HLG)


@dataclass(frozen=True, slots=True)
class ColorSpace:
    """What the samples mean. `peak` is used for PQ and HLG only: the luminance of the brightest white, in cd/m²."""

    primaries: Primaries = BT709
    transfer: Transfer = Curve.SRGB
    peak: float = DEFAULT_PEAK

    @property
    def has_high_range(self) -> bool:
        return self.transfer in HIGH_RANGE


SRGB = ColorSpace()


@dataclass(frozen=True, slots=True)
class ColorDescription:
    """How to read the samples: by the ICC profile of the file, or in `space`. Neither: they are sRGB already."""

    profile: bool = False
    space: ColorSpace | None = None
