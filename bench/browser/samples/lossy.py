"""JPEG, WebP and AVIF: subsampling, scans, profiles, alpha, orientation, ranges and depths."""

import io
import struct
from collections.abc import Iterator

import pyvips
from PIL import Image

from bench.browser.samples import profiles
from bench.browser.samples.drawing import SIZE, colors, cut_out, muted, transparent

Sample = tuple[str, bytes]
_PROFILES = {"none": None, **profiles.RGB, **{f"broken-{name}": data for name, data in profiles.BROKEN.items()}}
_SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
# Primaries and transfer (ITU-T H.273) of AVIF files.
_SIGNALS = (
    *((1, 13), (1, 1), (1, 4), (1, 5), (1, 6), (1, 7), (1, 8), (2, 2), (2, 13), (1, 2), (4, 4), (5, 6), (6, 6), (7, 7)),
    *((9, 1), (9, 8), (9, 13), (9, 14), (9, 16), (9, 18), (11, 17), (12, 13), (12, 1), (12, 16), (12, 18), (22, 13)),
    *((1, 16), (1, 18), (0, 13), (200, 13), (1, 200)),
)


def jpeg() -> Iterator[Sample]:
    """Names and contents."""
    rgb, gray, cmyk = colors(), colors().convert("L"), colors().convert("CMYK")
    for subsampling in _SUBSAMPLINGS:
        for progressive in (False, True):
            scans = "progressive" if progressive else "baseline"
            yield (
                f"jpeg/{subsampling.replace(':', '')}-{scans}.jpg",
                _file(rgb, "JPEG", subsampling=subsampling, progressive=progressive),
            )
    yield "jpeg/gray.jpg", _file(gray, "JPEG")
    yield "jpeg/gray-progressive.jpg", _file(gray, "JPEG", progressive=True)
    yield "jpeg/rgb-kept.jpg", _file(rgb, "JPEG", keep_rgb=True)
    yield "jpeg/restarts.jpg", _file(rgb, "JPEG", restart_marker_blocks=3)
    yield "jpeg/cmyk.jpg", _file(cmyk, "JPEG")
    for name, profile in _PROFILES.items():
        yield f"jpeg/icc-{name}.jpg", _file(rgb, "JPEG", subsampling="4:4:4", icc_profile=profile)
        yield f"jpeg/gray-icc-{name}.jpg", _file(gray, "JPEG", icc_profile=profile)
    for name, profile in profiles.GRAY.items():
        yield f"jpeg/gray-icc-gray-{name}.jpg", _file(gray, "JPEG", icc_profile=profile)
        yield f"jpeg/rgb-icc-gray-{name}.jpg", _file(rgb, "JPEG", icc_profile=profile)
    yield "jpeg/cmyk-icc-rgb.jpg", _file(cmyk, "JPEG", icc_profile=profiles.RGB["p3"])
    for size in ((1, 1), (7, 5), (8, 8), (9, 17), (16, 16), (33, 31), (300, 1), (1, 300)):
        yield f"jpeg/size-{size[0]}x{size[1]}.jpg", _file(colors(size), "JPEG", subsampling="4:2:0")


def orientations() -> Iterator[Sample]:
    """Every orientation of EXIF, and values that are none, in each format."""
    for value in (*range(10), 65535):
        exif = Image.Exif()
        exif[0x0112] = value
        yield f"orientation/{value}.jpg", _file(colors(), "JPEG", exif=exif)
        yield f"orientation/{value}.png", _file(transparent(), "PNG", exif=exif)
        yield f"orientation/{value}.webp", _file(transparent(), "WEBP", lossless=True, exif=exif)
        yield f"orientation/{value}.avif", _file(cut_out(), "AVIF", quality=95, subsampling="4:4:4", exif=exif)


