"""Gravities of a turned and mirrored picture, as those of the picture before."""

from thumbs.image.gravity import POINTS, Anchor, Attention, Compass, Focus, Gravity

_COMPASS = {point: compass for compass, point in POINTS.items()}
_Axis = tuple[float, float]  # a fraction, an offset


def before(gravity: Gravity, *, rotate: int, flip: bool, flop: bool) -> Gravity:
    """The gravity that means the same before a turn by `rotate` degrees clockwise, and a mirroring behind it."""
    if isinstance(gravity, Attention) or not (rotate or flip or flop):
        return gravity
    x, y = _axes(gravity)
    if flop:
        x = _mirrored(x)
    if flip:
        y = _mirrored(y)
    if rotate == 90:
        x, y = y, _mirrored(x)
    elif rotate == 180:
        x, y = _mirrored(x), _mirrored(y)
    elif rotate == 270:
        x, y = _mirrored(y), x
    return _gravity(gravity, x, y)


def anchored(compass: Compass, x: float = 0, y: float = 0) -> Compass | Anchor:
    """A direction with offsets; without them where both are 0."""
    return Anchor(compass, x, y) if x or y else compass


def _axes(gravity: Compass | Focus | Anchor) -> tuple[_Axis, _Axis]:
    if isinstance(gravity, Focus):
        return (gravity.x, 0), (gravity.y, 0)
    if isinstance(gravity, Anchor):
        point = POINTS[gravity.compass]
        return (point[0], gravity.x), (point[1], gravity.y)
    x, y = POINTS[gravity]
    return (x, 0), (y, 0)


def _mirrored(axis: _Axis) -> _Axis:
    """An offset from an edge leads inwards, from either; one from the center changes its direction."""
    fraction, offset = axis
    return 1 - fraction, -offset if fraction == 0.5 else offset


def _gravity(gravity: Compass | Focus | Anchor, x: _Axis, y: _Axis) -> Gravity:
    if isinstance(gravity, Focus):
        return Focus(x[0], y[0])
    return anchored(_COMPASS[x[0], y[0]], x[1], y[1])
