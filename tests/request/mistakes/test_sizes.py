"""The nearest size is one that is made: within the limits, or offered."""

from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.support import strategies
from thumbs.errors import SizeOverLimit
from thumbs.image.geometry import OutputLimits
from thumbs.image.transforms import Transform
from thumbs.request.mistakes.sizes import Sides, nearest_offered, over_limit, sides_of

_SIDES = st.tuples(st.none() | st.integers(1, 9000), st.none() | st.integers(1, 9000))
_DPRS = st.just(1.0) | strategies.decimals(1, 4)


@given(_SIDES, _DPRS, st.integers(10, 6000), st.integers(100, 10**7))
@example((3, 9000), 1.5, 6000, 100)
@example((9000, 9000), 1.3, 6000, 100_000)
def test_the_nearest_size_below_the_limits_is_not_over_them(sides: Sides, dpr: float, side: int, pixels: int) -> None:
    limits = OutputLimits(side=side, pixels=pixels)
    assume(is_over(Transform(*sides, dpr=dpr), limits))
    smaller = sides_of(over_limit(sides, dpr, limits)[1])
    assert smaller is not None
    assert [each is None for each in smaller] == [each is None for each in sides]
    assert not is_over(Transform(*smaller, dpr=dpr), limits)


def is_over(transform: Transform, limits: OutputLimits) -> bool:
    try:
        limits.check_target(transform)
    except SizeOverLimit:
        return True
    return False


@given(_SIDES, st.lists(_SIDES, max_size=6), _DPRS)
def test_the_nearest_size_that_is_offered_becomes_one_of_them(sides: Sides, several: list[Sides], dpr: float) -> None:
    offered = {f"{width or ''}x{height or ''}" for width, height in several}
    near = nearest_offered(sides, offered, dpr)
    if dpr == 1:
        assert bool(near) == bool(offered)
    if near:
        width, height = Transform(*(sides_of(near) or (None, None)), dpr=dpr).target
        assert f"{width or ''}x{height or ''}" in offered


def test_a_size_of_the_same_form_is_nearer_than_one_of_another() -> None:
    assert nearest_offered((400, None), ["401x300", "900x"], 1) == "900x"
    assert nearest_offered((400, None), ["401x300", "x400"], 1) == "401x300"
