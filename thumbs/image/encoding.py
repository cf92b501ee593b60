"""What an operator may choose about all files of a format."""

from dataclasses import dataclass

SUBSAMPLING = ("auto", "on", "off")


@dataclass(frozen=True, slots=True)
class Encoding:
    """`jpeg_subsampling` halves the resolution of colour: `auto` below quality 90. `keep_copyright` leaves the EXIF
    fields Artist and Copyright in the thumbnail, where its format has EXIF."""

    jpeg_progressive: bool = False
    jpeg_subsampling: str = "auto"
    png_palette: bool = False
    keep_copyright: bool = False
