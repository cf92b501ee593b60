"""The score of an answer of a server, which may have cut the original half a pixel beside the exact center."""

from importlib.util import find_spec

from bench.check import Wanted
from thumbs.image.transforms import Transform

_STEPS = (-0.5, 0.0, 0.5)  # pixels of the thumbnail


def answer_score(photo: bytes, wanted: Wanted, body: bytes) -> float | None:
    """The best score of a thumbnail over half a pixel up and down; None where the extra `bench` is not installed."""
    if find_spec("ssimulacra2") is None:
        return None
    from bench.quality.scores import reduced, score, shown_box, whole  # noqa: PLC0415 - they need Pillow

    source = whole(photo).size
    size, (left, top, right, bottom) = shown_box(source, Transform(wanted.width, wanted.height))
    pixel = (bottom - top) / size[1]
    boxes = ((left, top + step * pixel, right, bottom + step * pixel) for step in _STEPS)
    return max(score(reduced(photo, size, box), body) for box in boxes)
