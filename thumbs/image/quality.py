"""Default qualities: a table for each format, because small thumbnails need less quality."""

from collections.abc import Mapping, Sequence

# Rows of (largest side in pixels, quality), smallest first; the last row has None and applies to larger sides.
QualityTable = tuple[tuple[int | None, int], ...]

# Every format has the same score of SSIMULACRA2 in each class of sizes (docs/quality.md).
DEFAULT_QUALITIES: dict[str, QualityTable] = {
    "jpeg": ((256, 76), (None, 78)),
    "webp": ((256, 77), (640, 82), (None, 86)),
    "avif": ((256, 60), (640, 65), (None, 67)),
    "jxl": ((256, 82), (None, 80)),
}


def quality_table(value: object) -> QualityTable:
    """The table of a configured value: `80`, or `[[256, 76], 80]` for 76 up to a side of 256 pixels and 80 above.

    Raises ValueError for anything else.
    """
    rows = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    table: list[tuple[int | None, int]] = []
    for row in rows[:-1]:
        if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != 2:
            raise ValueError("a quality, or rows of [largest side, quality] and a last quality")
        table.append((_whole(row[0], 1, 1_000_000), _whole(row[1], 1, 100)))
    table.append((None, _whole(rows[-1] if rows else None, 1, 100)))
    return tuple(table)


def quality_for(tables: Mapping[str, QualityTable], output: str, side: int | None) -> int | None:
    """The quality for a thumbnail whose larger requested side is `side` pixels; None for a format without a quality."""
    for limit, quality in tables.get(output, ()):
        if limit is None or (side is not None and side <= limit):
            return quality
    return None


def _whole(value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"whole numbers from {least} to {most}")
    return value
