"""Redirects are followed by hand: each hop is judged as if a client had asked for it."""

import logging
from collections.abc import Iterator

import pytest

from tests.support.origins import LOOPBACK, Names, Origin, redirect, response, running_origin, source_of
from thumbs.errors import SourceDenied, StorageFailed
from thumbs.sources.http.settings import HttpSettings

DATA = b"picture"
SECRET = "Bearer of-the-origin"
CODES = ("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect")


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running_origin() as origin:
        yield origin


@pytest.fixture
def canary() -> Iterator[Origin]:
    """A server that must never be connected to."""
    with running_origin(host="127.0.0.2") as canary:
        canary.answers["/secret"] = response(b"secret")
        yield canary
        assert canary.connections == 0


def _settings(origin: Origin, **keys: object) -> HttpSettings:
    base = f"http://shop.test:{origin.port}/media/"
    return HttpSettings(base_url=base, allowed_networks=LOOPBACK, **keys)  # type: ignore[arg-type]


NAMES = {"shop_test": "127.0.0.1", "cdn_test": "127.0.0.1"}


@pytest.mark.parametrize("status", CODES)
def test_a_redirect_within_the_prefix_is_followed(status: str, origin: Origin) -> None:
    origin.answers |= {"/media/a": redirect("b", status), "/media/b": response(DATA)}
    assert source_of(_settings(origin), Names(**NAMES)).read("a").data == DATA
    assert origin.connections == 1


@pytest.mark.parametrize("status", CODES)
@pytest.mark.parametrize(
    "location",
    [
        *(
            "/other/b",
            "//cdn.test:{port}/media/b",
            "http://cdn.test:{port}/media/b",
            "https://shop.test:{port}/media/b",
        ),
        *("http://shop.test/media/b", "ftp://shop.test/media/b", "http://user@shop.test:{port}/media/b", ""),
        *("http://shop.test:{port}/media/../b", "http://shop.test:{port}/media/%2e%2e/b", "http://127.1/media/b"),
        *("http://[::1]:{port}/media/b", "http://169.254.169.254/latest", "file:///etc/passwd"),
    ],
)
def test_a_redirect_to_anywhere_else_is_refused(status: str, location: str, origin: Origin) -> None:
    location = location.format(port=origin.port)
    origin.answers |= {"/media/a": redirect(location, status), "/media/b": response(DATA), "/b": response(DATA)}
    with pytest.raises(StorageFailed):
        source_of(_settings(origin), Names(**NAMES)).read("a")
    assert origin.targets == ["/media/a"]


def test_a_redirect_without_exactly_one_location_is_refused(origin: Origin) -> None:
    two = b"HTTP/1.1 302 Found\r\nLocation: b\r\nLocation: c\r\nContent-Length: 0\r\n\r\n"
    for answer in (response(b"", "302 Found"), two):
        origin.answers |= {"/media/a": answer, "/media/b": response(DATA)}
        with pytest.raises(StorageFailed):
            source_of(_settings(origin), Names(**NAMES)).read("a")


def test_more_redirects_than_allowed_are_refused(origin: Origin) -> None:
    for number in range(4):
        origin.answers[f"/media/{number}"] = redirect(f"{number + 1}")
    origin.answers["/media/4"] = response(DATA)
    for start, most, is_read in ((1, 3, True), (0, 3, False), (0, 4, True), (3, 0, False), (4, 0, True)):
        source = source_of(_settings(origin, max_redirects=most), Names(**NAMES))
        if is_read:
            assert source.read(f"{start}").data == DATA
        else:
            with pytest.raises(StorageFailed):
                source.read(f"{start}")


def test_a_redirect_in_a_circle_ends(origin: Origin) -> None:
    origin.answers["/media/a"] = redirect("a")
    with pytest.raises(StorageFailed):
        source_of(_settings(origin), Names(**NAMES)).read("a")
    assert len(origin.targets) == 4


def test_an_entry_for_redirects_alone_admits_no_request(origin: Origin) -> None:
    settings = _settings(origin, allowed_redirects=(f"http://cdn.test:{origin.port}/deep/",))
    origin.answers |= {
        "/media/a": redirect(f"http://cdn.test:{origin.port}/deep/b"),
        "/media/c": redirect(f"http://cdn.test:{origin.port}/b"),
        "/deep/b": response(DATA),
        "/b": response(DATA),
    }
    source = source_of(settings, Names(**NAMES))
    assert source.read("a").data == DATA
    with pytest.raises(StorageFailed):
        source.read("c")


