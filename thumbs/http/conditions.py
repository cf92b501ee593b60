"""Parses the values of conditional requests, entity tags and dates, strictly by the grammar of RFC 9110."""

import re
from calendar import timegm
from datetime import UTC, datetime
from functools import lru_cache

# RFC 9110, 8.8.3: a tag may contain commas but no space and no quote. Bytes above 0x7F were decoded as Latin-1.
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*+")')
# RFC 9110, 5.6.1.2: a recipient must accept empty list elements.
_ELEMENT = rf"[ \t]*+(?:{_TAG.pattern}[ \t]*+)?+"
_TAGS = re.compile(rf"{_ELEMENT}(?:,{_ELEMENT})*+")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)"
_DAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_DATES = (  # RFC 9110, 5.6.7: IMF-fixdate, rfc850-date, asctime-date; all are UTC and case-sensitive
    re.compile(rf"{_DAY_NAME}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"),
    re.compile(
        r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, "
        rf"(?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"
    ),
    re.compile(rf"{_DAY_NAME} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})"),
)


def is_any(if_none_match: str) -> bool:
    """Whether the field is `*`, which matches every existing picture."""
    return if_none_match.strip(" \t") == "*"


@lru_cache(maxsize=256)
def opaque_tags(if_none_match: str) -> frozenset[str]:
    """The tags of a list, with quotes, without `W/` (weak comparison); empty for `*` and for an invalid list."""
    return frozenset(_TAG.findall(if_none_match)) if _TAGS.fullmatch(if_none_match) else frozenset()


def parse_date(date: str, now: float) -> int | None:
    """A date in one of HTTP's three forms, in Unix seconds; None for anything else, numeric time zones included.

    The name of the day may disagree with the date. A two-digit year that would be more than fifty years after `now`
    (Unix seconds) belongs to the previous century.
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
    except ValueError:  # the month has no such day
        return None
    return timegm((year, month, day, hour, minute, second))
