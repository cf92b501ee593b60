"""The table of filters says how a form can ask for their arguments, and what it says is what the filters read."""

import pytest

from thumbs.request.filter_kinds import Filter
from thumbs.request.filters import FILTERS, read_arguments
from thumbs.request.parameters import Kind, Parameter
from thumbs.request.scalars import decimal_text

ROWS = [pytest.param(row, id=row.name) for row in FILTERS.values()]


def samples(parameter: Parameter) -> list[str]:
    """Texts that the parameter offers: its words, its ends, its start."""
    fixed = {Kind.COLOR: ["ffcc00", "00000080"], Kind.BOX: ["10,20,30,40"], Kind.NAME: ["card"]}
    if parameter.kind in fixed:
        return fixed[parameter.kind]
    if parameter.kind is Kind.POINT:
        most = decimal_text(parameter.most or 0)
        points = ["0,0", f"{most},{most}", "0.31,0.62", *(["310px,620px"] if parameter.pixels else [])]
        return [*parameter.choices, *(f"{parameter.before},{each}" if parameter.before else each for each in points)]
    if parameter.kind is Kind.OFFSETS:
        return ["10,-20", "0,0", *([] if parameter.step else ["0.5,-0.25"])]
    if parameter.kind is Kind.RANGE:
        ends = {parameter.least, parameter.start, parameter.most if parameter.most is not None else 300}
        return [*parameter.choices, *map(decimal_text, sorted(ends))]
    return list(parameter.choices) or ["v1"]


def first(parameter: Parameter) -> str:
    return samples(parameter)[0]


def ways(row: Filter) -> list[list[Parameter]]:
    """The parameters of each way in which the filter can be given."""
    names = dict.fromkeys(each.way for each in row.parameters)
    return [[each for each in row.parameters if each.way == name] for name in names]


def written(parameters: list[Parameter], texts: list[str]) -> str:
    """The arguments as the form writes them: without what may not follow, and without defaults at the end."""
    kept: list[tuple[Parameter, str]] = []
    for parameter, text in zip(parameters, texts, strict=True):
        if not parameter.only_with or kept[-1][1] in parameter.only_with:
            kept.append((parameter, text))
    while kept and kept[-1][0].optional and kept[-1][1] == kept[-1][0].default:
        kept.pop()
    return ",".join(text for _, text in kept)


@pytest.mark.parametrize("row", ROWS)
def test_everything_that_a_parameter_offers_is_read(row: Filter) -> None:
    for parameters in ways(row):
        for number, parameter in enumerate(parameters):
            for text in samples(parameter):
                texts = [first(each) for each in parameters]
                texts[number] = text
                for word in parameter.only_with or ("",):
                    if word:
                        texts[number - 1] = word
                    read_arguments(row, written(parameters, texts))


@pytest.mark.parametrize("row", ROWS)
def test_what_is_optional_may_be_left_out_and_its_default_changes_nothing(row: Filter) -> None:
    for parameters in ways(row):
        required = [first(each) for each in parameters if not each.optional]
        short = read_arguments(row, ",".join(required))
        if not any(each.optional for each in parameters):
            assert short
        with_defaults = [*required]
        for each in parameters:
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
