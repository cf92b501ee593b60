"""Files that are no pictures, or of formats that no server reads as it is delivered."""

import struct
import zlib
from collections.abc import Iterator
from functools import partial

from tests.support.hostile.parts import (
    FOREIGN,
    LISTENER,
    MILLION,
    Hostile,
    rubbish,
)
from tests.support.hostile.svg import svg
from tests.support.pictures import encoded, noise


def other_formats() -> Iterator[Hostile]:
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10))
    files = {
        "empty": b"",
        "one-byte": b"\xff",
        "text": b"This is not a picture, whatever its name says.\n" * 20,
        "html": b"<html><script>alert(1)</script></html>",
        "svg": svg(b"<circle r='9'/>"),
        "svg-of-entities": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "lol">' + laughs + b"]><svg>&l9;</svg>",
        "svgz": b"\x1f\x8b\x08\0\0\0\0\0\0\3" + zlib.compress(svg(b""))[2:],
        "csv": b"1,2,3\n4,5,6\n" * 100,
        "vips": b"\x08\xf2\xa6\xb6" + struct.pack("<III", 100_000, 100_000, 3) + bytes(500_000),
        "pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "tiff": encoded(noise(60, 40), "TIFF"),
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + rubbish(500),
        "ppm": b"P6\n100000 100000\n255\n" + b"x" * 100,
        "pfm": b"PF\n10 10\n-1\n" + b"x" * 1200,
        "bmp": encoded(noise(60, 40), "BMP"),
        "ico": encoded(noise(32, 32), "ICO"),
        "jpeg-2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(200),
        "jpeg-xl": b"\xff\x0a" + bytes(200),
        "exr": b"v/1\x01" + bytes(200),
        "hdr": b"#?RADIANCE\n\n-Y 10 +X 10\n" + bytes(400),
        "fits": b"SIMPLE  =                    T".ljust(2880) + bytes(2880),
        "matlab": b"MATLAB 5.0 MAT-file".ljust(500),
        "mvg": b'push graphic-context\nimage over 0,0 0,0 "http://' + LISTENER + b'/x"\npop graphic-context\n',
        "zip": b"PK\3\4" + rubbish(500),
        "nul": bytes(MILLION),
        "rubbish": rubbish(MILLION),
    }
    for name, data in files.items():
        yield Hostile(f"{name}-named-jpg", FOREIGN, partial(bytes, data))
