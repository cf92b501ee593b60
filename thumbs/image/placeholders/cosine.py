"""The cosine of FDLIBM, to the last bit, so that a placeholder depends on the picture and on no C library.

The method and the constants are those of `k_cos.c`, `k_sin.c` and `e_rem_pio2.c` (Sun Microsystems, 1993), which
JavaScript engines use. C libraries differ from it in the last bit of one value in thirty.
"""

import struct

_COS = (
    4.16666666666666019037e-02,
    -1.38888888888741095749e-03,
    2.48015872894767294178e-05,
    -2.75573143513906633035e-07,
    2.08757232129817482790e-09,
    -1.13596475577881948265e-11,
)
_SIN = (
    -1.66666666666666324348e-01,
    8.33333333332248946124e-03,
    -1.98412698298579493134e-04,
    2.75573137070700676789e-06,
    -2.50507602534068634195e-08,
    1.58969099521155010221e-10,
)
_TWO_BY_PI = 6.36619772367581382433e-01
# Pi/2 in pieces of 33 bits, each with the rest that it leaves.
_PIECES = (
    (1.57079632673412561417e00, 6.07710050650619224932e-11),
    (6.07710050630396597660e-11, 2.02226624879595063154e-21),
    (2.02226624871116645580e-21, 8.47842766036889956997e-32),
)
# A quotient by pi/2 loses so many bits by cancellation before the next piece is needed.
_CANCELED = (16, 49)
_QUARTER_OF_PI = 0x3FE921FB  # the upper half of the bits
_PLAIN, _UPPER = 0x3FD33333, 0x3FE90000


def cosine(x: float) -> float:
    """The cosine of `x` radians, 0 to 1,000."""
    if _upper_bits(x) <= _QUARTER_OF_PI:
        return _kernel_cosine(x, 0.0)
    quadrant, y, rest = _reduced(x)
    if quadrant & 1:
        value = _kernel_sine(y, rest)
        return value if quadrant & 2 else -value
    value = _kernel_cosine(y, rest)
    return -value if quadrant & 2 else value


def _upper_bits(x: float) -> int:
    bits: int = struct.unpack(">I", struct.pack(">d", x)[:4])[0]
    return bits


def _exponent(x: float) -> int:
    return _upper_bits(x) >> 20 & 0x7FF


def _kernel_cosine(x: float, rest: float) -> float:
    """The cosine of `x + rest`, between -pi/4 and pi/4."""
    bits = _upper_bits(x) & 0x7FFFFFFF
    z = x * x
    c1, c2, c3, c4, c5, c6 = _COS
    r = z * (c1 + z * (c2 + z * (c3 + z * (c4 + z * (c5 + z * c6)))))
    if bits < _PLAIN:
        return 1.0 - (0.5 * z - (z * r - x * rest))
    quarter = 0.28125 if bits > _UPPER else struct.unpack(">d", struct.pack(">II", bits - 0x00200000, 0))[0]
    half: float = 0.5 * z - quarter
    whole: float = 1.0 - quarter
    return whole - (half - (z * r - x * rest))


def _kernel_sine(x: float, rest: float) -> float:
    """The sine of `x + rest`, between -pi/4 and pi/4."""
    z = x * x
    v = z * x
    s1, s2, s3, s4, s5, s6 = _SIN
    r = s2 + z * (s3 + z * (s4 + z * (s5 + z * s6)))
    return x - ((z * (0.5 * rest - v * r) - rest) - v * s1)


def _reduced(x: float) -> tuple[int, float, float]:
    """The quadrant of `x`, and what is left of it: a number between -pi/4 and pi/4 and its rest."""
    quadrant = int(x * _TWO_BY_PI + 0.5)
    remainder = x - quadrant * _PIECES[0][0]
    taken = quadrant * _PIECES[0][1]
    y = remainder - taken
    for bits, (piece, left) in zip(_CANCELED, _PIECES[1:], strict=True):
        if _exponent(x) - _exponent(y) <= bits:
            break
        before = remainder
        taken = quadrant * piece
        remainder = before - taken
        taken = quadrant * left - ((before - remainder) - taken)
        y = remainder - taken
    return quadrant, y, (remainder - y) - taken
