"""Finds the mistakes of the filters of a URL, each on its own: spelling, unknown names, arguments, repetitions."""

import re
from dataclasses import dataclass

from thumbs.problems import closest, nearest
from thumbs.request.filter_codecs import Fields
from thumbs.request.filter_kinds import Filter
from thumbs.request.filters import BY_NAME, FILTER
from thumbs.request.mistakes.arguments import read_or_locate
from thumbs.request.mistakes.located import Mistake, Span, corrected

# A filter in a spelling that is nearly right: other brackets, an equals sign, blanks, capitals, hyphens.
_LOOSE = re.compile(r"([A-Za-z][A-Za-z_-]*)\s*(?:[\[({=:](.*))?", re.DOTALL)
_CALL = re.compile(r"([A-Za-z_-]+)\(([^()]*)\)")
_BETWEEN_CALLS = re.compile(r"[\s,:&|+]*")
_WRITTEN = "A filter is written name(arguments), as in quality(70)."
# The crop of both is one field of a transform.
_SAME = {"pcrop": "crop"}


@dataclass(frozen=True, slots=True)
class Part:
    """A filter of a text.

    `whole` is the filter as it is written, `arguments` the text in its parentheses. `fields` are those that it sets; if
    it is wrong, those of the nearest right filter, or None where there is none near.
    """

    row: Filter
    whole: Span
    arguments: Span
    fields: Fields | None


@dataclass(frozen=True, slots=True)
class Parts:
    """The filters of a text that have a known name, or nearly one. `complete`: nothing of the text was left out."""

    filters: tuple[Part, ...] = ()
    complete: bool = True

    @property
    def fields(self) -> Fields:
        """What all filters set; of two that set the same, the first counts."""
        return {name: value for part in reversed(self.filters) for name, value in (part.fields or {}).items()}

    def named(self, name: str) -> Part | None:
        """The first filter with the long name `name`."""
        return next((part for part in self.filters if part.row.name == name), None)


def read_filters(spelled: Span) -> tuple[Parts, list[Mistake]]:
    """The filters of `spelled`, the text after `filters:`, and their mistakes."""
    pieces = list(spelled.split(";"))
    if spelled.text.strip(";") == "":
        return Parts(), [spelled.mistake(f"Here is no filter. {_WRITTEN}")]
    found: list[Part] = []
    mistakes: list[Mistake] = []
    complete = True
    for number, piece in enumerate(pieces):
        if not piece.text:
            semicolon = piece.offset - spelled.offset if number == 0 else piece.offset - spelled.offset - 1
            mistakes.append(
                spelled.at(semicolon, semicolon + 1).mistake("A semicolon stands between two filters only.")
            )
            continue
        parts, wrong = _read_piece(piece)
        complete = complete and bool(parts) and all(part.fields is not None for part in parts)
        mistakes += wrong
        found += parts
    return Parts(tuple(found), complete), mistakes + repetitions(found)


def read_named(name: Span, arguments: Span, whole: Span) -> tuple[Part | None, list[Mistake]]:
    """The filter `name`, or the one whose name is nearest, and its mistakes."""
    mistakes = []
    row = BY_NAME.get(name.text)
    if row is None:
        near = near_filter(name.text)
        sentence = f"There is no filter {name.text!r}."
        mistakes.append(name.mistake(sentence if near else f"{sentence} {nearest(name.text, BY_NAME)}", near))
        if not near:
            return None, mistakes
        row = BY_NAME[near]
    fields, wrong = read_or_locate(row, arguments, whole)
    return Part(row, whole, arguments, fields), mistakes + wrong


def near_filter(name: str) -> str:
    """The name of a filter that `name` is a misspelling of, short names included; empty when there is none."""
    plain = name.lower().replace("-", "_")
    return plain if plain in BY_NAME else closest(plain, BY_NAME)


def repetitions(parts: list[Part]) -> list[Mistake]:
    """A mistake for every filter that stands there a second time."""
    first: dict[str, Part] = {}
    mistakes = []
    for part in parts:
        before = first.setdefault(_SAME.get(part.row.name, part.row.name), part)
        if before is part:
            continue
        if before.row is part.row:
            sentence = f"{part.row.name} stands here a second time, and each filter may stand only once."
        else:
            sentence = f"{before.row.name} and {part.row.name} do not go together."
        mistakes.append(part.whole.mistake(sentence))
    return mistakes


def _read_piece(piece: Span) -> tuple[list[Part], list[Mistake]]:
    """The filters in `piece`, which holds one if it is written as it should be."""
    match = FILTER.fullmatch(piece.text)
    if match is not None:
        arguments = piece.at(*match.span(2)) if match[2] is not None else piece.last()
        part, mistakes = read_named(piece.at(*match.span(1)), arguments, piece)
        return [part] if part else [], mistakes
    near, sentence = _rewritten(piece.text)
    right = [part for text in near.split(";") if near for part in _read_piece(Span(0, text))[0]]
    # Their places in the text that should stand there mean nothing in the text that does.
    parts = [Part(part.row, piece, piece, part.fields) for part in right]
    return parts, [piece.mistake(sentence, near)]


def _rewritten(text: str) -> tuple[str, str]:
    """`text` as it should be written, empty if unknown, and what is wrong with it."""
    calls = list(_CALL.finditer(text))
    if len(calls) > 1 and _BETWEEN_CALLS.fullmatch(_CALL.sub("", text)):
        near = [_call(call[1], call[2]) for call in calls]
        return ";".join(near) if all(near) else "", "Filters stand one after the other with a semicolon between them."
    loose = _LOOSE.fullmatch(text.strip().rstrip(":,"))
    return _call(loose[1], (loose[2] or "").rstrip("])} ").strip()) if loose else "", _WRITTEN


def _call(name: str, arguments: str) -> str:
    """The filter of this name with right arguments; empty if none is near."""
    near = near_filter(name)
    text = f"{near}({arguments})" if arguments else near
    if FILTER.fullmatch(text) is None:
        return ""
    whole = Span(0, text)
    inner = whole.at(len(near) + 1, -1) if arguments else whole.last()
    part, mistakes = read_named(whole.at(0, len(near)), inner, whole)
    return corrected(text, mistakes) if part is not None and part.fields is not None else ""
