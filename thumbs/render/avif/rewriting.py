"""Rewrites properties of an AVIF that libheif reads otherwise than browsers do.

* The transformations of the color picture are those of its alpha (MIAF, ISO/IEC 23000-22, 7.3.5.2), whatever the alpha
  says: libheif would turn each by its own.
* Transformations happen in the order of MIAF (7.3.6.7): the crop, the rotation, the mirroring.
* An `nclx` property that names no colors still says whether the range is full. libheif takes it for no property. It
  gets the matrix that readers use where none is named, that of BT.601.
"""

from thumbs.render.containers.av1 import UNSPECIFIED
from thumbs.render.containers.avif import read_structure
from thumbs.render.containers.boxes import Box, TooManyError, boxes, make_box
from thumbs.render.containers.cicp import nclx_of
from thumbs.render.containers.items import FULL, TRANSFORMATIONS, Association, Structure

_UNKNOWN_BRANDS = (b"avis", b"miaf")
_BT601 = 6
_MATRIX_AT = 8  # in the contents of `colr`, behind the type, the primaries and the transfer function
_MAX_ASSOCIATIONS = 255  # of one item, as their number has one byte

_Associations = dict[int, tuple[Association, ...]]


def readable(data: bytes) -> bytes:
    """`data` as `rewritten`, with a brand that libvips recognizes: it knows only some of those of an AVIF."""
    data = rewritten(data)
    if data[8:12] in _UNKNOWN_BRANDS:
        return data[:8] + b"avif" + data[12:]
    return data


def rewritten(data: bytes) -> bytes:
    """`data` with properties that libheif reads as browsers do; the same object where nothing has to change."""
    try:
        structure = read_structure(data)
        if structure is None:
            return data
        properties = list(structure.properties)
        changed = _with_known_nclx(structure, properties)
        changed = _with_transformations(structure, changed)
        if changed == structure.associations or any(len(each) > _MAX_ASSOCIATIONS for each in changed.values()):
            return data
        return _with_meta(data, structure, _meta(structure, properties, changed))
    except TooManyError:
        return data


def _with_known_nclx(structure: Structure, properties: list[Box]) -> _Associations:
    """The associations where the main picture and its tiles have an `nclx` that libheif uses."""
    nclx = nclx_of(structure, structure.primary)
    if nclx is None or nclx[:3] != (UNSPECIFIED, UNSPECIFIED, UNSPECIFIED):
        return structure.associations
    content = bytearray(b"nclx" + b"\0\2\0\2\0\2" + bytes([0x80 * nclx.full_range]))
    content[_MATRIX_AT : _MATRIX_AT + 2] = _BT601.to_bytes(2, "big")
    whole = make_box(b"colr", bytes(content))
    properties.append(Box(whole, b"colr", 0, 8, len(whole)))
    known = Association(len(properties), essential=False)
    changed = dict(structure.associations)
    for item in (structure.primary, *structure.tiles_of(structure.primary)):
        changed[item] = (*(each for each in changed.get(item, ()) if not _is_nclx(structure, each)), known)
    return changed


def _with_transformations(structure: Structure, associations: _Associations) -> _Associations:
    """The associations where the main picture and its alpha have the same transformations, in the order of MIAF."""
    own = associations.get(structure.primary, ())
    turns = sorted(
        (each for each in own if _name(structure, each) in TRANSFORMATIONS),
        key=lambda each: TRANSFORMATIONS.index(_name(structure, each)),
    )
    changed = dict(associations)
    for item in (structure.primary, structure.alpha_of(structure.primary)):
        if item is not None:
            kept = [each for each in changed.get(item, ()) if _name(structure, each) not in TRANSFORMATIONS]
            if [each for each in changed.get(item, ()) if each not in kept] != turns:
                changed[item] = (*kept, *turns)
    return changed


def _name(structure: Structure, association: Association) -> bytes:
    number = association.number
    return structure.properties[number - 1].name if 0 < number <= len(structure.properties) else b""


def _is_nclx(structure: Structure, association: Association) -> bool:
    if _name(structure, association) != b"colr":
        return False
    return structure.properties[association.number - 1].contents()[:4] == b"nclx"


def _meta(structure: Structure, properties: list[Box], associations: _Associations) -> bytes:
    """The box `meta` with these properties and associations."""
    entries = [
        b"".join((item.to_bytes(4, "big"), bytes([len(own)]), *(_packed(each) for each in own)))
        for item, own in sorted(associations.items())
    ]
    container = make_box(b"ipco", *(each.whole() for each in properties))
    count = len(entries).to_bytes(4, "big")
    bound = make_box(b"ipma", b"\1\0\0\1", count, *entries)  # items have 32 bits, properties 15
    meta = structure.meta
    others = (make_box(each.name, each.contents()) for each in meta.children(FULL) if each.name != b"iprp")
    return make_box(b"meta", meta.contents()[:FULL], *others, make_box(b"iprp", container, bound))


def _packed(association: Association) -> bytes:
    return (association.number | 0x8000 * association.essential).to_bytes(2, "big")


def _with_meta(data: bytes, structure: Structure, meta: bytes) -> bytes:
    """`data` with another box `meta`, at its end: the offsets of the items stay as they are."""
    last = list(boxes(data, 0, len(data)))[-1]
    size = int.from_bytes(data[last.at : last.at + 4], "big")
    if size > len(data) - last.at:
        return data  # it is cut off
    patches = [(structure.meta.at + 4, b"free")]
    if size == 0:  # it goes up to the end of the file
        patches.append((last.at, (len(data) - last.at).to_bytes(4, "big")))
    parts: list[memoryview | bytes] = []
    at, view = 0, memoryview(data)
    for start, patch in sorted(patches):
        parts += [view[at:start], patch]
        at = start + len(patch)
    return b"".join((*parts, view[at:], meta))
