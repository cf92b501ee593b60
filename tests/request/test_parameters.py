"""The table of filters says how a form can ask for their arguments, and what it says is what the filters read."""

import pytest

from thumbs.request.filter_kinds import Filter
from thumbs.request.filters import FILTERS, read_arguments
from thumbs.request.parameters import Kind, Parameter
from thumbs.request.scalars import decimal_text

ROWS = [pytest.param(row, id=row.name) for row in FILTERS.values()]


def samples(parameter: Parameter) -> list[str]:
    """Texts that the parameter offers: its words, its ends, its start."""
    if parameter.kind is Kind.COLOR:
        return ["ffcc00", "00000080"]
    if parameter.kind is Kind.POINT:
        most = decimal_text(parameter.most or 0)
        return [*parameter.choices, "0,0", f"{most},{most}", "0.31,0.62"]
    if parameter.kind is Kind.BOX:
        return ["10,20,30,40"]
    if parameter.kind is Kind.NAME:
        return ["card"]
    if parameter.kind is Kind.RANGE:
        ends = {parameter.least, parameter.start, parameter.most if parameter.most is not None else 300}
        return [*parameter.choices, *map(decimal_text, sorted(ends))]
    return list(parameter.choices) or ["v1"]


def first(parameter: Parameter) -> str:
    return samples(parameter)[0]


@pytest.mark.parametrize("row", ROWS)
def test_everything_that_a_parameter_offers_is_read(row: Filter) -> None:
    for number, parameter in enumerate(row.parameters):
        for text in samples(parameter):
            parts = [first(each) for each in row.parameters]
            parts[number] = text
            if parameter.only_with:
                parts[0] = parameter.only_with
            else:
                parts = [part for part, each in zip(parts, row.parameters, strict=True) if not each.only_with]
            read_arguments(row, ",".join(parts))


@pytest.mark.parametrize("row", ROWS)
def test_what_is_optional_may_be_left_out_and_its_default_changes_nothing(row: Filter) -> None:
    required = [first(each) for each in row.parameters if not each.optional]
    short = read_arguments(row, ",".join(required))
    if not any(each.optional for each in row.parameters):
        assert short
        return
    with_defaults = [*required]
    for each in row.parameters:
        if each.optional and each.default and not each.only_with:
            with_defaults.append(each.default)
            assert read_arguments(row, ",".join(with_defaults)) == short


@pytest.mark.parametrize("row", ROWS)
def test_a_filter_without_an_argument_has_no_parameter(row: Filter) -> None:
    assert row.takes_nothing is (row.parameters == ())


def test_beyond_its_ends_a_range_is_refused() -> None:
    for row in FILTERS.values():
        (parameter, *others) = row.parameters or (Parameter(),)
        if parameter.kind is Kind.RANGE and parameter.most is not None and not others:
            with pytest.raises(Exception, match="takes"):
                read_arguments(row, decimal_text(parameter.most + 1))


def test_the_kinds_of_the_table_are_all_there_are() -> None:
    assert {parameter.kind for row in FILTERS.values() for parameter in row.parameters} == set(Kind)
