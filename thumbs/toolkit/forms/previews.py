"""The picture that a form shows of a file: a thumbnail of all of it, as far as its storage offers one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db.models.fields.files import FieldFile

from thumbs.image.outputs import JSON
from thumbs.image.transforms import NO_PADDING, Fit, Transform
from thumbs.request.policy import StoragePolicy
from thumbs.site.links import UnknownStorage, policy_of
from thumbs.toolkit.errors import NoThumbnail, WrongSpec
from thumbs.toolkit.files import file_of
from thumbs.toolkit.thumb import NONE, Thumb, place_of, thumb
from thumbs.toolkit.urls import urls

SIDE = 480  # pixels: twice the largest preview, so that it is sharp on screens of a high density


def preview(file: object) -> Thumb:
    """A thumbnail of all of the picture; false for a blank file, and where no storage offers one.

    A form is where wrong data is corrected: neither that nor a file of another storage raises here.
    """
    if not isinstance(file, FieldFile) or not file or not getattr(file, "_committed", True):
        return NONE
    try:
        spec = _spec_for(file)
        return NONE if spec is None else thumb(file, spec[0], **spec[1])
    except (NoThumbnail, UnknownStorage, WrongSpec):
        return NONE


def _spec_for(file: FieldFile) -> tuple[str, dict[str, Any]] | None:
    current = urls()
    known = file_of(file)
    if known is None:
        return None
    policy = policy_of(place_of(current, known, file, None)[0])
    return current.planned((__name__, policy.name), {}, lambda: _first_offered(policy))


def _first_offered(policy: StoragePolicy) -> tuple[str, dict[str, Any]] | None:
    for spec, options in _uncropped(policy):
        try:
            urls().prepared(policy.name, spec, options)
        except WrongSpec:
            continue
        return spec, options
    return None


def _uncropped(policy: StoragePolicy) -> Iterator[tuple[str, dict[str, Any]]]:
    """What shows all of a picture, best first: the size of a preview, an allowed size, a preset."""
    contain = {"fit": Fit.CONTAIN.value}
    yield f"{SIDE}x{SIDE}", contain
    for size in sorted(policy.sizes or (), key=_distance_of_size):
        yield size, contain
    whole = [(name, each.transform) for name, each in policy.presets.items() if _is_whole(each.transform)]
    for name, _ in sorted(whole, key=lambda row: _distance(row[1].width, row[1].height)):
        yield name, {}


def _is_whole(transform: Transform) -> bool:
    """Whether a point of the thumbnail is the same point, in fractions of its sides, of the original."""
    is_plain = replace(transform, crop=None, trim=None, rotate=0, flip=False, flop=False, padding=NO_PADDING)
    if is_plain != transform or transform.fit in (Fit.FILL, Fit.STRETCH) or transform.format == JSON:
        return False
    return transform.fit is Fit.CONTAIN or transform.width is None or transform.height is None


def _distance_of_size(size: str) -> float:
    width, _, height = size.partition("x")
    return _distance(int(width) if width else None, int(height) if height else None)


def _distance(width: int | None, height: int | None) -> float:
    """How far a size is from that of a preview; one without limits is the last."""
    return abs(max(width or 0, height or 0) - SIDE) if width or height else float("inf")
