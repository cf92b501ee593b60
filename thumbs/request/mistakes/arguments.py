"""Finds the wrong arguments of a filter, and right ones near them. Whether they are wrong is decided by `filters`."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from thumbs.errors import BadFilter
from thumbs.image import colors
from thumbs.image.formats import OUTPUT_NAMES
from thumbs.image.limits import MAX_SIDE
from thumbs.image.outputs import DATA, JSON
from thumbs.image.transforms import AUTO, MAX_SHARPEN_SIGMA, MAX_SIGMA, MIN_SIGMA, ORIGINAL, Attention, Compass, Fit
from thumbs.problems import closest
from thumbs.request.filter_kinds import Filter
from thumbs.request.filters import read_arguments
from thumbs.request.mistakes.located import Mistake, Span, corrected
from thumbs.request.scalars import NAME, SECONDS, TOKEN, decimal, decimal_text, matched, signed, whole

_MOST = 999_999_999  # of a whole number in a URL, see `scalars.whole`
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?|[-+]?\.[0-9]+")
_UNITS = {"": 1, "px": 1, "%": 1, "x": 1, "deg": 1, "b": 1, "k": 1000, "kb": 1000, "m": 10**6, "mb": 10**6}
_HEX = re.compile(r"[0-9a-f]+")
_NO_ALIASES: Mapping[str, str] = MappingProxyType({})


class Kind(NamedTuple):
    """A kind of argument. `read` raises ValueError or KeyError for a wrong text; `near` is a right one, or empty."""

    read: Callable[[str], object]
    near: Callable[[str], str]


class Flaw(NamedTuple):
    """A wrong part of the arguments, a right one if any is near, and a sentence if that of the filter is not enough."""

    part: Span
    near: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """The kinds of a filter's arguments, of which `least` are needed, and a rule for all of them together."""

    kinds: tuple[Kind, ...]
    least: int
    rule: Callable[[Span], Iterator[Flaw]] = lambda _: iter(())

    def flaws(self, arguments: Span) -> Iterator[Flaw]:
        parts = list(arguments.split(",")) if len(self.kinds) > 1 else [arguments]
        wrong = [
            Flaw(part, kind.near(part.text))
            for part, kind in zip(parts, self.kinds, strict=False)
            if not _is_read(kind, part.text)
        ]
        yield from wrong
        if len(parts) > len(self.kinds):
            extra = parts[len(self.kinds)].offset - arguments.offset
            yield Flaw(arguments.at(max(0, extra - 1)))
        elif not wrong and len(parts) >= self.least:
            yield from self.rule(arguments)


def read_or_locate(row: Filter, arguments: Span, whole_filter: Span) -> tuple[dict[str, object] | None, list[Mistake]]:
    """The fields that the filter `row` sets, and its mistakes.

    Of wrong arguments, the fields are those of the nearest right ones; None where these are not known. `whole_filter`
    is the filter as it stands in the text.
    """
    try:
        return read_arguments(row, arguments.text), []
    except BadFilter as error:
        sentence = error.detail
    if not arguments.text:
        return None, [whole_filter.mistake(sentence)]
    if row.takes_nothing:  # nor parentheses, where there are any
        in_url = whole_filter.end > arguments.end
        wrong = whole_filter.mistake(sentence, row.name) if in_url else arguments.mistake(sentence)
        return read_arguments(row, ""), [wrong]
    flaws = list(SHAPES[row.name].flaws(arguments)) or [Flaw(arguments)]
    mistakes = [flaw.part.mistake(flaw.sentence or sentence, flaw.near) for flaw in flaws]
    if all(mistake.nearest for mistake in mistakes):
        fixed = corrected(arguments.text, mistakes, offset=arguments.offset)
        try:
            return read_arguments(row, fixed), mistakes
        except BadFilter:
            return None, [flaw.part.mistake(flaw.sentence or sentence) for flaw in flaws]
    return None, mistakes


def _is_read(kind: Kind, text: str) -> bool:
    try:
        kind.read(text)
    except (ValueError, KeyError):
        return False
    return True


# --------------------------------------------------------------------------------------- kinds


def near_name(text: str, known: tuple[str, ...], aliases: Mapping[str, str] = _NO_ALIASES) -> str:
    """The name of `known` that `text` is a misspelling of, or another system's word for; empty when there is none."""
    plain = text.strip(" '\"").lower()
    return plain if plain in known else aliases.get(plain) or closest(plain, known)


