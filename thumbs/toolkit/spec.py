"""A spec (`card 800x`) and options (`quality=70`) as a size and filters in the syntax of URLs."""

from collections.abc import Iterator, Mapping

from thumbs.request.filters import find
from thumbs.request.grammar import SIZE, Preset
from thumbs.request.scalars import decimal_text
from thumbs.toolkit.errors import WrongSpec

ANY_SIZE = "x"
_DELIMITERS = frozenset("();/")  # of filters: with one, an argument would become another filter


def spelled(spec: str, options: Mapping[str, object], presets: Mapping[str, Preset]) -> tuple[str, str | None]:
    """The size, and the text of the filters, None without any. Raises `WrongSpec`.

    A spec has at most one size and one preset. An option is a filter by its name: True stands for one without an
    argument or for `yes`, False for `no` or for its absence, and None for its absence. A sequence stands for arguments.
    An empty gravity, which a picture without a focal point has, is none.
    """
    size, preset = _parts(spec, presets)
    filters = [f"preset({preset})"] if preset else []
    filters += [text for name, value in options.items() if (text := _filter(name, value)) is not None]
    return size, ";".join(filters) or None


def gives_gravity(options: Mapping[str, object]) -> bool:
    """Whether an option is a gravity. One that is left out is none."""
    return any(
        (row := find(name)) is not None and row.name == "gravity" and _filter(name, value) is not None
        for name, value in options.items()
    )


def _parts(spec: str, presets: Mapping[str, Preset]) -> tuple[str, str | None]:
    size = preset = None
    if not isinstance(spec, str):  # an undefined variable, or 400 without quotes
        raise WrongSpec(f"A spec is text: a size such as '400x300', a preset, or both. It is {spec!r} here.")
    for part in spec.split():
        if SIZE.fullmatch(part):
            if size is not None:
                raise WrongSpec(f"{spec!r} has two sizes.")
            size = part
        elif part in presets:
            if preset is not None:
                raise WrongSpec(f"{spec!r} has two presets.")
            preset = part
        else:
            raise WrongSpec(
                f"{part!r} in {spec!r} is neither a size such as 400x300, nor a preset. {_known(part, presets)}"
            )
    return size or ANY_SIZE, preset


def _known(part: str, presets: Mapping[str, Preset]) -> str:
    from thumbs.problems import nearest  # noqa: PLC0415 - difflib, which only a mistake needs

    return nearest(part, presets) if presets else "THUMBS has no PRESETS."


def _filter(name: str, value: object) -> str | None:
    if value is None or (value == "" and name in ("gravity", "g")):
        return None
    if isinstance(value, bool):
        row = find(name)
        if row is None or row.takes_nothing:
            return name if value else None
        return f"{name}({'yes' if value else 'no'})"
    return f"{name}({','.join(_arguments(value))})"


def _arguments(value: object) -> Iterator[str]:
    parts = value if isinstance(value, tuple | list) else (value,)
    for part in parts:
        text = decimal_text(part) if isinstance(part, float) else str(part)
        if not _DELIMITERS.isdisjoint(text):
            raise WrongSpec(f"{text!r} is not one argument of a filter.")
        yield text
