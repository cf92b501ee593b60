"""Lists of entity tags and dates, as RFC 9110 defines them: any other form is ignored."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbs.http.conditions import is_any, opaque_tags, parse_date
from thumbs.http.messages import http_date

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
MOMENT = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110, 5.6.7

# --------------------------------------------------------------------------------------- tags


@pytest.mark.parametrize(
    ("field", "tags"),
    [
        ('"a"', {'"a"'}),
        ('W/"a"', {'"a"'}),
        ('""', {'""'}),
        ('"a", W/"b" ,\t"c"', {'"a"', '"b"', '"c"'}),
        ('"a","b"', {'"a"', '"b"'}),
        ('"a,b"', {'"a,b"'}),
        ('"a, b"', set()),
        ('"x,W/","y"', {'"x,W/"', '"y"'}),
        ('"a\\"', {'"a\\"'}),
        ('"*"', {'"*"'}),
        ('"W/"', {'"W/"'}),
        ('"é\xff"', {'"é\xff"'}),
        (' ,, "a" , ,', {'"a"'}),
        ("", set()),
        (",", set()),
        ("*", set()),
        ('"a", *', set()),
        ('*, "a"', set()),
        ('"a" "b"', set()),
        ('"a";"b"', set()),
        ('"a', set()),
        ('a"', set()),
        ("a", set()),
        ("'a'", set()),
        ('w/"a"', set()),
        ('W/ "a"', set()),
        ("W/a", set()),
        ('W/W/"a"', set()),
        ('"b", "a', set()),
        ('"a" x', set()),
        ('"a b"', set()),
        ('"a\x7f"', set()),
        ('"a\t"', set()),
        ('"a\nb"', set()),
        ('"a"\n', set()),
    ],
)
def test_a_list_of_tags_is_read_by_its_grammar_and_weakly(field: str, tags: set[str]) -> None:
    assert opaque_tags(field) == tags


@given(st.lists(st.text("!#,*/W\\~é\xff", max_size=6)), st.sampled_from([",", ", ", " ,,\t"]))
def test_what_is_listed_is_found_commas_and_all(tags: list[str], comma: str) -> None:
    quoted = [f'"{tag}"' for tag in tags]
    assert opaque_tags(comma.join(quoted)) == set(quoted)
    assert opaque_tags(comma.join(f"W/{tag}" for tag in quoted)) == set(quoted)


@given(st.text(max_size=40))
def test_any_text_is_a_list_or_none(text: str) -> None:
    assert all(tag[0] == tag[-1] == '"' and tag in text for tag in opaque_tags(text))


@pytest.mark.parametrize(
    ("field", "holds"), [("*", True), (" *\t", True), ("**", False), ("*,*", False), ('*,"a"', False), ('"*"', False)]
)
def test_the_asterisk_stands_alone(field: str, holds: bool) -> None:
    assert is_any(field) is holds


# -------------------------------------------------------------------------------------- dates


DATES = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]


@pytest.mark.parametrize("date", [*DATES, f" {DATES[0]}\t"])
def test_a_date_has_three_forms(date: str) -> None:
    assert parse_date(date, NOW) == MOMENT


@given(st.integers(-62135596800, 253402300799))
def test_every_date_that_is_written_is_read_back(moment: int) -> None:
    assert parse_date(datetime.fromtimestamp(moment, UTC).strftime("%a %b %d %H:%M:%S ") + _year(moment), NOW) == moment
    if moment >= 0:
        assert parse_date(http_date(moment).decode(), NOW) == moment


def _year(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).year:04}"


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("Wednesday, 25-Nov-26 12:00:00 GMT", 2026),
        ("Wednesday, 25-Nov-76 12:00:00 GMT", 2076),
        ("Wednesday, 25-Nov-76 12:00:01 GMT", 1976),
        ("Thursday, 26-Nov-76 00:00:00 GMT", 1976),
        ("Tuesday, 24-Nov-76 23:59:59 GMT", 2076),
        ("Friday, 01-Jan-77 00:00:00 GMT", 1977),
        ("Friday, 31-Dec-99 23:59:59 GMT", 1999),
        ("Saturday, 01-Jan-00 00:00:00 GMT", 2000),
        ("Tuesday, 29-Feb-00 00:00:00 GMT", 2000),
    ],
)
def test_two_digits_of_a_year_are_never_more_than_fifty_years_ahead(date: str, year: int) -> None:
    seconds = parse_date(date, NOW)
    assert seconds is not None
    assert datetime.fromtimestamp(seconds, UTC).year == year


def test_a_leap_second_is_the_next_second() -> None:
    assert parse_date("Sat, 31 Dec 2016 23:59:60 GMT", NOW) == parse_date("Sun, 01 Jan 2017 00:00:00 GMT", NOW)


@pytest.mark.parametrize(
    "date",
    [
        "",
        "0",
        "784111777",
        "tomorrow",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 +0530",
        "Sun, 06 Nov 1994 08:49:37 -0000",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 EST",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 99999 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 November 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 EST",
        "Tuesday, 29-Feb-23 00:00:00 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov  6 08:49:37 94",
        "Sunday Nov  6 08:49:37 1994",
        "1994-11-06T08:49:37Z",
        "١٩, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov ١٩٩٤ 08:49:37 GMT",
    ],
)
def test_what_has_none_of_the_three_forms_is_no_date(date: str) -> None:
    assert parse_date(date, NOW) is None
