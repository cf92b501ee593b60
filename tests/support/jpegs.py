"""JPEGs with known damage: files of Pillow, and where their coded data lies, found by their markers alone."""

from dataclasses import dataclass

from hypothesis import strategies as st
from PIL import Image

from tests.support.pictures import encoded, noise

EOI = b"\xff\xd9"


@dataclass(frozen=True)
class Sample:
    """A JPEG, and the start and the end of the coded data of each of its scans."""

    data: bytes
    scans: tuple[tuple[int, int], ...]

    @property
    def restarts(self) -> tuple[int, ...]:
        """The offsets of the restart markers of the first scan."""
        start, end = self.scans[0]
        return tuple(at for at in range(start, end) if self.data[at] == 0xFF and 0xD0 <= self.data[at + 1] <= 0xD7)


def sample(image: Image.Image | None = None, **options: object) -> Sample:
    data = encoded(noise(96, 80) if image is None else image, "JPEG", **options)
    return Sample(data, tuple(_scans(data)))


def _scans(data: bytes) -> list[tuple[int, int]]:
    scans, at = [], 2
    while data[at + 1] != 0xD9:
        code = data[at + 1]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if code == 0xDA:
            start = at
            while data[at] != 0xFF or data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
                at += 1
            scans.append((start, at))
    return scans


@st.composite
def samples(draw: st.DrawFn, *, progressive: bool | None = None) -> Sample:
    """JPEGs of all sizes, subsamplings, restart intervals and qualities, gray and color, of one scan or many."""
    image = noise(draw(st.integers(1, 100)), draw(st.integers(1, 100)), draw(st.integers(0, 9)))
    options: dict[str, object] = {
        "quality": draw(st.sampled_from([20, 75, 95])),
        "subsampling": draw(st.sampled_from([0, 1, 2])),
        "progressive": draw(st.booleans()) if progressive is None else progressive,
    }
    interval = draw(st.sampled_from([0, 0, 1, 2, 7]))
    if interval:
        options["restart_marker_blocks"] = interval
    return sample(image.convert(draw(st.sampled_from(["RGB", "RGB", "L"]))), **options)
