"""libvips itself, in a process that has loaded nothing else: which loaders are left."""

import subprocess
import sys
from pathlib import Path

from tests.support import pictures
from tests.support.pictures import encoded
from thumbs.image.formats import FORMATS

_ONLY_OURS = """
import sys
import time
import pyvips
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.render import libvips
libvips.start(DEFAULT_INPUTS)
for path in sys.argv[1:]:
    try:
        pyvips.Image.new_from_file(path).avg()
    except pyvips.Error:
        print(path, "refused")
    else:
        print(path, "read")
"""


def test_libvips_itself_reads_nothing_but_the_inputs(tmp_path: Path) -> None:
    drawing = pictures.quarters(64, 64)
    for name in ("TIFF", "PPM", "JPEG", "PNG", "WEBP", "AVIF", "GIF"):
        (tmp_path / f"a.{name.lower()}").write_bytes(encoded(drawing, name))
    (tmp_path / "a.csv").write_text("1,2\n3,4\n")
    (tmp_path / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")
    (tmp_path / "a.mat").write_text("2 2\n1 2\n3 4\n")
    paths = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run([sys.executable, "-c", _ONLY_OURS, *paths], check=True, capture_output=True, text=True)
    read = {line.split()[0].rpartition(".")[2] for line in done.stdout.splitlines() if line.endswith(" read")}
    assert read == {"jpeg", "png", "webp", "avif", "gif"}
    assert len(done.stdout.splitlines()) == len(paths)


def test_every_format_that_can_be_an_input_without_a_package_is_a_loader_of_libvips() -> None:
    listing = (
        "import pyvips; [pyvips.type_find('VipsForeign', name) or exit(name) for name in __import__('sys').argv[1:]]"
    )
    names = ["heifload" if row.name == "avif" else f"{row.name}load" for row in FORMATS.values() if row.extra is None]
    subprocess.run([sys.executable, "-c", listing, *names], check=True)
