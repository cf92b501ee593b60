"""No secret, query or address of a read is in a log, an error, a traceback, an outcome or a `repr`."""

import itertools
import logging
import socket
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.origins import LOOPBACK, Names, Origin, Received, redirect, response, running_origin, source_of
from thumbs.errors import ThumbError
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.source import HttpSource
from thumbs.sources.http.url import from_text
from thumbs.sources.source import Version

TOKEN, QUERY, USER, BODY = "hidden-token", "hidden-query", "hidden-user", "hidden-body"
ADDRESSES = {
    "shop_test": "127.0.0.7",
    "private_test": "10.77.88.99",
    "other_test": "127.0.0.7",
    "dead_test": "127.0.0.6",
}
HIDDEN = (TOKEN, QUERY, USER, BODY, *ADDRESSES.values())


def _cut(connection: socket.socket, _: Received) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + BODY.encode())
    return False


def _raw(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


ANSWERS: dict[str, object] = {
    **{
        f"{status}": response(BODY.encode(), f"{status} {BODY}", WWW_Authenticate=BODY)
        for status in (401, 404, 418, 503)
    },
    "cut": _cut,
    "status line": f"HTTP/1.1 {BODY}\r\n\r\n".encode(),
    "header": _raw(f"HTTP/1.1 200 OK\n{BODY}\n\n".encode()),
    "length": _raw(f"HTTP/1.1 200 OK\nContent-Length: {BODY}\n\n".encode()),
    "chunk": _raw(f"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n{BODY}\n".encode()),
    "coding": response(BODY.encode(), Content_Encoding=BODY),
    "no gzip": response(BODY.encode(), Content_Encoding="gzip"),
    "large": _raw(b"HTTP/1.1 200 OK\nContent-Length: 99999999\n\n"),
    "again": redirect(f"?{QUERY}"),
    "elsewhere": redirect(f"https://evil.test/{BODY}?{QUERY}"),
    "private": redirect(f"http://private.test/a?{QUERY}"),
    "address": redirect(f"http://10.77.88.98/a?{QUERY}"),
    "user": redirect(f"http://{USER}:{TOKEN}@shop.test/a?{QUERY}"),
    "no host": redirect(f"http:///{BODY}?{QUERY}"),
    "no port": redirect(f"http://shop.test:{BODY}/?{QUERY}"),
    "not ASCII": redirect(f"http://{BODY}\xe9.test/?{QUERY}"),
}


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running_origin(host="127.0.0.7") as origin:
        origin.answers |= {f"/{name.replace(' ', '-')}?{QUERY}": answer for name, answer in ANSWERS.items()}  # type: ignore[misc]
        yield origin


def _settings(*sources: str, **keys: object) -> HttpSettings:
    headers = {"Authorization": f"Bearer {TOKEN}", "Cookie": f"session={TOKEN}"}
    return HttpSettings(
        allowed_sources=sources,
        allowed_networks=LOOPBACK,
        request_headers=headers,
        max_redirects=1,
        **keys,  # type: ignore[arg-type]
    )


def _shown(source: HttpSource, url: str) -> str:
    """All that a failed read shows: of the read, of its revalidation and of its version."""
    reads = (
        lambda: source.read(url),
        lambda: source.read_if_changed(url, Version("x", None)),
        lambda: source.version(url),
    )
    shown = []
    for read in reads:
        with pytest.raises(ThumbError) as failed:
            read()
        # The whole chain of causes, as a log has it.
        error = traceback.TracebackException.from_exception(failed.value)
        shown += ["".join(error.format()), repr(failed.value), str(failed.value), repr(failed.value.args)]
    return "\n".join(shown)


def test_no_failure_shows_what_is_secret(origin: Origin, caplog: pytest.LogCaptureFixture) -> None:
    base = f"http://shop.test:{origin.port}/"
    dead = f"http://dead.test:{origin.port}/"
    settings = _settings(
        base, dead, "http://unknown.test/", allowed_redirects=("http://private.test/", "http://10.77.88.98/")
    )
    outcomes: list[tuple[str, float, int]] = []
    source = source_of(settings, Names(**ADDRESSES))
    source.observe(lambda *outcome: outcomes.append(outcome))
    urls = [f"{base}{name.replace(' ', '-')}?{QUERY}" for name in ANSWERS]
    urls += [f"{dead}a?{QUERY}", f"http://unknown.test/a?{QUERY}", f"http://elsewhere.test/a?{QUERY}"]
    with caplog.at_level(logging.DEBUG):
        shown = {url: _shown(source, url) for url in urls}
    found = {(url, hidden) for url, text in shown.items() for hidden in HIDDEN if hidden in text}
    assert found == set()
    assert not [hidden for hidden in HIDDEN if hidden in f"{caplog.text}{outcomes}{settings!r}{source!r}"]
    assert {outcome for outcome, _, _ in outcomes} <= {"failed", "missing", "refused", "too_large", "timeout"}
    assert [each for each in origin.requests if each.fields["authorization"] != f"Bearer {TOKEN}"] == []


def test_no_failure_of_tls_shows_an_address(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with running_origin(authority.context("shop.test"), host="127.0.0.7") as origin:
        source = source_of(_settings(f"https://other.test:{origin.port}/", ca_file=authority.file), Names(**ADDRESSES))
        shown = _shown(source, f"https://other.test:{origin.port}/a?{QUERY}")
    assert "other.test" in shown
    assert not [hidden for hidden in HIDDEN if hidden in shown]


def test_no_url_shows_its_query() -> None:
    assert repr(from_text(f"https://img.example.com/a.jpg?{QUERY}")) == "<RemoteUrl https://img.example.com/a.jpg>"


CODES = ("301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent")


def test_headers_of_the_configuration_reach_no_other_scheme_host_or_port(tmp_path: Path) -> None:
    authority, host = Authority(tmp_path), "127.0.0.7"
    tls = authority.context("shop.test", "other.test")
    with (
        running_origin(host=host) as plain,
        running_origin(tls, host) as secure,
        running_origin(host=host) as other,
    ):
        first, second = f"http://shop.test:{plain.port}/", f"https://shop.test:{secure.port}/"
        places = (
            *(first, second, f"http://shop.test:{other.port}/"),
            *(f"http://other.test:{plain.port}/", f"https://other.test:{secure.port}/"),
        )
        for each in (plain, secure, other):
            each.answers["/picture"] = response(b"picture")
        for start, origin in ((first, plain), (second, secure)):
            source = source_of(
                HttpSettings(
                    base_url=start,
                    allowed_redirects=places,
                    allowed_networks=LOOPBACK,
                    request_headers={"Authorization": TOKEN, "X-Api-Key": TOKEN},
                    ca_file=authority.file,
                ),
                Names(**ADDRESSES),
            )
            targets = [place for place in places if place != start]
            for number, (code, target) in enumerate(itertools.product(CODES, targets)):
                for each in (plain, secure, other):
                    each.requests.clear()
                origin.answers[f"/{number}"] = redirect(f"{target}picture", code)
                assert source.read(f"{number}").data == b"picture"
                sent = [each for server in (plain, secure, other) for each in server.requests]
                assert len(sent) == 2
                assert [each.target for each in sent if TOKEN in str(each.fields)] == [f"/{number}"], (start, target)
