"""`python -m bench.quality PHOTO…` prints the tables of docs/quality.md: size and likeness by encoder effort, and the
loss by decoding at a reduced size. The reference is Pillow, which decodes the whole photo and resizes it with Lanczos.

This module alone needs `numpy` and `scikit-image` (for SSIM).
"""

import io
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

import pyvips
from PIL import Image

_LONG_SIDE = 1000
_ROUNDS = 3
_SHRINKS = {1: 4.2, 2: 4.2, 4: 8.4}  # libjpeg's
_LEFTOVERS = (1.25, 1.5, 2.1, 3.0)


class Encoder(NamedTuple):
    """An encoder whose `efforts` are compared. `options` are its others; `quality` is near Mage's default."""

    suffix: str
    quality: int
    efforts: range
    options: dict[str, Any]


_ENCODERS = {
    "WebP": Encoder(".webp", 77, range(7), {}),
    "AVIF": Encoder(".avif", 52, range(7), {"compression": "av1"}),
}
_JPEGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "optimize_coding": {"optimize_coding": True},
    "optimize_coding, progressive": {"optimize_coding": True, "interlace": True},
    "optimize_coding, no subsampling": {"optimize_coding": True, "subsample_mode": "off"},
    "trellis and scans of mozjpeg": {
        "optimize_coding": True,
        "interlace": True,
        "trellis_quant": True,
        "overshoot_deringing": True,
        "optimize_scans": True,
    },
}


class Measurement(NamedTuple):
    """Encoding time, size of the file in bytes, likeness to the original pixels."""

    seconds: float
    size: int
    ssim: float


def main(photos: list[Path]) -> None:
    pyvips.cache_set_max(0)
    pyvips.concurrency_set(1)
    pictures = [_scaled_down(photo) for photo in photos]
    print("| JPEG q80 | ms | KB | SSIM |\n| --- | ---: | ---: | ---: |")
    for name, options in _JPEGS.items():
        _row(name, [_encoded(picture, ".jpg", 80, options) for picture in pictures])
    for name, encoder in _ENCODERS.items():
        print(f"\n| {name} q{encoder.quality} | ms | KB | SSIM |\n| --- | ---: | ---: | ---: |")
        for effort in encoder.efforts:
            options = encoder.options | {"effort": effort}
            measurements = [_encoded(picture, encoder.suffix, encoder.quality, options) for picture in pictures]
            _row(f"effort {effort}", measurements)
    print("\n| decoded at | pixels left | PSNR, worst photo | SSIM, worst photo | ms |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    jpegs = [photo for photo in photos if photo.suffix == ".jpg"]
    for shrink in (1, 2, 4, 8):
        for leftover in _LEFTOVERS:
            found = [_shrunk(photo, shrink, leftover) for photo in jpegs]
            psnr, ssim, seconds = (min(column) for column in zip(*found, strict=True))
            print(f"| 1/{shrink} | {leftover:g} × | {psnr:.1f} dB | {ssim:.4f} | {seconds * 1000:.0f} |")


def _scaled_down(photo: Path) -> pyvips.Image:
    return pyvips.Image.thumbnail(str(photo), _LONG_SIDE, size="down", output_profile="srgb").copy_memory()


def _row(name: str, measurements: list[Measurement]) -> None:
    ms, size = fmean(one.seconds for one in measurements) * 1000, fmean(one.size for one in measurements) / 1000
    print(f"| {name} | {ms:.1f} | {size:.1f} | {fmean(one.ssim for one in measurements):.4f} |")


def _encoded(picture: pyvips.Image, suffix: str, quality: int, options: dict[str, Any]) -> Measurement:
    seconds, body = _timed(lambda: picture.write_to_buffer(suffix, Q=quality, keep="none", **options))
    return Measurement(seconds, len(body), _ssim(picture, pyvips.Image.new_from_buffer(body, "")))


def _shrunk(photo: Path, shrink: int, leftover: float) -> tuple[float, float, float]:
    data = photo.read_bytes()
    whole = Image.open(io.BytesIO(data)).convert("RGB")
    width, height = (round(side / (shrink * leftover)) for side in whole.size)

    def small() -> pyvips.Image:
        source = pyvips.Image.new_from_buffer(data, "", access="sequential", shrink=shrink)
        return source.thumbnail_image(width, height=height, size="force", no_rotate=True).copy_memory()

    seconds, image = _timed(small)
    wanted = pyvips.Image.new_from_array(whole.resize((width, height), Image.Resampling.LANCZOS))
    error = ((image.cast("float") - wanted.cast("float")) ** 2).avg()
    return 10 * float(pyvips.Image.new_from_array([[255**2 / error]]).log10().avg()), _ssim(wanted, image), seconds


def _timed(make: Callable[[], Any]) -> tuple[float, Any]:
    def once() -> Iterator[Any]:
        began = time.perf_counter()
        made = make()
        yield time.perf_counter() - began
        yield made

    rounds = [tuple(once()) for _ in range(_ROUNDS)]
    return median(seconds for seconds, _ in rounds), rounds[0][1]


def _ssim(one: pyvips.Image, other: pyvips.Image) -> float:
    from skimage.metrics import structural_similarity  # noqa: PLC0415 - needed here only

    gray = (image.colourspace("b-w").extract_band(0).numpy() for image in (one, other))
    return float(structural_similarity(*gray))


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
