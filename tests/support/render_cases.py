"""Renders for a comparison of two processes: every format in and out, every filter, text in many scripts.

`python -m tests.support.render_cases` is the child. It reads a line of JSON with the formats and the layers, and locks
itself down. Then it answers each case, a line of JSON, with the hex digest of the thumbnail or the name of the error.
"""

import base64
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from tests.support.codecs import INPUTS, OPTIONAL_OUTPUTS
from thumbs.errors import ThumbError
from thumbs.image.encoding import Encoding
from thumbs.image.transforms import Transform
from thumbs.render.isolation import lockdown
from thumbs.request.filters import parse_filters

# fontconfig looks for changed directories at the first text after 30 s.
LATE_SECONDS = 32.0
# Each filter with arguments that change the picture. Those that are not for pixels are left out.
FILTER_ARGUMENTS = {
    "format": "png",
    "quality": "40",
    "fit": "fill,ffcc00",
    "crop": "10,20,90,78",
    "pcrop": "10,10,60,80",
    "gravity": "smart",
    "upscale": "yes",
    "linear": "yes",
    "dpr": "2",
    "trim": "10",
    "rotate": "90",
    "flip": "",
    "flop": "",
    "blur": "1.5",
    "sharpen": "",
    "grayscale": "",
    "brightness": "20",
    "contrast": "-20",
    "saturation": "50",
    "padding": "3,4,5,6",
    "background": "ffcc0080",
    "watermark": "mark,southeast,50,0.5",
    "frames": "all",
    "max_bytes": "900",
    "align": "northeast",
    "swap": "",
    "keep": "",
}
NOT_FOR_PIXELS = {"data", "version", "preset", "expires"}
MORE_FILTERS = ("gravity(entropy)", "gravity(0.2,0.8)", "trim(30,ffffff)", "fit(contain);background(transparent)")

SCRIPTS = {
    "latin": "Grüße, Łódź",
    "cyrillic": "Привет, мир",
    "greek": "Γειά σου",
    "hebrew": "שלום עולם",
    "arabic": "مرحبا بالعالم",
    "devanagari": "नमस्ते दुनिया",
    "thai": "สวัสดีชาวโลก",
    "chinese": "你好，世界",
    "korean": "안녕하세요",
    "emoji": "\U0001f600\U0001f680",
    "mathematics": "∑∫√≤𝔸",
}
FAMILIES = ("serif", "sans-serif", "monospace", "DejaVu Serif", "DejaVu Math TeX Gyre", "no such family")


@dataclass(frozen=True, slots=True)
class Case:
    """One thumbnail: an original in base64, and what to make of it. `way` is render, proxy, describe or late."""

    name: str
    data: str
    filters: str
    output: str
    way: str = "render"


def case(name: str, data: bytes, *, filters: str = "", output: str = "png", way: str = "render") -> Case:
    return Case(f"{name} {filters} {output} {way}", base64.b64encode(data).decode(), filters, output, way)


def drawing(text: str, family: str, face: str = "") -> bytes:
    style = f'font-family="{family}" font-size="16" text-anchor="middle" {face}'
    size = 'width="120" height="80"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><text x="60" y="40" {style}>{text}</text></svg>'.encode()


def texts() -> Iterator[Case]:
    """Text in every script and family, and faces that the warm-up has not drawn."""
    for script, text in SCRIPTS.items():
        # Where no font has a letter, pango's choice for "DejaVu Math TeX Gyre" varies between free processes.
        for family in FAMILIES if script != "emoji" else ("sans-serif",):
            yield case(f"{script} in {family}", drawing(text, family))
    yield case("condensed", drawing("abc", "DejaVu Sans Condensed", 'font-style="italic" font-stretch="condensed"'))
    yield case("light", drawing("abc", "DejaVu Sans", 'font-weight="200"'))


def transform_of(one: Case) -> Transform:
    fields = parse_filters(one.filters) if one.filters else {}
    base = Transform(width=72, height=48, format=one.output, quality=75)
    return replace(base, **fields)  # type: ignore[arg-type]


def answer_all(inputs: list[str], layers: lockdown.Layers, concurrency: int) -> None:
    """The child's part: lock down, then answer every line of standard input."""
    lockdown.lock_down(inputs, concurrency=concurrency, layers=layers, outputs=OPTIONAL_OUTPUTS)
    import pyvips  # noqa: PLC0415 - only in the child, after Landlock

    from thumbs.render.renderer import Renderer  # noqa: PLC0415
    from thumbs.render.values import RenderLimits  # noqa: PLC0415
    from thumbs.render.watermarks import Watermarks  # noqa: PLC0415

    class Drawn(Watermarks):
        def picture(self, _: str) -> pyvips.Image:
            return pyvips.Image.black(20, 20, bands=3).copy(interpretation="srgb").bandjoin(200).cast("uchar")

    watermarks = Drawn(str.encode, frozenset(inputs))
    renderer = Renderer(frozenset(inputs), concurrency, Encoding(keep_gain_map=True), watermarks)
    for line in sys.stdin.buffer:
        one = Case(**json.loads(line))
        data, transform = base64.b64decode(one.data), transform_of(one)
        if one.way == "late":
            time.sleep(LATE_SECONDS)
        try:
            if one.way == "proxy":
                packed = renderer.make_proxy(data, RenderLimits())
                made = renderer.render_proxy(packed, transform, RenderLimits()) if packed else None
                answer = "no proxy" if made is None else hashlib.sha256(packed + made.body).hexdigest()
            elif one.way == "describe":
                answer = renderer.describe(data, transform, RenderLimits()).document(len(data)).decode()
            else:
                answer = hashlib.sha256(renderer.render(data, transform, RenderLimits()).body).hexdigest()
        except ThumbError as error:
            answer = f"{type(error).__name__} {error.__cause__}"
        sys.stdout.write(json.dumps([one.name, answer]) + "\n")
        sys.stdout.flush()


def input_of(cases: list[Case], inputs: list[str], layers: lockdown.Layers, concurrency: int = 1) -> bytes:
    """What the child reads."""
    first = {"inputs": inputs, "layers": asdict(layers), "concurrency": concurrency}
    return b"".join(json.dumps(row).encode() + b"\n" for row in (first, *map(asdict, cases)))


ALL_INPUTS = list(INPUTS)

if __name__ == "__main__":
    start = json.loads(sys.stdin.buffer.readline())
    answer_all(start["inputs"], lockdown.Layers(**start["layers"]), start["concurrency"])
