"""The EXIF fields Artist and Copyright: the only metadata that a thumbnail may keep."""

from dataclasses import dataclass

import pyvips

# EXIF 2.32, 4.6.5: Artist (0x013B) and Copyright (0x8298) of the first directory.
_FIELDS = ("exif-ifd0-Artist", "exif-ifd0-Copyright")
_EXIF = "exif-data"
_ANIMATION = ("page-height", "loop", "delay")
# Everything else goes: not all that libvips writes into a block has the prefix "exif". The EXIF thumbnail, a picture of
# the whole original, is `jpeg-thumbnail-data`. Another one is `orientation`, and the pixels are upright already.
_KEPT = frozenset((*_FIELDS, _EXIF, *_ANIMATION))
_MAX_EXIF_BYTES = 65_536  # a JPEG segment holds no more


@dataclass(frozen=True, slots=True)
class Copyright:
    """The EXIF block of a source that has at least one of the two fields."""

    exif: bytes

    def embed_into(self, image: pyvips.Image) -> pyvips.Image:
        """`image` with the two fields and no other metadata, to be saved with `keep="exif"`.

        When libvips saves, it drops what is in the block but not in the image's fields, and copies the rest unchanged.
        """
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, _EXIF, self.exif)  # libvips adds all of its fields
        for name in image.get_fields():
            if name not in _KEPT:
                image.remove(name)  # the size and other values that are no metadata stay
        return image


def read_copyright(image: pyvips.Image, fields: set[str]) -> Copyright | None:
    """The block of a source with these `fields`; None when it has neither field, or a block of more than 64 KiB."""
    if _EXIF not in fields or fields.isdisjoint(_FIELDS):
        return None
    exif: bytes = image.get(_EXIF)
    return Copyright(exif) if len(exif) <= _MAX_EXIF_BYTES else None
