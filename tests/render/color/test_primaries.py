"""Matrices between primaries, against numbers that are printed elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import strategies
from thumbs.render.color.primaries import BT709, BT2020, PRIMARIES, Primaries

assert strategies  # the length of property tests


def test_matrices_are_those_of_others() -> None:
    """ITU-R BT.2087-0, 2.1, and the columns of Display P3 as Apple's profile has them."""
    assert BT709.matrix_to(BT2020)[0] == pytest.approx((0.6274, 0.3293, 0.0433), abs=5e-4)
    assert BT709.matrix_to(BT2020)[2] == pytest.approx((0.0164, 0.0880, 0.8956), abs=5e-4)
    assert PRIMARIES[12].to_xyz()[0] == pytest.approx((0.51512, 0.29198, 0.15710), abs=5e-4)
    assert BT709.luminances() == pytest.approx((0.2126, 0.7152, 0.0722), abs=5e-4)


@pytest.mark.parametrize("number", PRIMARIES)
def test_white_stays_white(number: int) -> None:
    for row in PRIMARIES[number].matrix_to(BT709):
        assert sum(row) == pytest.approx(1)


@given(st.lists(st.integers(0, 120_000).map(lambda number: number / 100_000), min_size=8, max_size=8))
def test_primaries_are_refused_or_have_a_matrix(numbers: list[float]) -> None:
    red, green, blue, white = zip(numbers[::2], numbers[1::2], strict=True)
    primaries = Primaries(red, green, blue, white)
    if primaries.are_usable():
        assert len(primaries.matrix_to(BT709)) == 3
