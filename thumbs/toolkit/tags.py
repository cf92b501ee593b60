"""The template tags as functions of their arguments, and the node that calls them and says where a mistake is."""

import copy
import inspect
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.template import Context, Node, TemplateSyntaxError
from django.template.base import FilterExpression, Origin, Parser, Token, Variable, VariableDoesNotExist
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from thumbs.errors import ThumbError
from thumbs.image.outputs import JSON
from thumbs.site.links import UnknownStorage
from thumbs.toolkit.elements import divided, img_attributes
from thumbs.toolkit.errors import NoThumbnail, WrongSpec
from thumbs.toolkit.files import file_of
from thumbs.toolkit.links import thumb_url
from thumbs.toolkit.picture import Picture, check, picture, wanted_of
from thumbs.toolkit.thumb import NO_PICTURE, NONE, Thumb, nothing, stand_in, thumb
from thumbs.toolkit.urls import refusal, urls

logger = logging.getLogger("thumbs")

Tag = Callable[..., object]
_KEYWORD = re.compile(r"([A-Za-z_@:][\w:.-]*)=(.+)", re.DOTALL)
_FLAGS = ("priority", "upscale", "linear", "flip", "flop", "grayscale", "gray")
# Of a call of `thumb`; the other keyword arguments of an element are filters or attributes.
_OF_A_URL = ("storage", "version", "lifetime", "name")
# Of a call of `picture` besides those; each has its own meaning there. In `thumb_img`, `sizes` is the attribute.
_OF_A_PICTURE = ("widths", "densities", "sizes", "formats", "ratio", "grid")
_OF_AN_ELEMENT = ("alt", "empty", "priority")
_MOST_REPORTED = 100  # lifetimes of one tag, or of one environment: their names are those of variables
_UNDEFINED = object()
_MISTAKES = (WrongSpec, UnknownStorage, NoThumbnail, ThumbError, TypeError, ValueError)


def thumb_tag(source: object, spec: str = "x", **options: Any) -> Thumb:
    """`{% thumb photo.image "card" format="webp" %}`: the URL; with `as t`, the `Thumb`."""
    return thumb(source, spec, **options)  # type: ignore[arg-type]


def thumb_img_tag(
    source: object, spec: str = "x", *, alt: object = "", empty: str = "", priority: object = False, **keywords: Any
) -> SafeString:
    """`{% thumb_img photo.image "card" alt=photo.title class="rounded" %}`: an `<img>`."""
    _require_one_thumbnail(keywords)
    of_url = {name: keywords.pop(name) for name in _OF_A_URL if name in keywords}
    options, attributes = divided(keywords)
    if empty and file_of(source) is None:  # no mistake, in strict mode neither
        urls().check(spec, options, of_url.get("storage"))
        made = NONE
    else:
        made = thumb(source, spec, **of_url, **options)  # type: ignore[arg-type]
    if empty and not made:
        return stand_in(empty, img_attributes(alt, attributes, priority=priority))
    return made.img(alt, priority=priority, **attributes)


def thumb_picture_tag(source: object, spec: str = "x", **keywords: Any) -> Picture:
    """`{% thumb_picture photo.image "hero" widths="400 800" %}`: a `<picture>`."""
    return picture(source, spec, **keywords)  # type: ignore[arg-type]


def thumb_url_tag(
    storage: str,
    path: object,
    size: str,
    filters: str | None = "",
    name: str | None = None,
    lifetime: float | None = None,
) -> str:
    """`{% thumb_url "uploads" photo.image "400x300" "format(webp)" %}`: the URL; empty without a picture."""
    current = urls()
    prepared, _ = current.from_text(storage, size, filters or "")
    refused = refusal(prepared)
    if refused is not None:
        raise refused
    file = file_of(path)
    if file is None:
        return nothing(current, "", "a blank source").url
    try:
        return thumb_url(storage, path, size, filters=filters or "", name=name or None, lifetime=lifetime)  # type: ignore[arg-type]
    except ThumbError as error:
        return nothing(current, file.name, error.detail).url


class ThumbNode(Node):
    """A tag that calls a function with what its arguments are in the context."""

    def __init__(
        self,
        tag: Tag,
        arguments: list[FilterExpression],
        keywords: dict[str, FilterExpression],
        *,
        variable: str | None,
        lifetime: FilterExpression | None,
    ) -> None:
        self._tag = tag
        self._arguments = arguments
        self._keywords = keywords
        self._variable = variable
        self._lifetime = lifetime
        self._reported: set[str] = set()

    def render(self, context: Context) -> str:
        arguments = [_resolved(each, context) for each in self._arguments]
        keywords = {name: _resolved(each, context) for name, each in self._keywords.items()}
        try:
            if self._lifetime is not None and _is_undefined(self._lifetime, context):
                report_endless(self._lifetime.token, self._reported, _place(self.origin, self.token))
            made = self._tag(*arguments, **keywords)
        except _MISTAKES as error:
            raise _located(error, _place(self.origin, self.token)) from error
        if self._variable is not None:
            context[self._variable] = made
            return ""
        return conditional_escape(made) if context.autoescape else str(made)  # type: ignore[arg-type]


def report_endless(lifetime: str, reported: set[str], place: str = "") -> None:
    """Log that a URL never expires, although the template has a lifetime, unless it is among those `reported`.

    Raises `WrongSpec` with `STRICT`.
    """
    sentence = f"lifetime={lifetime} is undefined: the URL never expires."
    if urls().strict:
        raise WrongSpec(sentence)
    if lifetime not in reported and len(reported) < _MOST_REPORTED:
        reported.add(lifetime)
        logger.warning("%s", f"{sentence} {place}".rstrip())


