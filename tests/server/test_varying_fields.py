"""Fields that differ in each request cost the worker no memory, and are read as the others are."""

import pytest

from tests.support.connection import get
from thumbs.server import plain_request as module
from thumbs.server.plain_request import plain_request

HIT = b"/cached/thumbs/90x60/quarters.jpg"
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("name", [b"X-Request-ID", b"x-request-id", b"traceparent", b"Traceparent"])
def test_a_field_that_differs_in_each_request_is_not_kept(name: bytes) -> None:
    plain_request(get(HIT, name + b": 0"))
    kept = len(module._memo)
    for number in range(1, 300):
        read = plain_request(get(HIT, name + b": %d" % number))
        assert read is not None
        assert read[2][name.lower()] == str(number)
    assert len(module._memo) == kept


def test_the_fields_of_a_trace_are_read_together_with_others() -> None:
    lines = (b"traceparent: " + TRACE, b"X-Request-ID: 7", b"tracestate: a=1,b=2", b"Accept: image/webp")
    read = plain_request(get(HIT, *lines))
    assert read is not None
    assert read[2] == {
        b"host": "localhost",
        b"accept": "image/webp",
        b"traceparent": TRACE.decode(),
        b"tracestate": "a=1,b=2",
        b"x-request-id": "7",
    }


@pytest.mark.parametrize(
    "lines",
    [
        (b"traceparent: " + TRACE, b"traceparent: " + TRACE),
        (b"traceparent: " + TRACE, b"TRACEPARENT: " + TRACE),
        (b"traceparent: " + TRACE, b"tracestate: a=1", b"tracestate: b=1"),
        (b"traceparent: \xc3\xa9",),
        (b"traceparent : " + TRACE,),
    ],
)
def test_a_field_that_is_repeated_or_not_plain_is_left_to_gunicorn(lines: tuple[bytes, ...]) -> None:
    assert plain_request(get(HIT, *lines)) is None


def test_the_memo_is_bounded() -> None:
    for number in range(2 * module._MAX_FIELDS):
        plain_request(get(HIT, b"Accept: image/%d" % number))
    assert len(module._memo) <= module._MAX_FIELDS
