"""Reads the coding-independent code points (ISO/IEC 23091-2) of an AVIF: which colors its samples mean."""

from typing import NamedTuple

from thumbs.render.containers.av1 import SequenceHeader, read_sequence_header
from thumbs.render.containers.avif import read_structure
from thumbs.render.containers.boxes import Box, TooManyError
from thumbs.render.containers.items import Structure

_NCLX = b"nclx"
# What is read of the data of an item to find its sequence header.
_BEGINNING_BYTES = 4096
_CONFIGURATION_BYTES = 4  # in front of the units in the box `av1C`


class Cicp(NamedTuple):
    """The code points of primaries, transfer function and matrix, and whether the samples have the full range."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


def read_cicp(data: bytes) -> Cicp | None:
    """The code points of the main picture; None where the file has none that can be read.

    As browsers do, those of the first `nclx` property are used, else those of the sequence header of the picture, or of
    the first tile of a grid. An ICC profile may be there as well.
    """
    try:
        structure = read_structure(data)
    except TooManyError:
        return None
    return None if structure is None else cicp_of(structure, structure.primary)


def cicp_of(structure: Structure, item: int) -> Cicp | None:
    """As `read_cicp`, of any item."""
    signaled = nclx_of(structure, item)
    if signaled is not None:
        return signaled
    coded = sequence_header_of(structure, item)
    return None if coded is None else Cicp(coded.primaries, coded.transfer, coded.matrix, coded.full_range)


def nclx_of(structure: Structure, item: int) -> Cicp | None:
    """The first property `colr` of the type `nclx` (ISO/IEC 14496-12, 12.1.5)."""
    found = (each for each in structure.properties_of(item) if each.name == b"colr")
    return next((cicp for each in found if (cicp := _nclx(each)) is not None), None)


def _nclx(colr: Box) -> Cicp | None:
    content = colr.contents()[:11]
    if content[:4] != _NCLX or len(content) < 11:
        return None
    primaries, transfer, matrix = (int.from_bytes(content[at : at + 2], "big") for at in (4, 6, 8))
    return Cicp(primaries, transfer, matrix, bool(content[10] & 0x80))


def sequence_header_of(structure: Structure, item: int) -> SequenceHeader | None:
    """The sequence header of a coded picture, or of the first tile of a grid."""
    tiles = structure.tiles_of(item)
    item = tiles[0] if tiles else item
    found = read_sequence_header(structure.beginning_of(item, _BEGINNING_BYTES))
    configuration = structure.first_property(item, b"av1C")
    if found is None and configuration is not None:
        found = read_sequence_header(configuration.contents()[_CONFIGURATION_BYTES:][:_BEGINNING_BYTES])
    return found
