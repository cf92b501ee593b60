"""From the raw path of a dialect's URL to a storage and a target of our own grammar."""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from thumbs.errors import BadFilter, BadPath, BadTarget, StorageUnknown
from thumbs.image.formats import FORMATS, default_output, format_of_extension
from thumbs.image.geometry import OutputLimits
from thumbs.image.outputs import usual_extension
from thumbs.image.transforms import AUTO, Color, Transform, Upscale
from thumbs.request.dialects import go_mage, imgproxy, ipx, thumbor
from thumbs.request.dialects.dialect import GO_MAGE, IMAGOR, IMGPROXY, IPX, THUMBOR, Asked, Dialect
from thumbs.request.grammar import Target
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import output_without_format

logger = logging.getLogger("thumbs")

_READ: dict[str, Callable[[str, Dialect], Asked]] = {
    IMGPROXY: imgproxy.translate,
    THUMBOR: thumbor.translate_thumbor,
    IMAGOR: thumbor.translate_imagor,
    IPX: ipx.translate,
    GO_MAGE: go_mage.translate,
}
_BLACK = Color(0, 0, 0)
_BLACK_UNDER = (IMAGOR, IPX, GO_MAGE)  # which write a JPEG of a transparent picture on black
_MAX_LOGGED = 100  # names of ignored options: clients choose them
# Such as behind the development server of Django. Signatures cover the path as it was sent.
_NO_RAW_PATH = "URLs of another image server need their path as it was sent, which did not come so far."
_TOGETHER = "These options do not go together."
_NO_STORAGE = "No storage has originals from this source."


class Translator:
    """Translates the URLs of all dialects, by the path of each."""

    def __init__(self, dialects: Mapping[str, Dialect]) -> None:
        self._dialects = dialects
        self._logged: set[tuple[str, str]] = set()

    def __call__(self, path: str, raw: bytes, policies: Mapping[str, StoragePolicy]) -> tuple[str, Target]:
        """The storage and the target of `raw`, the target of a request from the dialect's `path` on.

        Logs each ignored option once. Raises `BadRequest`, `StorageUnknown` or `SignatureRefused`.
        """
        dialect = self._dialects[path]
        asked = read(raw, dialect)
        self._log(dialect, asked)
        return settled(asked, dialect, policies)

    def _log(self, dialect: Dialect, asked: Asked) -> None:
        for option in asked.ignored:
            if (dialect.path, option) not in self._logged and len(self._logged) < _MAX_LOGGED:
                self._logged.add((dialect.path, option))
                logger.warning("dialect %s at %s: option %s is ignored", dialect.name, dialect.path, option)


def read(raw: bytes, dialect: Dialect) -> Asked:
    """What `raw` asks for, verified. Raises as `Translator` does."""
    if not raw:
        raise BadTarget(_NO_RAW_PATH)
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        raise BadPath from None
    try:
        return _READ[dialect.name](text, dialect)
    except ValueError:  # of a value that no field of a transform may have
        raise BadFilter(_TOGETHER) from None


def settled(asked: Asked, dialect: Dialect, policies: Mapping[str, StoragePolicy]) -> tuple[str, Target]:
    """The storage and the target of what a URL asks for. Raises `StorageUnknown` or `BadRequest`."""
    prefix = max((each for each in dialect.sources if asked.source.startswith(each)), key=len, default=None)
    policy = None if prefix is None else policies.get(dialect.sources[prefix])
    if prefix is None or policy is None:
        raise StorageUnknown(_NO_STORAGE)
    path = policy.path_of(asked.source, prefix)
    try:
        transform = Transform(**asked.fields)
    except ValueError:
        raise BadFilter(_TOGETHER) from None
    file_name = policy.file_name(path)
    transform = _capped(_on_black(transform, file_name, dialect), policy.output)
    name = None
    if asked.stem is not None and transform.format != AUTO:
        output = transform.format or output_without_format(transform, file_name, policy)
        name, transform = f"{asked.stem}.{usual_extension(output)}", replace(transform, format=output)
    return policy.name, Target(path, transform, name, asked.expires)


def _on_black(transform: Transform, file_name: str, dialect: Dialect) -> Transform:
    """What can be transparent, over black: where a peer writes a JPEG of it."""
    own = format_of_extension(file_name)
    output = transform.format or default_output(file_name)
    if dialect.name not in _BLACK_UNDER or transform.background is not None or own is None or output != "jpeg":
        return transform
    return replace(transform, background=_BLACK) if FORMATS[own].alpha else transform


def _capped(transform: Transform, limits: OutputLimits) -> Transform:
    """A target that is never enlarged to, no larger than this server makes: a smaller source answers all the same."""
    width, height = transform.target
    sides = [side for side in (width, height) if side is not None]
    if transform.upscales or not sides or (max(sides) <= limits.side and math.prod(sides) <= limits.pixels):
        return transform
    factor = min(1.0, limits.side / max(sides)) if transform.upscale is Upscale.RATIO else 1.0
    sides = [min(max(1, int(side * factor)), limits.side) for side in sides]
    if math.prod(sides) > limits.pixels:
        factor = math.sqrt(limits.pixels / math.prod(sides))
        sides = [max(1, int(side * factor)) for side in sides]
    capped = iter(sides)
    return replace(
        transform,
        width=None if width is None else next(capped),
        height=None if height is None else next(capped),
        dpr=1,
    )
