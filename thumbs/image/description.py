"""What `format(json)` answers about an original, and the document that clients get of it."""

import base64
import json
from dataclasses import dataclass

from thumbs.image.geometry import Size

# Of an original's samples. Colors that CSS Color 4 names have the name that they have there.
COLOR_SPACES = (
    *("srgb", "srgb-linear", "display-p3", "a98-rgb", "prophoto-rgb", "rec2020", "rec2100-pq", "rec2100-hlg"),
    *("rgb", "gray", "cmyk", "lab"),  # `rgb`: other primaries or another curve
)
SRGB, RGB, GRAY, CMYK, LAB = "srgb", "rgb", "gray", "cmyk", "lab"
Levels = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Description:
    """An original, upright, and the thumbnail that a URL would give of it.

    `size` and `output` are pixels. `frames` are those of an animation, else 1. `orientation` is that of EXIF, 1 to 8,
    which `size` has applied. `has_alpha`: some pixels may be transparent. `color_space` is one of `COLOR_SPACES`.
    `thumbhash` is empty and `color`, the mean of red, green and blue from 0 to 255, is None unless they were asked for.
    `truncated`: the original is cut off, so that no cache may keep the answer.
    """

    format: str
    size: Size
    frames: int
    orientation: int
    has_alpha: bool
    color_space: str
    output: Size
    thumbhash: bytes = b""
    color: Levels | None = None
    truncated: bool = False

    def document(self, file_bytes: int) -> bytes:
        """The JSON of an original whose file has `file_bytes` bytes."""
        source = {
            **_sides(self.size),
            "format": self.format,
            "bytes": file_bytes,
            "frames": self.frames,
            "orientation": self.orientation,
            "has_alpha": self.has_alpha,
            "color_space": self.color_space,
        }
        document: dict[str, object] = {"source": source, "output": _sides(self.output)}
        if self.thumbhash:
            document["thumbhash"] = base64.b64encode(self.thumbhash).decode("ascii")
        if self.color is not None:
            document["color"] = f"#{bytes(self.color).hex()}"
        return json.dumps(document).encode()


def _sides(size: Size) -> dict[str, int]:
    return {"width": size[0], "height": size[1]}
