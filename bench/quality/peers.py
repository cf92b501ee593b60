"""JPEGs as thumbor and ipx resize them, for the table of scores by factor; a peer that cannot be used is left out."""

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from bench import install
from bench.processes import UnavailableError

Make = Callable[[bytes, int, int], bytes]
_QUALITY = 80
# As ipx calls sharp for `s_{width}x{height},f_jpeg,q_80`, but that nothing is cropped.
_SHARP = f"""\
import sharp from "sharp";
const [file, width, height] = process.argv.slice(2);
const made = sharp(file).resize(Number(width), Number(height), {{ fit: "fill" }});
process.stdout.write(await made.jpeg({{ quality: {_QUALITY}, progressive: false }}).toBuffer());
"""


def thumbor(data: bytes, width: int, height: int) -> bytes:
    """As the Pillow engine of thumbor 7 does it: libjpeg's smallest scale that is not below the size, then Lanczos."""
    image = Image.open(io.BytesIO(data))
    image.draft(None, (width, height))
    small = image.resize((width, height), Image.Resampling.LANCZOS)
    body = io.BytesIO()
    small.convert("RGB").save(body, "JPEG", quality=_QUALITY, optimize=True)
    return body.getvalue()


def ipx(home: Path) -> Make:
    """By sharp, which ipx renders with; `home` has both in `node_modules`."""
    script = home / "resize.mjs"  # beside node_modules, where node looks for imports
    script.write_text(_SHARP)

    def make(data: bytes, width: int, height: int) -> bytes:
        with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
            file.write(data)
            file.flush()
            command = ["node", str(script), file.name, str(width), str(height)]
            return subprocess.run(command, capture_output=True, check=True).stdout

    return make


def makers(scratch: Path) -> dict[str, Make]:
    """The peers by name; ipx is installed into `scratch` once. What is left out is printed to stderr."""
    return dict(_makers(scratch))


def _makers(scratch: Path) -> Iterator[tuple[str, Make]]:
    yield "thumbor", thumbor
    try:
        if shutil.which("node") is None:
            raise UnavailableError("it needs node and npm")
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield "ipx", ipx(install.ipx(scratch))
    except UnavailableError as error:
        print(f"left out: ipx: {error}", file=sys.stderr)
