"""Files with odd or damaged parts around whole pixels, and files whose pixels are damaged or cut off."""

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

from bench.browser.samples import profiles
from bench.browser.samples.drawing import colors, transparent
from bench.browser.samples.png import chunk, gama, iccp

Sample = tuple[str, bytes]
_SIZE = (240, 180)
_END = b"\xff\xd9"


def jpeg() -> Iterator[Sample]:
    """Names and contents."""
    plain = _file(colors(_SIZE), "JPEG", quality=90)
    progressive = _file(colors(_SIZE), "JPEG", quality=90, progressive=True)
    restarts = _file(colors(_SIZE), "JPEG", quality=90, restart_marker_blocks=5)
    for name, data in (("plain", plain), ("progressive", progressive), ("restarts", restarts)):
        yield f"odd-jpeg/{name}-no-end.jpg", data[:-2]
        yield f"odd-jpeg/{name}-half-end.jpg", data[:-1]
        yield f"odd-jpeg/{name}-zeros-after.jpg", data + bytes(1000)
        yield f"odd-jpeg/{name}-text-after.jpg", data + b"trailing text " * 50
        yield f"odd-jpeg/{name}-second-after.jpg", data + plain
        yield f"odd-jpeg/{name}-no-end-zeros-after.jpg", data[:-2] + bytes(1000)
        yield f"odd-jpeg/{name}-fill-bytes.jpg", data[:2] + b"\xff" * 5 + data[2:]
        for percent in (30, 50, 80, 95):
            at = len(data) * percent // 100
            yield f"cut-jpeg/{name}-{percent}.jpg", data[:at]
            yield f"cut-jpeg/{name}-{percent}-end.jpg", data[:at] + _END
    for name, part in _jpeg_segments().items():
        yield f"odd-jpeg/{name}.jpg", plain[:2] + part + plain[2:]
    # The segments after the header of JFIF.
    end_of_jfif = 4 + struct.unpack_from(">H", plain, 4)[0]
    for name, part in _jpeg_segments().items():
        yield f"odd-jpeg/{name}-after-jfif.jpg", plain[:end_of_jfif] + part + plain[end_of_jfif:]
    without = plain[:2] + plain[end_of_jfif:]
    yield "odd-jpeg/no-jfif.jpg", without


