"""The command: `python -m bench.quality [options] PHOTO…` prints the tables of docs/quality.md, or writes them there.

Photographs are given by name; detail and drawings are drawn. It needs the extra `bench`.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

import pyvips

from bench.quality import defaults, icons, peers, scales, settings
from bench.quality.detail import DETAIL, DRAWINGS, as_jpeg
from bench.quality.document import put
from bench.quality.scores import from_pillow, reduced, whole
from thumbs.render import libvips

_SIDE = 500  # of the pictures that are encoded with various settings


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    libvips.start(["jpeg", "png", "webp", "avif"])
    photos = {photo.name: photo.read_bytes() for photo in options.photos}
    made = TABLES | ({"scales": partial(_scales, others=peers.makers(options.scratch))} if options.peers else {})
    tables = {name: make(photos) for name, make in made.items() if name in (options.only or TABLES)}
    for name, table in tables.items():
        print(f"{name}\n\n{table}\n")
    if options.write:
        put(options.write, tables)
    return 0


def _scales(photos: Mapping[str, bytes], *, others: Mapping[str, scales.Make] = MappingProxyType({})) -> str:
    """The table of scales; `others` are makers besides Mage and libvips."""
    jpegs = {name: data for name, data in photos.items() if data.startswith(b"\xff\xd8\xff")}
    return scales.table(jpegs | {name: as_jpeg(draw()) for name, draw in DETAIL.items()}, {**scales.MAKERS, **others})


def _settings(name: str) -> Callable[[Mapping[str, bytes]], str]:
    def make(photos: Mapping[str, bytes]) -> str:
        groups = {"photographs": [_small(data) for data in photos.values()]}
        groups |= {drawn: [_drawn(drawn)] for drawn in DRAWINGS}
        return settings.png_table(groups) if name == "PNG" else settings.table(name, groups)

    return make


def _small(data: bytes) -> pyvips.Image:
    size = whole(data).size
    ratio = _SIDE / max(size)
    return from_pillow(reduced(data, (round(size[0] * ratio), round(size[1] * ratio)), (0.0, 0.0, *size)))


def _drawn(name: str) -> pyvips.Image:
    large = from_pillow(DRAWINGS[name]())
    return large.thumbnail_image(_SIDE).copy_memory()


TABLES: dict[str, Callable[[Mapping[str, bytes]], str]] = {
    "scales": _scales,
    "defaults": defaults.table,
    "icons": lambda _: icons.table(),
    **{name: _settings(name) for name in (*settings.KINDS, "PNG")},
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--only", action="append", choices=TABLES, help="make only this table; may be repeated")
    parser.add_argument(
        "--peers", action="store_true", help="in the table of scales also thumbor's way with Pillow, and ipx, by npm"
    )
    default = Path(tempfile.gettempdir()) / f"mage-bench-{os.getuid()}"
    parser.add_argument("--scratch", type=Path, default=default, help=f"where ipx is installed ({default})")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into FILE, docs/quality.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
