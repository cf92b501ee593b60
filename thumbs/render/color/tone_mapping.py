"""From a high dynamic range to that of sRGB, as browsers do it: SMPTE ST 2094-50, annex D.

The reference white tone mapping operator halves light up to diffuse white, and bends what is brighter below white.
The gain depends on the largest of red, green and blue of BT.2020, and is the same for all three: hues stay.
"""

import itertools
import math

import pyvips

from thumbs.render.color.values import DEFAULT_PEAK, REFERENCE_WHITE

_POINTS = 8
_KAPPA = 0.65  # how near the middle point of the curve is to the corner
_DEFAULT_HEADROOM = math.log2(DEFAULT_PEAK / REFERENCE_WHITE)


def gains(largest: pyvips.Image, peak: float) -> pyvips.Image:
    """What to multiply light by; `largest` is the largest of its channels, 1 is diffuse white, `peak` is in cd/m²."""
    points = _curve(math.log2(max(peak / REFERENCE_WHITE, 1.0)))
    x, y, _ = points[0]
    gain = largest * 0 + y
    for (x, y, slope), (next_x, next_y, next_slope) in itertools.pairwise(points):
        width = next_x - x
        start, end = slope * width, next_slope * width
        third, second = 2 * y + start - 2 * next_y + end, 3 * next_y - 3 * y - 2 * start - end
        at = (largest - x) / width
        cubic = ((at * third + second) * at + start) * at + y
        gain = (largest > x).ifthenelse(cubic, gain)
    x, y, _ = points[-1]
    gain = (largest > x).ifthenelse(math.log2(x) + y - largest.log() / math.log(2), gain)
    return (gain * math.log(2)).exp()


def _curve(headroom: float) -> list[tuple[float, float, float]]:
    """Points of a cubic: light, the logarithm to base 2 of its gain, and the slope there (formulas D.2 to D.5)."""
    if headroom == 0:
        return [(1.0, 0.0, 0.0)]
    white = 1 - 0.5 * min(headroom / _DEFAULT_HEADROOM, 1)
    x_middle, y_middle = 1 - _KAPPA + _KAPPA / white, (1 - _KAPPA) * white + _KAPPA
    x_a, y_a = 1 - 2 * x_middle + 2**headroom, white - 2 * y_middle + 1
    x_b, y_b = 2 * x_middle - 2, 2 * y_middle - 2 * white
    points = []
    for number in range(_POINTS):
        t = number / (_POINTS - 1)
        x, y = 1 + t * (x_b + t * x_a), white + t * (y_b + t * y_a)
        slope = (2 * y_a * t + y_b) / (2 * x_a * t + x_b)
        points.append((x, math.log2(y / x), (x * slope - y) / (math.log(2) * x * y)))
    return points
