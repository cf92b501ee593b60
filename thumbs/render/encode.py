"""From pixels to a file, with the saver of its format (`render.table`)."""

from dataclasses import dataclass, field

import pyvips

from thumbs.errors import RenderFailed
from thumbs.image.encoding import Encoding
from thumbs.render.codecs.copyright import Copyright
from thumbs.render.libvips import Deadline
from thumbs.render.table import SAVERS

_BEST_QUALITY = 100


@dataclass(frozen=True, slots=True)
class File:
    """The file to make. `quality` is None for a format without one; `settings` decide whether `copyright` is kept."""

    output: str
    quality: int | None = None
    max_bytes: int | None = None
    settings: Encoding = field(default_factory=Encoding)
    copyright: Copyright | None = None


def encode(image: pyvips.Image, file: File, deadline: Deadline) -> bytes:
    """The bytes of the file.

    With `max_bytes`, they have the highest quality up to `file.quality` that fits, found by bisection, or are the
    smallest found; the quality of alpha goes down with it. Formats without a quality ignore `max_bytes`. Raises
    `RenderFailed` when libvips cannot write the file, and `RenderTimeout` at the deadline.
    """
    notice = file.copyright if file.settings.keep_copyright and SAVERS[file.output].exif else None
    if notice is not None:
        image = notice.embed_into(image)
    # All other metadata is dropped, GPS positions among it. The pixels are sRGB, which needs no profile.
    keep = "none" if notice is None else "exif"
    by_picture = SAVERS[file.output].by_picture
    chosen: dict[str, object] = {"keep": keep}
    if by_picture is not None:
        with deadline.watch(image, RenderFailed):
            image = image.copy_memory()
            chosen |= by_picture(image)
    encoded = _encoded(image, file, deadline, chosen, quality=file.quality)
    largest, quality = file.max_bytes, file.quality
    if largest is None or len(encoded) <= largest or quality is None or not SAVERS[file.output].takes_quality:
        return encoded
    image = image.copy_memory()  # computed once, for several encodings
    best, low, high = encoded, 1, max(1, quality - 1)
    while low <= high:
        middle = (low + high) // 2
        # Alpha has all of its levels at the full quality, and the fewest at the lowest one.
        alpha = round(100 * (middle - 1) / max(1, quality - 1))
        encoded = _encoded(image, file, deadline, chosen, quality=middle, alpha=alpha)
        if len(encoded) <= largest:
            best, low = encoded, middle + 1
        else:
            best = min(best, encoded, key=len) if len(best) > largest else best
            high = middle - 1
    return best


def _encoded(
    image: pyvips.Image,
    file: File,
    deadline: Deadline,
    chosen: dict[str, object],
    *,
    quality: int | None,
    alpha: int | None = None,
) -> bytes:
    saver = SAVERS[file.output]
    options = {**saver.options(file.settings), **chosen}
    if saver.takes_quality and quality is not None:
        options["Q"] = quality
    if saver.alpha_quality is not None and alpha is not None:
        options[saver.alpha_quality] = alpha
    package = saver.package()
    with deadline.watch(image, RenderFailed):
        if package is not None:
            return package(image, quality or _BEST_QUALITY)
        encoded: bytes = image.write_to_buffer(saver.suffix, **options)
    return encoded
