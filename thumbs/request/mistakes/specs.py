"""The mistakes of a spec, such as `card 800x`, and of options, which are filters by name."""

import re
from collections.abc import Mapping
from dataclasses import replace

from thumbs.problems import closest, nearest
from thumbs.request.filters import BY_NAME, find
from thumbs.request.grammar import SIZE, Preset
from thumbs.request.mistakes.filters import Part, Parts, near_filter, read_named, repetitions
from thumbs.request.mistakes.located import Mistake, Span
from thumbs.request.mistakes.offers import offer_mistakes
from thumbs.request.mistakes.sizes import SIZES, near_size, sides_of
from thumbs.request.mistakes.wanted import Wanted
from thumbs.request.policy import StoragePolicy
from thumbs.request.scalars import NAME, decimal_text

_TOKEN = re.compile(r"\S+")
_CALL = re.compile(r"([A-Za-z_-]+)[(=](.*?)\)?")


def option_text(name: str, value: object) -> str | None:
    """The arguments of the filter `name` in a URL, for the value of an option; None for an option that is left out.

    True stands for no argument or for `yes`, False for `no` or for an option that is left out, as None does. A tuple or
    list has the arguments one by one.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        row = find(name)
        if row is None or row.takes_nothing:
            return "" if value else None
        return "yes" if value else "no"
    values = value if isinstance(value, tuple | list) else (value,)
    return ",".join(decimal_text(each) if isinstance(each, float) else str(each) for each in values)


def spec_text(spec: str, options: Mapping[str, object]) -> str:
    """The text in which `spec_mistakes` finds mistakes: `card 800x format=webp flip`."""
    return _laid_out(spec, options)[0]


def spec_mistakes(
    spec: str,
    options: Mapping[str, object] | None = None,
    *,
    presets: Mapping[str, Preset] | None = None,
    policy: StoragePolicy | None = None,
) -> tuple[Mistake, ...]:
    """The mistakes of a spec (a preset, a size, or both) and options (filters by name), in their `spec_text`.

    With a policy, what the storage offers is checked too; `presets` are for a storage that is not known yet. What
    depends on the original, such as the format of a thumbnail without one, is not checked.
    """
    presets = presets if policy is None else policy.presets
    text, options_at = _laid_out(spec, options or {})
    size, found, mistakes = _read_tokens(Span(0, text).at(0, len(" ".join(spec.split()))), presets)
    complete = not mistakes
    for whole, name, arguments in options_at:
        part, wrong = read_named(name, arguments, whole)
        if part is not None and part.row.name == "expires":
            wrong = [*wrong, whole.mistake("This is given by lifetime=, in seconds from now.")]
        mistakes += [replace(mistake, option=name.text) for mistake in wrong]
        found += [part] if part else []
        complete = complete and part is not None and part.fields is not None
    sides = (None, None) if not size.text else sides_of(size.text) or sides_of(near_size(size.text))
    wanted = Wanted(
        Span(0, text), size, sides, Parts(tuple(found), complete), presets=presets, policy=policy, url=False
    )
    for mistake in (*repetitions(found), *offer_mistakes(wanted)):
        owner = next((name for whole, name, _ in options_at if whole.offset <= mistake.offset < whole.end), None)
        mistakes.append(replace(mistake, option=owner.text if owner and mistake.text != text else ""))
    return tuple(sorted(mistakes, key=lambda mistake: mistake.offset))


def _laid_out(spec: str, options: Mapping[str, object]) -> tuple[str, list[tuple[Span, Span, Span]]]:
    """The text, and for each option its place, and those of its name and arguments."""
    text = " ".join(spec.split())
    places = []
    for name, value in options.items():
        arguments = option_text(name, value)
        if arguments is None:
            continue
        text += " " if text else ""
        whole = Span(len(text), f"{name}={arguments}" if arguments else name)
        places.append((whole, whole.at(0, len(name)), whole.at(len(name) + 1) if arguments else whole.last()))
        text += whole.text
    return text, places


def _read_tokens(spec: Span, presets: Mapping[str, Preset] | None) -> tuple[Span, list[Part], list[Mistake]]:
    """The size, empty where there is none, the preset, if any, and what is wrong with them."""
    size: Span | None = None
    found: list[Part] = []
    mistakes = []
    for match in _TOKEN.finditer(spec.text):
        token = spec.at(*match.span())
        mistake, kind, name = _read_token(token, presets)
        mistakes += [mistake] if mistake else []
        if kind == "size" and size is not None:
            mistakes.append(token.mistake(f"A spec has one size, and {size.text} is one already."))
        elif kind == "size":
            size = token
        elif kind == "preset" and found:
            mistakes.append(token.mistake(f"A spec has one preset, and {found[0].whole.text} is one already."))
        elif kind == "preset":
            found.append(Part(BY_NAME["preset"], token, token, {"preset": name}))
    return size or spec.first(), found, mistakes


def _read_token(token: Span, presets: Mapping[str, Preset] | None) -> tuple[Mistake | None, str, str]:
    """What is wrong with a token, whether it is a size or a preset, and the name of the preset."""
    text = token.text
    if SIZE.fullmatch(text):
        return None, "size", ""
    if text in presets if presets is not None else NAME.fullmatch(text):
        return None, "preset", text
    near = near_size(text)
    if near:
        return token.mistake(SIZES, near), "size", ""
    near = closest(text.lower(), presets or ())
    call = _CALL.fullmatch(text)
    if call is not None and not near:
        option = near_filter(call[1]) or call[1]
        return token.mistake(f"Filters are options: {option}={call[2]!r}, not part of the spec."), "", ""
    sentence = f"{text!r} is neither a preset nor a size such as 800x."
    if near:
        return token.mistake(sentence, near), "preset", near
    return token.mistake(f"{sentence} {nearest(text, presets)}" if presets else sentence), "", ""