def _names(*names: str, **aliases: str) -> Kind:
    known = tuple(map(str, names))  # not members of an Enum

    def read(text: str) -> str:
        return {name: name for name in known}[text]

    return Kind(read, lambda text: near_name(text, known, aliases))


def _number(least: float, most: float, *, places: int = 0) -> Kind:
    scalar = signed if least < 0 else decimal if places else whole

    def read(text: str) -> float:
        value = scalar(text)
        if not least <= value <= most:
            raise ValueError("outside the range")
        return value

    def near(text: str) -> str:
        value = _value(text)
        return "" if value is None else decimal_text(round(min(max(value, least), most), places) + 0.0)

    return Kind(read, near)


def _value(text: str) -> float | None:
    """The number that `text` spells in another way, perhaps with a unit."""
    plain = text.strip().lower().replace("_", "")
    found = _NUMBER.match(plain)
    unit = _UNITS.get(plain[found.end() :].strip()) if found else None
    value = None if found is None or unit is None else float(found[0]) * unit
    return value if value is not None and math.isfinite(value) else None


def _near_color(text: str) -> str:
    plain = text.strip(" #'\"").lower().removeprefix("0x")
    if _is_read(COLOR, plain):
        return plain
    return "" if _HEX.fullmatch(plain) else closest(plain, [*colors.NAMED, "transparent"])


COLOR = Kind(colors.parse, _near_color)
_NAMED = Kind(
    lambda text: matched(NAME, text), lambda text: text.strip().lower() if NAME.fullmatch(text.strip().lower()) else ""
)
_VERSION = Kind(lambda text: matched(TOKEN, text), lambda text: re.sub(r"[^A-Za-z0-9._~-]+", "-", text)[:64])
_TURN = Kind(
    {"90": 90, "180": 180, "270": 270}.__getitem__,
    lambda text: {90: "90", 180: "180", 270: "270"}.get(round((_value(text) or 0) % 360 / 90) * 90, ""),
)
# Milliseconds have 13 digits.
_TIME = Kind(
    lambda text: matched(SECONDS, text), lambda text: text[:-3] if re.fullmatch(r"[1-9][0-9]{12}", text) else ""
)
_PART_OF_DATA = _names(*DATA, average="color", dominant="color", blurhash="thumbhash", placeholder="thumbhash")
_COUNT = _number(1, _MOST)
_FRAMES = Kind(
    lambda text: text in ("first", "all") or _COUNT.read(text),
    lambda text: near_name(text, ("first", "all")) or _COUNT.near(text),
)
_PIXELS = _number(0, _MOST)
_PERCENT = _number(0, 100, places=6)
_FRACTION = _number(0, 1, places=6)
_OFFSETS = (_number(-_MOST, _MOST),) * 2

# Words of other systems (imgproxy, Cloudinary, CSS) for a direction.
_DIRECTIONS = dict(
    pair.split(":")
    for pair in (
        *("top:north", "bottom:south", "left:west", "right:east", "middle:center", "c:center", "ce:center"),
        *("n:north", "e:east", "s:south", "w:west", "no:north", "ea:east", "so:south", "we:west"),
        *("ne:northeast", "nw:northwest", "se:southeast", "sw:southwest"),
        *("noea:northeast", "nowe:northwest", "soea:southeast", "sowe:southwest"),
    )
)
_ATTENTIONS = {"face": "smart", "faces": "smart", "auto": "smart", "attention": "smart", "sm": "smart"}


# --------------------------------------------------------------------------------------- rules


def _edges(arguments: Span) -> Iterator[Flaw]:
    """A crop whose edges are not in order: the wrong axis, or all four with the edges exchanged."""
    parts = list(arguments.split(","))
    x1, y1, x2, y2 = (float(part.text) for part in parts)
    sentences = {0: "left must be less than right.", 1: "top must be less than bottom."}
    wrong = [axis for axis, (low, high) in enumerate(((x1, x2), (y1, y2))) if low >= high]
    if x1 == x2 or y1 == y2:
        yield from (Flaw(parts[axis + 2], sentence=f"Of a crop, {sentences[axis]}") for axis in wrong)
        return
    ordered = [parts[axis].text for axis in range(4)]
    for axis in wrong:
        ordered[axis], ordered[axis + 2] = ordered[axis + 2], ordered[axis]
    if wrong:
        yield Flaw(arguments, ",".join(ordered), "Of a crop, " + " ".join(sentences[axis] for axis in wrong))


