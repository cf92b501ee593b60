"""The gain map of a JPEG is found as phones, libultrahdr and editors write it, and put into another JPEG."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.gain_maps import BOOSTS, CAPACITIES, OFFSETS, read_ultra_hdr, ultra_hdr
from tests.support.pictures import encoded, noise, quarters
from thumbs.render.containers.gain_map import GainMap, read_gain_map, with_gain_map

PICTURE, MAP = encoded(quarters(60, 40), "JPEG"), encoded(quarters(30, 20).convert("L"), "JPEG")
NUMBERS = {
    "GainMapMin": (b"0",),
    "GainMapMax": (b"2",),
    "Gamma": (b"1",),
    "OffsetSDR": (b"0.015625",),
    "OffsetHDR": (b"0.015625", b"0.015625", b"0.015625"),
    "HDRCapacityMin": (b"0",),
    "HDRCapacityMax": (b"2",),
}
ISO = bytes(4) + b"\x40" + struct.pack(">14i", 0, 1, 2, 1, 0, 1, 2, 1, 1, 1, 1, 64, 1, 64)
PACKET = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"
 hdrgm:GainMapMin='0' hdrgm:Gamma = "1" hdrgm:OffsetSDR="0.015625" hdrgm:HDRCapacityMin="0" hdrgm:HDRCapacityMax="2"
 hdrgm:BaseRenditionIsHDR="False" hdrgm:Author="me"><hdrgm:GainMapMax>
<rdf:Seq><rdf:li>2.5</rdf:li><rdf:li> -2 </rdf:li><rdf:li>2</rdf:li></rdf:Seq></hdrgm:GainMapMax></rdf:Description>
</rdf:RDF></x:xmpmeta>"""


def segment(code: int, contents: bytes) -> bytes:
    return bytes((0xFF, code)) + (len(contents) + 2).to_bytes(2, "big") + contents


def indexed(second: bytes, *, order: str = ">", offset: int | None = None, size: int | None = None) -> bytes:
    """A JPEG with an index of itself and of `second`, which is behind it."""
    rows_at = 8 + 2 + 12 + 4
    magic = b"MM\0*" if order == ">" else b"II*\0"
    start = 2 + 4 + 4  # of the header of the index: behind the marker and the name of the segment
    length = len(PICTURE) + 4 + 4 + rows_at + 32
    rows = struct.pack(
        f"{order}IIIHHIIIHH", 0x30000, length, 0, 0, 0, 0, size or len(second), offset or length - start, 0, 0
    )
    head = magic + struct.pack(f"{order}IHHHIII", 8, 1, 0xB002, 7, 32, rows_at, 0)
    return PICTURE[:2] + segment(0xE2, b"MPF\0" + head + rows) + PICTURE[2:] + second


def with_xmp(packet: bytes = PACKET) -> bytes:
    return MAP[:2] + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet) + MAP[2:]


def with_iso(iso: bytes = ISO) -> bytes:
    return MAP[:2] + segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + iso) + MAP[2:]


# ------------------------------------------------------------------------------------------------------ read


@pytest.mark.parametrize("order", [">", "<"])
def test_numbers_are_read_of_attributes_and_of_lists_and_no_text_is(order: str) -> None:
    found = read_gain_map(indexed(with_xmp(), order=order))
    assert found is not None
    assert found.picture == with_xmp()
    assert found.xmp == {
        "GainMapMin": (b"0",),
        "GainMapMax": (b"2.5", b"-2", b"2"),
        "Gamma": (b"1",),
        "OffsetSDR": (b"0.015625",),
        "HDRCapacityMin": (b"0",),
        "HDRCapacityMax": (b"2",),
    }


def test_a_file_of_libultrahdr_has_numbers_of_the_iso() -> None:
    found = read_gain_map(ultra_hdr(quarters(60, 40), quarters(30, 20).convert("L")))
    assert found is not None
    assert len(found.iso) == len(ISO)
    assert found.picture.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    "data",
    [
        PICTURE,
        indexed(MAP),
        indexed(with_xmp(PACKET.replace(b'Version="1.0"', b'Version="2.0"'))),
        indexed(with_xmp(PACKET.replace(b'IsHDR="False"', b'IsHDR="True"'))),
        indexed(with_xmp(PACKET.replace(b'HDRCapacityMax="2"', b""))),
        indexed(with_xmp(PACKET.replace(b'HDRCapacityMax="2"', b'HDRCapacityMax="two"'))),
        indexed(with_xmp(PACKET.replace(b"<rdf:li>2</rdf:li>", b""))),
        indexed(with_xmp(PACKET + b" " * 16_384)),
        indexed(with_iso(ISO[:-1])),
        indexed(with_iso(ISO + b"\0")),
        indexed(with_iso(ISO[:4] + b"\x44" + ISO[5:])),
        indexed(with_iso(ISO[:4] + b"\xc0" + ISO[5:])),
        indexed(with_iso(b"\0\1" + ISO[2:])),
        indexed(with_iso(b"")),
        indexed(with_xmp(), size=10**9),
        indexed(with_xmp(), offset=10**9),
        indexed(with_xmp(), offset=1),
        indexed(with_xmp())[:-1],
        PICTURE[:2] + segment(0xE2, b"MPF\0") + PICTURE[2:],
        PICTURE[:2] + segment(0xE2, b"MPF\0MM\0*\xff\xff\xff\xff") + PICTURE[2:],
        PICTURE[:2] + segment(0xE2, b"MPF\0XX\0*\0\0\0\x08") + PICTURE[2:],
    ],
)
def test_what_is_no_complete_description_of_a_map_counts_as_none(data: bytes) -> None:
    assert read_gain_map(data) is None


@given(st.integers(0, 2**31), st.binary(max_size=4))
def test_no_damage_of_an_index_raises(at: int, damage: bytes) -> None:
    data = bytearray(indexed(with_xmp()))
    start = at % len(data)
    data[start : start + len(damage)] = damage
    read_gain_map(bytes(data))


# ----------------------------------------------------------------------------------------------------- write


@pytest.mark.parametrize(("xmp", "iso"), [(NUMBERS, b""), ({}, ISO), (NUMBERS, ISO)], ids=["xmp", "iso", "both"])
def test_libultrahdr_reads_what_is_written(xmp: dict[str, tuple[bytes, ...]], iso: bytes) -> None:
    made = with_gain_map(PICTURE, GainMap(MAP, xmp, iso))
    found = read_ultra_hdr(made)
    assert found is not None
    assert (found.picture.size, found.map.size) == ((60, 40), (30, 20))
    wanted = {**BOOSTS, **OFFSETS, "gainmap-hdr-capacity-min": 1.0, "gainmap-hdr-capacity-max": 4.0}
    assert {*wanted} == {*BOOSTS, *OFFSETS, *CAPACITIES}
    assert found.said == pytest.approx(wanted)
    again = read_gain_map(made)
    assert again is not None
    assert (again.xmp, again.iso) == (xmp, iso)


def test_the_metadata_of_the_picture_stay_before_the_index() -> None:
    image = noise(60, 40)
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"
    made = with_gain_map(encoded(image, "JPEG", exif=exif), GainMap(MAP, NUMBERS, ISO))
    places = [made.find(name) for name in (b"Exif\0\0", b"http://ns.adobe.com", b"urn:iso", b"MPF\0", b"\xff\xdb")]
    assert places == sorted(places)
    assert -1 not in places