def _jpeg_segments() -> dict[str, bytes]:
    def segment(marker: int, content: bytes) -> bytes:
        return bytes((0xFF, marker)) + struct.pack(">H", 2 + len(content)) + content

    def icc(number: int, count: int, part: bytes) -> bytes:
        return segment(0xE2, b"ICC_PROFILE\0" + bytes((number, count)) + part)

    swapped = profiles.RGB["swapped"]
    half = len(swapped) // 2
    orientation = Image.Exif()
    orientation[0x0112] = 6
    exif = orientation.tobytes().removeprefix(b"Exif\0\0")
    return {
        "exif": segment(0xE1, b"Exif\0\0" + exif),
        "exif-odd-header": segment(0xE1, b"Exif\0\xff" + exif),
        "exif-no-header": segment(0xE1, exif),
        "exif-cut": segment(0xE1, b"Exif\0\0" + exif[:12]),
        "exif-empty": segment(0xE1, b"Exif\0\0"),
        "exif-text": segment(0xE1, b"Exif\0\0" + b"no directory" * 9),
        "exif-far-directory": segment(0xE1, b"Exif\0\0MM\0\x2a\x7f\xff\xff\xff"),
        "exif-many-entries": segment(0xE1, b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff" + bytes(40)),
        "exif-orientation-long": segment(0xE1, b"Exif\0\0" + _exif(4, struct.pack(">I", 6))),
        "exif-orientation-byte": segment(0xE1, b"Exif\0\0" + _exif(1, b"\x06\0\0\0")),
        "exif-twice": segment(0xE1, b"Exif\0\0" + exif) + segment(0xE1, b"Exif\0\0" + _exif(3, b"\0\x03\0\0")),
        "xmp": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta tiff:Orientation='6'/>"),
        "icc-two-parts": icc(1, 2, swapped[:half]) + icc(2, 2, swapped[half:]),
        "icc-parts-swapped": icc(2, 2, swapped[half:]) + icc(1, 2, swapped[:half]),
        "icc-part-missing": icc(1, 2, swapped[:half]),
        "icc-part-twice": icc(1, 1, swapped) + icc(1, 1, profiles.RGB["srgb"]),
        "icc-number-0": icc(0, 1, swapped),
        "icc-number-beyond": icc(3, 2, swapped),
        "icc-cmyk": icc(1, 1, swapped[:16] + b"CMYK" + swapped[20:]),
        "icc-gray-space": icc(1, 1, swapped[:16] + b"GRAY" + swapped[20:]),
        "icc-lab-space": icc(1, 1, swapped[:16] + b"Lab " + swapped[20:]),
        "icc-empty": icc(1, 1, b""),
        "icc-trailing": icc(1, 1, swapped + b"more"),
        "icc-class-printer": icc(1, 1, swapped[:12] + b"prtr" + swapped[16:]),
        "icc-class-link": icc(1, 1, swapped[:12] + b"link" + swapped[16:]),
        "icc-pcs-lab": icc(1, 1, swapped[:20] + b"Lab " + swapped[24:]),
        "comment": segment(0xFE, b"\0" * 500),
        "app-unknown": segment(0xEB, b"unknown" * 100),
    }


def _exif(kind: int, value: bytes) -> bytes:
    """One entry: the orientation."""
    return b"MM\0\x2a\0\0\0\x08\0\x01" + struct.pack(">HHI", 0x0112, kind, 1) + value + bytes(4)


def png() -> Iterator[Sample]:
    """Names and contents."""
    plain = _file(transparent(_SIZE), "PNG")
    header, rest = plain[:33], plain[33:]
    text = chunk(b"tEXt", b"Comment\0text")
    for name, before in {
        "crc-of-text": text[:-1] + b"?",
        "crc-of-gama": gama(1.0)[:-1] + b"?",
        "crc-of-profile": iccp(profiles.RGB["swapped"])[:-1] + b"?",
        "unknown-chunk": chunk(b"zzZz", bytes(100)),
        "unknown-critical": chunk(b"ZZZZ", bytes(100)),
        "text-large": chunk(b"tEXt", b"Comment\0" + b"x" * 200_000),
        "ztext-damaged": chunk(b"zTXt", b"Comment\0\0no zlib"),
        "profile-not-deflated": chunk(b"iCCP", b"sample\0\0no zlib"),
        "profile-no-name": chunk(b"iCCP", b"\0\0" + zlib.compress(profiles.RGB["swapped"])),
        "profile-long-name": chunk(b"iCCP", b"n" * 80 + b"\0\0" + zlib.compress(profiles.RGB["swapped"])),
        "profile-twice": iccp(profiles.RGB["swapped"]) + iccp(profiles.RGB["srgb"]),
        "gama-twice": gama(1.0) + gama(0.45455),
        "gama-long": chunk(b"gAMA", struct.pack(">II", 100_000, 0)),
        "gama-short": chunk(b"gAMA", b"\0\1"),
        "cicp-long": chunk(b"cICP", b"\x0c\x0d\0\1\0"),
        "cicp-short": chunk(b"cICP", b"\x0c\x0d\0"),
        "srgb-beyond": chunk(b"sRGB", b"\x09"),
        "chrm-short": chunk(b"cHRM", bytes(20)) + gama(1.0),
        "physical": chunk(b"pHYs", struct.pack(">IIB", 1, 7, 0)),
        "background": chunk(b"bKGD", struct.pack(">3H", 255, 0, 0)),
        "exif-text": chunk(b"eXIf", b"no directory"),
        "exif-prefixed": chunk(b"eXIf", b"Exif\0\0" + _exif(3, b"\0\x06\0\0")),
        "exif": chunk(b"eXIf", _exif(3, b"\0\x06\0\0")),
    }.items():
        yield f"odd-png/{name}.png", header + before + rest
    end = len(plain) - 12
    yield "odd-png/no-end.png", plain[:end]
    yield "odd-png/crc-of-end.png", plain[:-1] + b"?"
    yield "odd-png/text-after.png", plain + b"trailing text" * 50
    yield "odd-png/gama-after-pixels.png", plain[:end] + gama(1.0) + plain[end:]
    yield "odd-png/profile-after-pixels.png", plain[:end] + iccp(profiles.RGB["swapped"]) + plain[end:]
    yield "odd-png/exif-after-pixels.png", plain[:end] + chunk(b"eXIf", _exif(3, b"\0\x06\0\0")) + plain[end:]
    at = plain.index(b"IDAT") - 4
    data = plain[at + 8 : end - 4]
    yield (
        "odd-png/many-idat.png",
        plain[:at]
        + b"".join(chunk(b"IDAT", data[start : start + 7]) for start in range(0, len(data), 7))
        + plain[end:],
    )
    yield "odd-png/adler.png", plain[:at] + chunk(b"IDAT", data[:-1] + bytes((data[-1] ^ 1,))) + plain[end:]
    yield "odd-png/adler-missing.png", plain[:at] + chunk(b"IDAT", data[:-4]) + plain[end:]
    yield "odd-png/pixels-after.png", plain[:at] + chunk(b"IDAT", data) + chunk(b"IDAT", b"more") + plain[end:]
    for percent in (30, 50, 80, 95):
        yield f"cut-png/{percent}.png", plain[: len(plain) * percent // 100]
        part = data[: len(data) * percent // 100]
        yield f"cut-png/{percent}-end.png", plain[:at] + chunk(b"IDAT", part) + plain[end:]


def webp() -> Iterator[Sample]:
    """Names and contents."""
    for kind, lossless in (("lossless", True), ("lossy", False)):
        plain = _file(colors(_SIZE), "WEBP", lossless=lossless)
        alpha = _file(transparent(_SIZE), "WEBP", lossless=lossless, icc_profile=profiles.RGB["swapped"])
        for name, data in ((kind, plain), (f"{kind}-alpha-icc", alpha)):
            yield f"odd-webp/{name}-text-after.webp", data + b"trailing text" * 20
            yield f"odd-webp/{name}-size-small.webp", data[:4] + struct.pack("<I", 40) + data[8:]
            yield f"odd-webp/{name}-size-large.webp", data[:4] + struct.pack("<I", len(data) + 1000) + data[8:]
            yield f"odd-webp/{name}-unknown-chunk.webp", _riff(data[12:] + b"ZZZZ\x04\0\0\0abcd")
            for percent in (30, 50, 80, 95):
                yield f"cut-webp/{name}-{percent}.webp", data[: len(data) * percent // 100]
        flags = alpha[20]
        for bit, name in ((0x20, "icc"), (0x10, "alpha"), (0x08, "exif"), (0x04, "xmp")):
            yield f"odd-webp/{kind}-flag-{name}.webp", alpha[:20] + bytes((flags ^ bit,)) + alpha[21:]


def gif_and_avif() -> Iterator[Sample]:
    """Names and contents."""
    still = _file(colors(_SIZE), "GIF")
    yield "odd-gif/text-after.gif", still + b"trailing text" * 20
    yield "odd-gif/no-trailer.gif", still[:-1]
    yield "odd-gif/87a.gif", b"GIF87a" + still[6:]
    yield "odd-gif/comment.gif", still[:-1] + b"!\xfe\x04text\0;"
    avif = _file(colors(_SIZE), "AVIF", quality=90)
    yield "odd-avif/text-after.avif", avif + b"trailing text" * 20
    yield "odd-avif/free-box-after.avif", avif + struct.pack(">I4s8x", 16, b"free")
    for percent in (30, 50, 80, 95):
        yield f"cut-gif/{percent}.gif", still[: len(still) * percent // 100]
        yield f"cut-avif/{percent}.avif", avif[: len(avif) * percent // 100]


def _riff(content: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(content)) + b"WEBP" + content


def _file(image: Image.Image, format_name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()
