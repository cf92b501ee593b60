"""The controls of the page, one for each row of the table of filters: what the templates need, all of it text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from thumbs.request import filters
from thumbs.request.filter_kinds import Filter
from thumbs.request.parameters import Kind, Parameter
from thumbs.request.scalars import decimal_text

_EDGES = {Kind.BOX: ("left", "top", "right", "bottom"), Kind.POINT: ("x", "y"), Kind.OFFSETS: ("x", "y")}


@dataclass(frozen=True, slots=True)
class Field:
    """One argument of a filter, as its template shows it. Numbers are texts, as in URLs."""

    kind: str
    id: str
    label: str
    choices: tuple[str, ...]
    least: str
    most: str
    step: str
    start: str
    default: str
    unit: str
    only_with: str
    optional: bool
    pixels: bool
    before: str
    way: str
    edges: tuple[str, ...] = ()

    @property
    def template(self) -> str:
        return f"playground/{Kind.CHOICE if self.kind == Kind.NAME else self.kind}.html"


@dataclass(frozen=True, slots=True)
class Control:
    """A filter. `missing` says why it cannot be used; `drawn` is the kind of what is dragged on the original.

    `ways` are those in which it can be given, where there are several.
    """

    name: str
    short: str
    takes: str
    fields: tuple[Field, ...]
    missing: str = ""
    drawn: str = ""
    unit: str = ""
    ways: tuple[str, ...] = ()


def controls(names: Mapping[str, Sequence[str]]) -> Iterator[Control]:
    """A control for each row of the table. `names` has the presets and watermarks of the configuration."""
    for row in filters.FILTERS.values():
        yield _control(row, names)


def _control(row: Filter, names: Mapping[str, Sequence[str]]) -> Control:
    fields = tuple(
        _field(parameter, f"{row.name}-{number}", row.name, names) for number, parameter in enumerate(row.parameters)
    )
    absent = next((each.names for each in row.parameters if each.kind is Kind.NAME and not names.get(each.names)), "")
    on_original = (each for each in row.parameters if each.kind in (Kind.BOX, Kind.POINT) and not each.on_canvas)
    drawn = next(on_original, None)
    return Control(
        row.name,
        row.short or "",
        row.takes,
        fields,
        missing=f"The configuration has no {absent}." if absent else "",
        drawn="" if drawn is None else drawn.kind,
        unit="" if drawn is None else drawn.unit,
        ways=tuple(dict.fromkeys(each.way for each in row.parameters if each.way)),
    )


def _field(parameter: Parameter, name: str, row: str, names: Mapping[str, Sequence[str]]) -> Field:
    label = parameter.name or {Kind.NAME: "name", Kind.RANGE: "amount"}.get(parameter.kind, row)
    return Field(
        kind=parameter.kind,
        id=f"filter-{name}",
        label=label,
        choices=tuple(names.get(parameter.names, ())) if parameter.kind is Kind.NAME else parameter.choices,
        least=decimal_text(parameter.least),
        most="" if parameter.most is None else decimal_text(parameter.most),
        step=decimal_text(parameter.step) if parameter.step else "any",
        start=decimal_text(parameter.start),
        default=parameter.default,
        unit=parameter.unit,
        only_with=" ".join(parameter.only_with),
        optional=parameter.optional,
        pixels=parameter.pixels,
        before=parameter.before,
        way=parameter.way,
        edges=_EDGES.get(parameter.kind, ()),
    )
