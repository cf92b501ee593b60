"""Who made a picture and to whom it belongs: the one thing of its metadata that a thumbnail may keep."""

from dataclasses import dataclass

import pyvips

# EXIF 2.32, 4.6.5: Artist (0x013B) and Copyright (0x8298) of the first directory.
_FIELDS = ("exif-ifd0-Artist", "exif-ifd0-Copyright")
_EXIF = "exif-data"
_ORIENTATION = "orientation"  # the pixels are upright, whatever the block says
_LONGEST = 65_536  # more does not fit into the segment of a JPEG anyway


@dataclass(frozen=True, slots=True)
class Rights:
    """The EXIF block of the source, which says something of the author or the copyright."""

    exif: bytes

    def put_on(self, image: pyvips.Image) -> pyvips.Image:
        """`image` with these fields in its EXIF and no others, to be saved with `keep="exif"`.

        libvips drops what the block has and the image's fields do not name; what is in both stays byte for byte.
        """
        image = image.copy()
        image.set_type(pyvips.GValue.blob_type, _EXIF, self.exif)  # and with it all fields that are in it
        for name in image.get_fields():
            if (name.startswith("exif-ifd") and name not in _FIELDS) or name == _ORIENTATION:
                image.remove(name)
        return image


def rights_of(image: pyvips.Image, fields: set[str]) -> Rights | None:
    """What the source says of its author and copyright; None when it says nothing."""
    if _EXIF not in fields or fields.isdisjoint(_FIELDS):
        return None
    exif: bytes = image.get(_EXIF)
    return Rights(exif) if len(exif) <= _LONGEST else None
