"""Encoder settings that the operator chooses for all thumbnails of a format."""

from dataclasses import dataclass

SUBSAMPLING = ("auto", "on", "off")


@dataclass(frozen=True, slots=True)
class Encoding:
    """Encoder settings.

    `jpeg_subsampling` is chroma subsampling (4:2:0): `auto` subsamples below quality 90. `keep_copyright` keeps the
    EXIF fields Artist and Copyright in formats that have EXIF. `linear` is the default of the filter of this name.
    `keep_gain_map` lets the gain map of a JPEG follow into a JPEG.
    """

    jpeg_progressive: bool = False
    jpeg_subsampling: str = "auto"
    png_palette: bool = False
    keep_copyright: bool = False
    linear: bool = False
    keep_gain_map: bool = False