def _only_fill(arguments: Span) -> Iterator[Flaw]:
    fit, color = arguments.split(",")
    if fit.text != Fit.FILL:
        yield Flaw(arguments, f"{Fit.FILL},{color.text}", f"Only fill takes a color, {fit.text} takes none.")


def _each_once(arguments: Span) -> Iterator[Flaw]:
    parts = [part.text for part in arguments.split(",")]
    once = list(dict.fromkeys(parts))
    if once != parts:
        yield Flaw(arguments, ",".join(once), f"{once[0]} may stand only once.")


class _Crop(Shape):
    """Four edges; or a size, a direction and its offsets."""

    def flaws(self, arguments: Span) -> Iterator[Flaw]:
        parts = arguments.text.split(",")
        if len(parts) > 2 and parts[2][:1].isalpha():
            yield from Shape((_PIXELS, _PIXELS, _names(*Compass, "focus", **_DIRECTIONS), *_OFFSETS), 3).flaws(
                arguments
            )
        else:
            yield from super().flaws(arguments)


class _Gravity(Shape):
    """A name, also with two offsets, or a point of two fractions."""

    def flaws(self, arguments: Span) -> Iterator[Flaw]:
        if "," in arguments.text and arguments.text[:1].isalpha():
            yield from Shape((*self.kinds, *_OFFSETS), 3).flaws(arguments)
            return
        numbers = [float(number) for number in _NUMBER.findall(arguments.text)]
        if "," in arguments.text and len(numbers) == 2 and max(numbers) <= 2:
            yield from Shape((_FRACTION, _FRACTION), 2).flaws(arguments)
        elif len(numbers) == 2:  # in percent, or with another sign between them
            fractions = (number / 100 if number > 1 else number for number in numbers)
            yield Flaw(arguments, ",".join(_FRACTION.near(decimal_text(fraction)) for fraction in fractions))
        else:
            yield from super().flaws(arguments)


_YES_OR_NO = _names("yes", "no", true="yes", on="yes", false="no", off="no", **{"1": "yes", "0": "no"})
SHAPES: dict[str, Shape] = {
    "format": Shape((_names(*OUTPUT_NAMES, AUTO, JSON, ORIGINAL, jfif="jpeg", jpe="jpeg", apng="png"),), 1),
    "quality": Shape((_number(1, 100),), 1),
    "fit": Shape(
        (_names(*Fit, crop="cover", inside="contain", pad="fill", scale="stretch"), COLOR),
        1,
        lambda arguments: _only_fill(arguments) if "," in arguments.text else iter(()),
    ),
    "crop": _Crop((_PIXELS,) * 4, 4, _edges),
    "pcrop": Shape((_PERCENT,) * 4, 4, _edges),
    "gravity": _Gravity((_names(*Compass, *Attention, **_DIRECTIONS, **_ATTENTIONS),), 1),
    "upscale": Shape(
        (_names("yes", "no", "ratio", true="yes", on="yes", false="no", off="no", **{"1": "yes", "0": "no"}),), 1
    ),
    "linear": Shape((_YES_OR_NO,), 1),
    "dpr": Shape((_number(1, 4, places=6),), 1),
    "trim": Shape((_number(0, 255), COLOR), 1),
    "rotate": Shape((_TURN,), 1),
    "blur": Shape((_number(MIN_SIGMA, MAX_SIGMA, places=6),), 1),
    "sharpen": Shape((_number(MIN_SIGMA, MAX_SHARPEN_SIGMA, places=6),), 1),
    **{name: Shape((_number(-100, 100),), 1) for name in ("brightness", "contrast", "saturation")},
    "padding": Shape((_number(0, MAX_SIDE),) * 4, 1),
    "background": Shape((COLOR,), 1),
    "watermark": Shape((_NAMED, _names(*Compass, **_DIRECTIONS), _number(0, 100), _FRACTION, *_OFFSETS), 1),
    "align": _Gravity((_names(*Compass, **_DIRECTIONS),), 1),
    "frames": Shape((_FRAMES,), 1),
    "max_bytes": Shape((_COUNT,), 1),
    "data": Shape((_PART_OF_DATA,) * len(DATA), 1, _each_once),
    "version": Shape((_VERSION,), 1),
    "preset": Shape((_NAMED,), 1),
    "expires": Shape((_TIME,), 1),
}
