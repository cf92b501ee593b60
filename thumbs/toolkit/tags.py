"""The template tags as functions of their arguments, and the node that calls them and says where a mistake is."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.template import Context, Node, TemplateSyntaxError
from django.template.base import FilterExpression, Origin, Parser, Token, Variable
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from thumbs.errors import BadPath, TargetTooLong, ThumbError
from thumbs.site.links import UnknownStorage
from thumbs.toolkit.elements import divided
from thumbs.toolkit.errors import NoThumbnail, WrongSpec
from thumbs.toolkit.files import file_of
from thumbs.toolkit.links import thumb_url
from thumbs.toolkit.picture import Picture, picture
from thumbs.toolkit.thumb import Thumb, nothing, thumb
from thumbs.toolkit.urls import urls

Tag = Callable[..., object]
_KEYWORD = re.compile(r"([A-Za-z_@:][\w:.-]*)=(.+)", re.DOTALL)
_FLAGS = ("priority", "upscale", "flip", "flop", "grayscale", "gray")
# Of a call of `thumb`; the other keyword arguments of an element are filters or attributes.
_OF_A_URL = ("storage", "version", "lifetime", "name")
_MISTAKES = (WrongSpec, UnknownStorage, NoThumbnail, ThumbError, TypeError, ValueError)


def thumb_tag(source: object, spec: str = "x", **options: Any) -> Thumb:
    """`{% thumb photo.image "card" format="webp" %}`: the URL; with `as t`, the `Thumb`."""
    return thumb(source, spec, **options)  # type: ignore[arg-type]


def thumb_img_tag(source: object, spec: str = "x", *, alt: object = "", **keywords: Any) -> SafeString:
    """`{% thumb_img photo.image "card" alt=photo.title class="rounded" %}`: an `<img>`."""
    of_url = {name: keywords.pop(name) for name in _OF_A_URL if name in keywords}
    options, attributes = divided(keywords)
    return thumb(source, spec, **of_url, **options).img(alt, **attributes)  # type: ignore[arg-type]


def thumb_picture_tag(source: object, spec: str = "x", **keywords: Any) -> Picture:
    """`{% thumb_picture photo.image "hero" widths="400 800" %}`: a `<picture>`."""
    return picture(source, spec, **keywords)  # type: ignore[arg-type]


def thumb_url_tag(
    storage: str, path: object, size: str, filters: str = "", name: str | None = None, lifetime: float | None = None
) -> str:
    """`{% thumb_url "uploads" photo.image "400x300" "format(webp)" %}`: the URL; empty without a picture."""
    file = file_of(path)
    if file is None:
        return nothing(urls(), "", "a blank source").url
    try:
        return thumb_url(storage, path, size, filters=filters, name=name, lifetime=lifetime)  # type: ignore[arg-type]
    except (BadPath, TargetTooLong) as error:
        return nothing(urls(), file.name, error.detail).url


class ThumbNode(Node):
    """A tag that calls a function with what its arguments are in the context."""

    def __init__(
        self, tag: Tag, arguments: list[FilterExpression], keywords: dict[str, FilterExpression], variable: str | None
    ) -> None:
        self._tag = tag
        self._arguments = arguments
        self._keywords = keywords
        self._variable = variable

    def render(self, context: Context) -> str:
        # An undefined source is None. Other arguments are as everywhere in templates.
        arguments = [each.resolve(context, ignore_failures=True) for each in self._arguments]
        keywords = {name: each.resolve(context, ignore_failures=True) for name, each in self._keywords.items()}
        try:
            made = self._tag(*arguments, **keywords)
        except _MISTAKES as error:
            raise _located(error, _place(self.origin, self.token)) from error
        if self._variable is not None:
            context[self._variable] = made
            return ""
        return conditional_escape(str(made)) if isinstance(made, Thumb) else str(made)


def compiled(tag: Tag, parser: Parser, token: Token) -> ThumbNode:
    """The node of a tag `{% name source "spec" key=value as variable %}`. Raises TemplateSyntaxError."""
    name, *bits = token.split_contents()
    variable = None
    if len(bits) >= 2 and bits[-2] == "as":
        variable = bits[-1]
        bits = bits[:-2]
    arguments: list[FilterExpression] = []
    keywords: dict[str, FilterExpression] = {}
    for bit in bits:
        match = _KEYWORD.fullmatch(bit)
        if match is not None:
            keywords[match[1]] = parser.compile_filter(match[2])
        elif bit in _FLAGS and arguments:
            keywords[bit] = parser.compile_filter("True")
        elif keywords:
            raise TemplateSyntaxError(f"{name}: {bit!r} stands after arguments with names.")
        else:
            arguments.append(parser.compile_filter(bit))
    if not 1 <= len(arguments) <= 2:
        raise TemplateSyntaxError(f'{name} takes a picture, and a preset or a size: {{% {name} photo.image "card" %}}.')
    place = _place(parser.origin, token)
    named = {key: each for key, each in keywords.items() if key not in _OF_A_URL}
    try:
        options = named if tag is thumb_tag else divided(named)[0]
    except WrongSpec as error:
        raise TemplateSyntaxError(f"{error} {place}") from error
    _check(arguments[1:], options, place)
    return ThumbNode(tag, arguments, keywords, variable)


def _check(specs: list[FilterExpression], options: Mapping[str, FilterExpression], place: str) -> None:
    """Raise TemplateSyntaxError for a mistake in what does not depend on the context."""
    if not all(map(_is_constant, (*specs, *options.values()))):
        return
    spec = specs[0].resolve(Context()) if specs else "x"
    try:
        urls().check(spec, {name: each.resolve(Context()) for name, each in options.items()})
    except WrongSpec as error:
        raise TemplateSyntaxError(f"{error} {place}") from error


def _is_constant(expression: FilterExpression) -> bool:
    value = expression.var
    return not expression.filters and not (isinstance(value, Variable) and value.lookups is not None)


def _place(origin: Origin | None, token: Token | None) -> str:
    template = getattr(origin, "template_name", None) or getattr(origin, "name", None) or "a template"
    return f"({template}, line {getattr(token, 'lineno', None) or '?'})"


def _located(error: Exception, place: str) -> Exception:
    """The same error with the template and the line in its text."""
    text = error.detail if isinstance(error, ThumbError) else str(error)
    return type(error)(f"{text} {place}")