def webp() -> Iterator[Sample]:
    """Names and contents."""
    for lossless in (False, True):
        name = "lossless" if lossless else "lossy"
        yield f"webp/{name}.webp", _file(colors(), "WEBP", lossless=lossless, quality=95)
        yield f"webp/{name}-alpha.webp", _file(transparent(), "WEBP", lossless=lossless, quality=95)
    for name, profile in _PROFILES.items():
        yield f"webp/icc-{name}.webp", _file(colors(), "WEBP", lossless=True, icc_profile=profile)
        yield f"webp/alpha-icc-{name}.webp", _file(transparent(), "WEBP", lossless=True, icc_profile=profile)
    yield "webp/icc-gray.webp", _file(colors(), "WEBP", lossless=True, icc_profile=profiles.GRAY["gamma18"])


def avif() -> Iterator[Sample]:
    """Names and contents."""
    for range_name in ("full", "limited"):
        for subsampling in (*_SUBSAMPLINGS, "4:0:0"):
            options = {"quality": 95, "subsampling": subsampling, "range": range_name}
            name = f"avif/{range_name}-{subsampling.replace(':', '')}"
            yield f"{name}.avif", _file(muted(), "AVIF", **options)
            yield f"{name}-saturated.avif", _file(colors(), "AVIF", **options)
            yield f"{name}-alpha.avif", _file(cut_out(), "AVIF", **options)
            yield f"{name}-soft-alpha.avif", _file(transparent(), "AVIF", **options)
            yield f"{name}-premultiplied.avif", _file(cut_out(), "AVIF", **options, alpha_premultiplied=True)
            yield f"{name}-icc-p3.avif", _file(muted(), "AVIF", **options, icc_profile=profiles.RGB["p3"])
    for name, profile in _PROFILES.items():
        yield f"avif/icc-{name}.avif", _file(muted(), "AVIF", quality=95, subsampling="4:4:4", icc_profile=profile)
    yield from _signaled()
    yield from _deep()


def _signaled() -> Iterator[Sample]:
    for range_name in ("full", "limited"):
        for subsampling in ("4:4:4", "4:2:0"):
            data = _file(muted(), "AVIF", quality=95, subsampling=subsampling, range=range_name)
            for primaries, transfer in _SIGNALS:
                name = f"avif-{range_name}-{subsampling.replace(':', '')}/nclx-{primaries}-{transfer}.avif"
                yield name, _with_signal(data, primaries, transfer)
    data = _file(colors(), "AVIF", quality=95, subsampling="4:4:4", range="full")
    for matrix in (1, 2, 5, 6, 7, 9, 12, 99):
        yield f"avif-matrix/{matrix}.avif", _with_signal(data, 1, 13, matrix)


def _with_signal(data: bytes, primaries: int, transfer: int, matrix: int | None = None) -> bytes:
    """The file with other numbers in its `nclx`; the range stays."""
    at = data.index(b"colrnclx") + 8
    old = struct.unpack_from(">HHH", data, at)
    numbers = struct.pack(">HHH", primaries, transfer, old[2] if matrix is None else matrix)
    return data[:at] + numbers + data[at + 6 :]


def _deep() -> Iterator[Sample]:
    """10 and 12 bits, by libvips: without `nclx`, so only the AV1 data describes the colors."""
    for name, drawn in (("rgb", muted()), ("rgba", cut_out())):
        image = pyvips.Image.new_from_memory(drawn.tobytes(), *SIZE, len(name), "uchar")
        wide = (image.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")
        for depth in (8, 10, 12):
            for subsampling in ("on", "off"):
                for lossless in (False, True):
                    data = wide.write_to_buffer(
                        ".avif", Q=95, bitdepth=depth, subsample_mode=subsampling, lossless=lossless, effort=0
                    )
                    loss = "lossless" if lossless else "lossy"
                    yield f"avif-deep/{name}-{depth}-subsampling-{subsampling}-{loss}.avif", data


def _file(image: Image.Image, format_name: str, **options: object) -> bytes:
    if format_name == "JPEG":
        options = {"quality": 95, **options}
    if options.get("icc_profile", b"") is None:
        del options["icc_profile"]
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()
