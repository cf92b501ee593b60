"""Conditions of requests: lists of entity tags and dates, by the grammar of RFC 9110 and nothing wider."""

import re
from calendar import timegm
from datetime import UTC, datetime
from functools import lru_cache

# RFC 9110, 8.8.3: no space and no quote in a tag, but commas. Characters beyond ASCII are bytes read as Latin-1.
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*+")')
# RFC 9110, 5.6.1.2: elements may be empty.
_ELEMENT = rf"[ \t]*+(?:{_TAG.pattern}[ \t]*+)?+"
_TAGS = re.compile(rf"{_ELEMENT}(?:,{_ELEMENT})*+")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)"
_DAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_DATES = (  # RFC 9110, 5.6.7: IMF-fixdate, rfc850-date, asctime-date; all of them are UTC, and case counts
    re.compile(rf"{_DAY_NAME}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"),
    re.compile(
        r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, "
        rf"(?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"
    ),
    re.compile(rf"{_DAY_NAME} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})"),
)


def is_any(if_none_match: str) -> bool:
    """Whether the field is `*`, which holds for every picture that is there."""
    return if_none_match.strip(" \t") == "*"


@lru_cache(maxsize=256)
def opaque_tags(if_none_match: str) -> frozenset[str]:
    """The tags of a list, quotes included, without `W/` (weak comparison); none for `*` and for what is not a list."""
    return frozenset(_TAG.findall(if_none_match)) if _TAGS.fullmatch(if_none_match) else frozenset()


def seconds_of(date: str, now: float) -> int | None:
    """A date in one of HTTP's three forms as Unix seconds; None for anything else, numeric time zones included.

    The name of the day is not held against the date. A year of two digits that would be more than fifty years after
    `now`, Unix seconds, is of the century before.
    """
    text = date.strip(" \t")
    match = next(filter(None, (form.fullmatch(text) for form in _DATES)), None)
    if match is None:
        return None
    part = match.groupdict()
    year, month = int(part["year"]), _MONTHS.index(part["month"]) + 1
    day, hour, minute, second = (int(part[name]) for name in ("day", "hour", "minute", "second"))
    if len(part["year"]) == 2:
        today = datetime.fromtimestamp(now, UTC)
        year += today.year // 100 * 100
        if (year - 50, month, day, hour, minute, second) > today.timetuple()[:6]:
            year -= 100
    try:
        datetime(year, month, day, tzinfo=UTC)
    except ValueError:  # there is no such day
        return None
    return timegm((year, month, day, hour, minute, second))