def compiled(tag: Tag, parser: Parser, token: Token) -> ThumbNode:
    """The node of a tag `{% name source "spec" key=value as variable %}`. Raises TemplateSyntaxError."""
    place = _place(parser.origin, token)
    try:
        arguments, keywords, variable = _parsed(parser, token)
        bound = inspect.signature(tag).bind(*arguments, **keywords).arguments
        if tag is not thumb_url_tag:
            _check(tag, arguments[1:], keywords)
    except (WrongSpec, UnknownStorage, TypeError) as error:
        raise TemplateSyntaxError(f"{token.contents.split()[0]}: {error} {place}") from error
    lifetime = keywords.get("lifetime", bound.get("lifetime"))
    return ThumbNode(tag, arguments, keywords, variable=variable, lifetime=lifetime)


def _parsed(parser: Parser, token: Token) -> tuple[list[FilterExpression], dict[str, FilterExpression], str | None]:
    """The arguments of a tag, those with names, and the name after `as`. Raises TypeError for what is neither."""
    _, *bits = token.split_contents()
    variable = None
    if len(bits) >= 2 and bits[-2] == "as":
        variable = bits[-1]
        bits = bits[:-2]
    arguments: list[FilterExpression] = []
    keywords: dict[str, FilterExpression] = {}
    for bit in bits:
        match = _KEYWORD.fullmatch(bit)
        flag = match is None and bit in _FLAGS and bool(arguments)
        name = match[1] if match is not None else bit
        if match is None and not flag:
            if keywords:
                raise TypeError(f"{bit!r} stands after arguments with names.")
            arguments.append(parser.compile_filter(bit))
        elif name in keywords:
            raise TypeError(f"{name!r} stands twice.")
        else:
            keywords[name] = parser.compile_filter("True" if match is None else match[2])
    return arguments, keywords, variable


def _check(tag: Tag, specs: list[FilterExpression], keywords: Mapping[str, FilterExpression]) -> None:
    """Raise `WrongSpec` or `UnknownStorage` for a mistake in what does not depend on the context."""
    if tag is thumb_img_tag:
        _require_one_thumbnail(keywords)
    of_picture = _OF_A_PICTURE if tag is thumb_picture_tag else ()
    others = (*_OF_A_URL, *of_picture, *(_OF_AN_ELEMENT if tag is not thumb_tag else ()))
    named = {name: each for name, each in keywords.items() if name not in others}
    options = named if tag is thumb_tag else divided(named)[0]
    given = {name: keywords[name] for name in ("storage", *of_picture) if name in keywords}
    spec = specs[0] if specs else None
    if not all(map(_is_constant, (*filter(None, [spec]), *options.values(), *given.values()))):
        return
    known = {name: each.resolve(Context()) for name, each in given.items()}
    text = "x" if spec is None else spec.resolve(Context())
    filters = {name: each.resolve(Context()) for name, each in options.items()}
    if tag is not thumb_tag and JSON in (filters.get("format"), filters.get("fmt")):
        raise WrongSpec(NO_PICTURE)
    if tag is thumb_picture_tag:
        wanted = wanted_of(text, *(known.get(name) for name in of_picture))
        check(urls(), wanted, filters, known.get("storage"))
    else:
        urls().check(text, filters, known.get("storage"))


def _require_one_thumbnail(keywords: Mapping[str, object]) -> None:
    """Raise `WrongSpec` for an option of `thumb_picture` among those of `thumb_img`."""
    for name in _OF_A_PICTURE:
        if name in keywords and name != "sizes":
            raise WrongSpec(f"{name}= is an option of thumb_picture: thumb_img shows one thumbnail.")


def _is_undefined(expression: FilterExpression, context: Context) -> bool:
    """Whether the argument of a tag is None because its variable does not exist."""
    return _resolved(expression, context) is None and _value(expression.var, context) is _UNDEFINED


def _resolved(expression: FilterExpression, context: Context) -> object:
    """The argument of a tag. An undefined variable is None, unless filters make more of it than empty text."""
    value = _value(expression.var, context)
    undefined = value is _UNDEFINED
    if not expression.filters:
        return None if undefined else value
    filtered = copy.copy(expression)
    # As everywhere in templates; filters of text would make "None" of None.
    filtered.var, filtered.is_var = "" if undefined else value, False
    made = filtered.resolve(context)
    return None if undefined and made == "" else made


def _value(variable: object, context: Context) -> object:
    """What a variable or a constant is, and `_UNDEFINED` for a variable that does not exist."""
    if not isinstance(variable, Variable):
        return variable
    try:
        value = variable.resolve(context)
    except VariableDoesNotExist:
        return _UNDEFINED
    # Django gives this text for a row that is missing; it is meant to be read on the page.
    engine = getattr(context.template, "engine", None)
    return _UNDEFINED if value and value is getattr(engine, "string_if_invalid", None) else value


def _is_constant(expression: FilterExpression) -> bool:
    value = expression.var
    return not expression.filters and not (isinstance(value, Variable) and value.lookups is not None)


def _place(origin: Origin | None, token: Token | None) -> str:
    template = getattr(origin, "template_name", None) or getattr(origin, "name", None) or "a template"
    return f"({template}, line {getattr(token, 'lineno', None) or '?'})"


def _located(error: Exception, place: str) -> Exception:
    """The same error with the template and the line in its text."""
    text = error.detail if isinstance(error, ThumbError) else str(error)
    if isinstance(error, WrongSpec):
        return WrongSpec(f"{text} {place}", error.mistakes)
    if isinstance(error, (ThumbError, WrongSpec, UnknownStorage, NoThumbnail)):
        return type(error)(f"{text} {place}")
    return (TypeError if isinstance(error, TypeError) else ValueError)(f"{text} {place}")
