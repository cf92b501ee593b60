"""Chromaticities of red, green, blue and white, and the matrices between them."""

from dataclasses import dataclass

Point = tuple[float, float]
Row = tuple[float, float, float]
Matrix = tuple[Row, Row, Row]

# ICC.1:2022, 7.2.16 and annex E: the white of the connection space, and the linearized Bradford transform.
_D50: Row = (0.9642, 1.0, 0.8249)
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
# That of all primaries in use is above 0.1. What is left of 0 by rounding depends on the version of Python.
_LEAST_DETERMINANT = 1e-9
_D65: Point = (0.3127, 0.3290)
_C: Point = (0.310, 0.316)


@dataclass(frozen=True, slots=True)
class Primaries:
    """Chromaticities x, y of each color."""

    red: Point
    green: Point
    blue: Point
    white: Point = _D65

    def are_usable(self) -> bool:
        """Whether all are from 0 to 1, and linear light of them has one meaning: three that lie on a line have not."""
        points = (self.red, self.green, self.blue, self.white)
        if not all(0 <= value <= 1 for point in points for value in point):
            return False
        try:
            _inverse(self.to_xyz())
        except ZeroDivisionError:
            return False
        return True

    def luminances(self) -> Row:
        """The shares of red, green and blue in the luminance of white."""
        red, green, blue = self._gains()
        return self.red[1] * red, self.green[1] * green, self.blue[1] * blue

    def to_xyz(self) -> Matrix:
        """From linear light to XYZ with the white D50: SMPTE RP 177, then the adaptation of ICC.1:2022, annex E."""
        there, here = _times(_BRADFORD, _white(self.white)), _times(_BRADFORD, _D50)
        adaptation = _diagonal((here[0] / there[0], here[1] / there[1], here[2] / there[2]))
        adapted = _product(_inverse(_BRADFORD), _product(adaptation, _BRADFORD))
        return _product(adapted, _product(self._columns(), _diagonal(self._gains())))

    def matrix_to(self, other: "Primaries") -> Matrix:
        """From linear light of these primaries to that of `other`. White stays white."""
        return _product(_inverse(other.to_xyz()), self.to_xyz())

    def _columns(self) -> Matrix:
        red, green, blue = ((x, y, 1 - x - y) for x, y in (self.red, self.green, self.blue))
        return _transposed((red, green, blue))

    def _gains(self) -> Row:
        return _times(_inverse(self._columns()), _white(self.white))


BT709 = Primaries((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
BT2020 = Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_BT601_525 = Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
# By the code points of ITU-T H.273, table 2.
PRIMARIES: dict[int, Primaries] = {
    1: BT709,
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: _BT601_525,
    7: _BT601_525,
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: BT2020,
    10: Primaries((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1 / 3, 1 / 3)),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}


def _white(point: Point) -> Row:
    """XYZ of a chromaticity at luminance 1."""
    x, y = point
    return x / y, 1.0, (1 - x - y) / y


def _times(matrix: Matrix, vector: Row) -> Row:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def _product(one: Matrix, other: Matrix) -> Matrix:
    first, second, third = (_times(one, column) for column in _transposed(other))
    return _transposed((first, second, third))


def _transposed(matrix: Matrix) -> Matrix:
    first, second, third = zip(*matrix, strict=True)
    return first, second, third


def _diagonal(values: Row) -> Matrix:
    return (values[0], 0.0, 0.0), (0.0, values[1], 0.0), (0.0, 0.0, values[2])


def _inverse(matrix: Matrix) -> Matrix:
    """Raises `ZeroDivisionError` for a matrix without one."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    adjugate: Matrix = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    determinant = a * adjugate[0][0] + b * adjugate[1][0] + c * adjugate[2][0]
    if abs(determinant) < _LEAST_DETERMINANT:
        raise ZeroDivisionError
    first, second, third = ((x / determinant, y / determinant, z / determinant) for x, y, z in adjugate)
    return first, second, third
