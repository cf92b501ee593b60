"""Only the whole of one plain GET or HEAD is read; all other bytes are gunicorn's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.connection import get
from tests.support.strategies import examples
from thumbs.server.plain_request import plain_request

HIT = b"/cached/thumbs/90x60/filters:format(webp)/quarters.jpg"
OTHER_HIT = b"/cached/thumbs/60x40/filters:format(png)/quarters.jpg"


def test_a_plain_request_is_read_whole() -> None:
    data = b"GET /a/thumbs/x/b.jpg?q=1 HTTP/1.1\r\nHost: h\r\nACCEPT:  image/webp \r\n\r\n"
    assert plain_request(data) == ("GET", b"/a/thumbs/x/b.jpg?q=1", {b"host": "h", b"accept": "image/webp"})


@pytest.mark.parametrize(
    "data",
    [
        get(HIT)[:-2],
        get(HIT) + b"G",
        get(HIT) + b"X-Request-ID: 1\r\n",
        get(HIT) + b"X-Request-ID: 1\r\n\r\n",
        get(HIT)[:-2] + b"X-Request-ID: 1\r\n",
        get(HIT) * 2,
        get(HIT, method=b"POST"),
        get(HIT, method=b"get"),
        get(HIT, version=b"HTTP/1.0"),
        get(HIT, b"Content-Length: 0"),
        get(HIT, b"Transfer-Encoding: chunked"),
        get(HIT, b"Connection: close"),
        get(HIT, b"Connection: Upgrade, HTTP2-Settings"),
        get(HIT, b"Upgrade: websocket"),
        get(HIT, b"Expect: 100-continue"),
        get(HIT, b"Host: other"),
        get(HIT).replace(b"localhost", b""),
        get(HIT).replace(b"localhost", b"a,b"),
        get(HIT).replace(b"localhost", b"user@host"),
        get(HIT).replace(b"localhost", b"host#part"),
        get(HIT, b"Accept: a", b"Accept: b"),
        get(HIT, b"X: a\x00b"),
        get(HIT, b"X : a"),
        get(HIT, b" folded: a"),
        get(HIT, b"X: \xc3\xa9"),
        get(HIT).replace(b"\r\n", b"\n"),
        get(b"http://localhost" + HIT),
        get(b"*"),
        get(b"/a b"),
        get(b"/a#b"),
        get(b"/\xc3\xa9"),
        b"GET " + HIT + b" HTTP/1.1\r\n\r\n",
        get(HIT, b"X: " + b"a" * 8190),
    ],
)
def test_everything_else_is_left_to_gunicorn(data: bytes) -> None:
    assert plain_request(data) is None


@settings(deadline=None, max_examples=examples(300))
@given(st.binary(max_size=60), st.integers(0, 80))
def test_a_request_with_bytes_put_in_is_never_read_beyond_its_end(extra: bytes, place: int) -> None:
    data = get(OTHER_HIT, b"Accept: image/webp")
    changed = data[:place] + extra + data[place:]
    if plain_request(changed) is not None:
        assert changed.endswith(b"\r\n\r\n")
        assert changed.count(b"\r\n\r\n") == 1
