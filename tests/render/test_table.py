"""The table of codecs has the rows of the table of formats, and a saver for each format that thumbnails have."""

import ast
from pathlib import Path

from thumbs.image.formats import FORMATS
from thumbs.render.table import CODECS, SAVERS

RENDER = Path(__file__).resolve().parents[2] / "thumbs" / "render"


def test_every_format_has_one_row() -> None:
    assert list(CODECS) == list(FORMATS)


def test_what_is_written_has_a_saver_and_nothing_else() -> None:
    assert set(SAVERS) == {name for name, row in FORMATS.items() if row.output}
    assert {name: saver.suffix for name, saver in SAVERS.items()} == {
        name: f".{FORMATS[name].extensions[0]}" for name in SAVERS
    }


def test_no_other_module_chooses_by_the_name_of_a_format_how_a_file_is_decoded_or_written() -> None:
    for module in ("decode", "decoders", "encode", "codecs/savers"):
        tree = ast.parse((RENDER / f"{module}.py").read_text())
        compared = {
            each.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Compare)
            for each in ast.walk(node)
            if isinstance(each, ast.Constant)
        }
        assert compared & set(FORMATS) == set(), module