@pytest.mark.parametrize("status", CODES)
def test_a_redirect_into_the_own_network_opens_no_connection(status: str, origin: Origin, canary: Origin) -> None:
    """The entry admits the name, and the address that the name has is judged."""
    entry = f"http://evil.test:{canary.port}/"
    settings = _settings(origin, allowed_redirects=(entry, f"http://127.0.0.2:{canary.port}/"))
    settings = HttpSettings(
        base_url=settings.base_url, allowed_networks=("127.0.0.1/32",), allowed_redirects=settings.allowed_redirects
    )
    for host in ("evil.test", "127.0.0.2"):
        origin.answers["/media/a"] = redirect(f"http://{host}:{canary.port}/secret", status)
        with pytest.raises(SourceDenied):
            source_of(settings, Names(**NAMES, evil_test="127.0.0.2")).read("a")


def test_a_name_that_changes_its_address_between_two_hops_is_judged_again(origin: Origin, canary: Origin) -> None:
    settings = HttpSettings(
        allowed_sources=(f"http://evil.test:{origin.port}/", f"http://evil.test:{canary.port}/"),
        allowed_networks=("127.0.0.1/32",),
    )
    names = Names()
    names.set("evil.test", ["127.0.0.1"], ["127.0.0.2"])
    origin.answers["/a"] = redirect(f"http://evil.test:{canary.port}/secret")
    with pytest.raises(SourceDenied):
        source_of(settings, names).read(f"http://evil.test:{origin.port}/a")
    assert len(names.asked) == 2


def test_headers_of_the_configuration_go_to_their_origin_only(origin: Origin) -> None:
    with running_origin() as other:
        settings = _settings(
            origin,
            request_headers={"Authorization": SECRET},
            allowed_redirects=(f"http://cdn.test:{origin.port}/", f"http://shop.test:{other.port}/"),
        )
        origin.answers |= {
            "/media/same": redirect("b"),
            "/media/host": redirect(f"http://cdn.test:{origin.port}/media/b"),
            "/media/port": redirect(f"http://shop.test:{other.port}/media/b"),
            "/media/b": response(DATA),
        }
        other.answers["/media/b"] = response(DATA)
        source = source_of(settings, Names(**NAMES))
        for key in ("same", "host", "port"):
            assert source.read(key).data == DATA
        sent = [
            (each.target, each.fields["host"].split(":")[0], each.fields.get("authorization"))
            for each in origin.requests
        ]
        assert sent == [
            ("/media/same", "shop.test", SECRET),
            ("/media/b", "shop.test", SECRET),
            ("/media/host", "shop.test", SECRET),
            ("/media/b", "cdn.test", None),
            ("/media/port", "shop.test", SECRET),
        ]
        assert [each.fields.get("authorization") for each in other.requests] == [None]


def test_the_cause_of_a_failure_has_no_query_no_header_and_no_address(
    origin: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    entry = f"http://shop.test:{origin.port}/"
    settings = HttpSettings(allowed_sources=(entry,), request_headers={"Authorization": SECRET}, max_redirects=1)
    with caplog.at_level(logging.DEBUG, "thumbs"):
        with pytest.raises(SourceDenied) as denied:
            source_of(settings, Names(**NAMES)).read(f"{entry}a?token=hidden-token")
        allowed = HttpSettings(
            allowed_sources=(entry,), request_headers={"Authorization": SECRET}, allowed_networks=LOOPBACK
        )
        origin.answers["/a?token=hidden-token"] = redirect("http://user:hidden-user@other.test/?hidden-token")
        with pytest.raises(StorageFailed) as failed:
            source_of(allowed, Names(**NAMES)).read(f"{entry}a?token=hidden-token")
    causes = [repr(each.value.__cause__) for each in (denied, failed)]
    assert f"{entry}a: refused" in causes[0]
    assert "in 127.0.0.0/8, which allowed_networks could open" in causes[0]
    assert f"{entry}a: failed (302 without a usable Location)" in causes[1]
    for hidden in ("hidden", SECRET, "127.0.0.1"):
        assert hidden not in f"{causes} {caplog.text}"
    assert SECRET not in repr(settings)
