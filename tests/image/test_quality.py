"""Default qualities: small thumbnails take a lower one, and a table is read as it was written or refused."""

import pytest

from thumbs.image.quality import DEFAULT_QUALITIES, quality_for, quality_table


@pytest.mark.parametrize(
    ("value", "table"),
    [
        (80, ((None, 80),)),
        ([80], ((None, 80),)),
        ([[256, 76], 80], ((256, 76), (None, 80))),
        ([[100, 60], [256, 76], 80], ((100, 60), (256, 76), (None, 80))),
        (((256, 76), 80), ((256, 76), (None, 80))),
    ],
)
def test_a_table_is_a_quality_or_rows_and_a_last_quality(value: object, table: object) -> None:
    assert quality_table(value) == table


@pytest.mark.parametrize(
    "value",
    [
        *(0, 101, "80", 80.0, True, None, {}, [], [[256, 76]], [[256], 80], [[256, 76, 1], 80]),
        *([["256", 76], 80], [[0, 76], 80]),
        *([[256, 0], 80], [80, 80], ["ab", 80], [[256, 76], 101]),
    ],
)
def test_anything_else_is_no_table(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the check that shows the sentence is tested with the configuration
        quality_table(value)


@pytest.mark.parametrize(
    ("side", "quality"), [(1, 60), (100, 60), (101, 76), (256, 76), (257, 80), (5120, 80), (None, 80)]
)
def test_the_first_row_that_is_large_enough_decides(side: int | None, quality: int) -> None:
    assert quality_for({"jpeg": quality_table([[100, 60], [256, 76], 80])}, "jpeg", side) == quality


def test_a_format_without_a_table_has_no_quality() -> None:
    assert quality_for(DEFAULT_QUALITIES, "png", 100) is None


def test_small_thumbnails_of_all_lossy_formats_but_jpeg_xl_take_a_lower_quality() -> None:
    assert set(DEFAULT_QUALITIES) == {"jpeg", "webp", "avif", "jxl"}
    for name in ("jpeg", "webp", "avif"):  # JPEG XL loses more of its score at small sizes than these do
        small, large = (quality_for(DEFAULT_QUALITIES, name, side) for side in (100, 2000))
        assert small is not None
        assert large is not None
        assert 1 <= small < large <= 100
