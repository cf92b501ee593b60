"""Serializer fields of Django REST framework for thumbnails. They are read-only, and ask no storage or database."""

import contextlib
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from rest_framework.serializers import Field

from thumbs.request.filters import find
from thumbs.site.links import policy_of
from thumbs.toolkit.errors import WrongSpec
from thumbs.toolkit.picture import Candidates, Picture, picture
from thumbs.toolkit.thumb import Thumb, thumb
from thumbs.toolkit.urls import urls

_OWN = ("storage", "version", "lifetime")  # keywords of `thumb` that are no filters
# What the description of a picture may have beside its spec.
_KEYS = ("spec", "widths", "densities", "sizes", "formats", "ratio", "grid")


class _ReadOnlyField(Field):  # type: ignore[misc]  # it has no types
    """A field that is None for a blank file, and for a row without the relation that leads to the file."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_null": True, **kwargs, "read_only": True})

    def absolute(self, url: str) -> str:
        """`url` with the scheme and host of the request in the serializer's context, if it has one."""
        request = self.context.get("request")
        return url if request is None else str(request.build_absolute_uri(url))


class ThumbField(_ReadOnlyField):
    """A thumbnail as `{"url", "width", "height"}`; None for a blank file. The sizes are null where unknown.

    `spec`, filters, `storage`, `version` and `lifetime` are as for `thumbs.thumb`; the other keywords are those of
    every field, such as `source`. The URL is absolute by the request in the serializer's context; without one it is as
    `thumbs.thumb` gives it. Raises `WrongSpec` as soon as a serializer uses it.
    """

    def __init__(self, spec: str = "x", /, **keywords: Any) -> None:
        self.spec = spec
        self.options, keywords = _divided(keywords, _OWN)
        super().__init__(**keywords)

    def bind(self, field_name: str, parent: Any) -> None:
        super().bind(field_name, parent)
        _check(self.spec, self.options)

    def to_representation(self, value: Any) -> dict[str, object] | None:
        if not value:
            return None
        made = thumb(value, self.spec, **self.options)
        return self._of(made) if made else None

    def _of(self, made: Thumb) -> dict[str, object]:
        return {"url": self.absolute(made.url), "width": made.width, "height": made.height}


class PictureField(_ReadOnlyField):
    """Pictures by name, each with its candidates; None for a blank file.

    `pictures` is such as `{"card": "card", "hero": ("hero", [400, 800])}`. Each is a spec, a spec and widths, or a
    mapping of `spec`, `widths`, `densities`, `sizes`, `formats`, `ratio`, `grid` and filters, as for `thumbs.picture`.
    It is shown as `{"url", "width", "height", "type", "srcset", "sizes", "sources"}`: `sources` are the modern formats,
    best first, each as `{"type", "srcset"}`. The rest is as for `ThumbField`.
    """

    def __init__(self, pictures: Mapping[str, Any], /, **keywords: Any) -> None:
        options, keywords = _divided(keywords, _OWN)
        described = {name: _described(name, each) for name, each in pictures.items()}
        self.pictures = {name: (spec, {**options, **own}) for name, (spec, own) in described.items()}
        super().__init__(**keywords)

    def bind(self, field_name: str, parent: Any) -> None:
        super().bind(field_name, parent)
        for spec, options in self.pictures.values():
            _check(spec, options)

    def to_representation(self, value: Any) -> dict[str, object] | None:
        if not value:
            return None
        return {name: self._of(picture(value, spec, **options)) for name, (spec, options) in self.pictures.items()}

    def _of(self, made: Picture) -> dict[str, object] | None:
        if not made or made.fallback is None:
            return None
        return {
            "url": self.absolute(made.img.url),
            "width": made.img.width,
            "height": made.img.height,
            "type": made.img.content_type,
            "srcset": self._srcset(made.fallback),
            "sizes": made.sizes,
            "sources": [{"type": each.content_type, "srcset": self._srcset(each)} for each in made.sources],
        }

    def _srcset(self, candidates: Candidates) -> str:
        rows = tuple((self.absolute(url), descriptor) for url, descriptor in candidates.urls)
        return Candidates(candidates.content_type, rows).srcset


def _divided(keywords: dict[str, Any], own: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keywords of a thumbnail, and those of a serializer field."""
    options = {name: value for name, value in keywords.items() if name in own or find(name) is not None}
    return options, {name: value for name, value in keywords.items() if name not in options}


def _check(spec: str, options: Mapping[str, Any]) -> None:
    """Raise `WrongSpec` or `UnknownStorage` for what is wrong for every file."""
    urls().check(spec, {name: value for name, value in options.items() if find(name) is not None})
    if options.get("storage") is not None:
        policy_of(options["storage"])


def _described(name: str, wanted: Any) -> tuple[str, dict[str, Any]]:
    """The spec and the options of a picture. Raises `WrongSpec`."""
    if isinstance(wanted, str):
        return wanted, {}
    if isinstance(wanted, Mapping):
        unknown = [key for key in wanted if key not in _KEYS and find(key) is None]
        if unknown:
            raise WrongSpec(f"The picture {name!r} has no {unknown[0]!r}: it has {', '.join(_KEYS)} and filters.")
        return wanted.get("spec", "x"), {key: value for key, value in wanted.items() if key != "spec"}
    with contextlib.suppress(TypeError, ValueError):
        spec, widths = wanted
        if isinstance(spec, str) and not isinstance(widths, str):
            return spec, {"widths": tuple(widths)}
    raise WrongSpec(f"The picture {name!r} is a spec, a spec and widths, or a mapping, not {wanted!r}.")


if find_spec("drf_spectacular") is not None:
    # Registers the schemas of the two fields.
    import_module("thumbs.toolkit.integrations.rest_schema")
