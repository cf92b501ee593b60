"""Limits: each has one definition, and the documentation names the same default."""

import ast
import re
from pathlib import Path

import pytest

from thumbs.image import limits

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("image", "request", "render")
DEFAULTS = {
    "max_source_mb": limits.MAX_SOURCE_BYTES / 2**20,
    "max_source_megapixels": limits.MAX_SOURCE_PIXELS / 10**6,
    "max_whole_megapixels": limits.MAX_WHOLE_PIXELS / 10**6,
    "max_animation_megapixels": limits.MAX_ANIMATION_PIXELS / 10**6,
    "max_side": limits.MAX_SIDE,
    "max_output_pixels": limits.MAX_OUTPUT_PIXELS,
    "max_avif_pixels": limits.MAX_AVIF_PIXELS,
    "max_gif_pixels": limits.MAX_GIF_PIXELS,
    "max_jxl_pixels": limits.MAX_JXL_PIXELS,
    "max_frames": limits.MAX_FRAMES,
    "fetch_seconds": limits.FETCH_SECONDS,
    "render_seconds": limits.RENDER_SECONDS,
}


def numbers_in(path: Path) -> set[object]:
    return {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}


def test_no_other_module_spells_a_limit_out() -> None:
    # Smaller numbers mean other things too.
    large = {value for value in vars(limits).values() if isinstance(value, int) and value > limits.MAX_FRAMES}
    assert len(large) > 5
    modules = [path for room in ROOMS for path in (ROOT / "thumbs" / room).rglob("*.py") if path.stem != "limits"]
    assert modules
    assert [path.name for path in modules if numbers_in(path) & large] == []


def documented() -> dict[str, float]:
    """The defaults in the tables of docs/configuration.md; a row may hold several keys."""
    rows = re.findall(
        r"^\| (`[a-z_`, ]+) \| ([0-9, .]+) \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE
    )
    return {
        key.strip("`"): float(default)
        for keys, defaults in rows
        for key, default in zip(keys.split(", "), defaults.split(", "), strict=True)
    }


@pytest.mark.parametrize(("key", "default"), DEFAULTS.items())
def test_the_documentation_names_the_default(key: str, default: float) -> None:
    assert documented()[key] == default
