"""Which request targets are for thumbnails, and what they name: a front answers these and no others."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client, override_settings
from hypothesis import given
from hypothesis import strategies as st

from tests.support.site import asgi_application
from thumbs.asgi import ThumbsASGI
from thumbs.errors import BadHost, BadPath, BadTarget
from thumbs.front import Mount, ThumbTarget
from thumbs.http.targets import path_of, possible_paths

REST = "local/thumbs/90x60/quarters.jpg"
PICTURE = f"/img/{REST}"

# ------------------------------------------------------------------------------------- readings


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/", b"/"),
        (b"/a%2Fb%2fc", b"/a/b/c"),
        (b"/a%23b", b"/a#b"),
        (b"/a?b?c", b"/a"),
        (b"//a/b", b"//a/b"),
        (b"/x://y/z", b"/x://y/z"),
        (b"/a\\b", b"/a\\b"),
        (b"http://h/", b"/"),
        (b"HtTpS://h:1/a%20b?c", b"/a b"),
        (b"http://h//a", b"//a"),
        (b"http://[::1]:1/a", b"/a"),
        (b"http://h/a@b:c", b"/a@b:c"),
        (b"http://h/?u@v", b"/"),
    ],
)
def test_a_target_with_one_reading_has_a_path(target: bytes, path: bytes) -> None:
    assert path_of(target) == path


@pytest.mark.parametrize(
    "target",
    [
        *(b"", b"*", b"a", b"a/b", b"?a", b"#", b"/#", b"/a#b", b"/a?b#c"),
        *(b"/\xc3\xa9", b"/ ", b"/\t", b"/\0", b"/\x7f"),
        *(b"/a\n", b"h:80", b"http://h", b"http://h?a", b"http://h#a", b"http://h/#a", b"http:///a", b"http://:1/a"),
        *(b"http://u@h/a", b"http://u:p@h/a", b"http://@h/a", b"http://h:x/a", b"http://h h/a", b"http:/a", b"http:a"),
        *(b"ftp://h/a", b"file:///a", b"httpss://h/a", b"http//h/a", b"://h/a", b"http://h\\a", b"http:\\\\h\\a"),
        *(b"http://[::1/a", b"http://::1/a", b"http://[h]/a", b"http://[fe80::1%25e]/a", b"http://h%2f/a"),
        *(b"http://a,b/", b" http://h/a", b"http://h/a\n", b"http://h/\xff", b"http://\xff/a"),
    ],
)
def test_a_target_with_more_readings_or_none_has_no_path(target: bytes) -> None:
    assert path_of(target) is None


@given(st.binary(max_size=40), st.sampled_from([b"", b"/", b"//", b"http://", b"http://h", b"http://h/", b"x:"]))
def test_any_bytes_are_read_without_an_error_and_only_visible_ascii_has_a_path(tail: bytes, head: bytes) -> None:
    target = head + tail
    if path_of(target) is not None:
        assert b"#" not in target
        assert all(0x20 < byte < 0x7F for byte in target)
    assert all(isinstance(path, bytes) for path in possible_paths(target))


# ---------------------------------------------------------------------------------------- whose


@pytest.mark.parametrize(
    "target",
    [
        "~#",
        "~#x",
        "~?#",
        "/img/local#/thumbs/90x60/quarters.jpg",
        "/img/%6cocal/thumbs/90x60/quarters.jpg#x",
        "/img%2flocal%2fthumbs%2f90x60%2fquarters.jpg#x",
        "/img\\local\\thumbs\\90x60\\quarters.jpg#x",
        "//h~#x",
        "~\xff",
        "~ x",
        "http://h?~",
        "http://h#~",
        "http://u@h~",
        "http://h\\x~",
        "http:~",
        "http://~",
        "http:///h~",
        "ftp://h~",
        "javascript:~",
        "http:\\\\h\\img\\local\\thumbs\\90x60\\quarters.jpg",
        "h~",
        "img/local/thumbs/90x60/quarters.jpg",
    ],
)
def test_what_some_reader_takes_for_a_thumbnail_is_ours_to_refuse(target: str) -> None:
    match = Mount("/img/").match(target.replace("~", PICTURE).encode("latin-1"))
    assert match is not None
    assert match.error is BadTarget


@pytest.mark.parametrize(
    "target",
    [
        "/blog#x",
        "/blog#/img/local/thumbs/90x60/quarters.jpg",
        "/blog?next=/img/local/thumbs/90x60/quarters.jpg#x",
        "/blog/img/local/thumbs/90x60/quarters.jpg#x",
        "/img#/local/thumbs/90x60/quarters.jpg",
        "/img/local#",
        "/img/local/thumbs#/90x60/quarters.jpg",
        "/img//thumbs/x#",
        "/\xe9",
        "http://h",
        "http://h?x",
        "http://u@h/blog",
        "ftp://h/blog",
        "http://h/blog?/img/local/thumbs/90x60/quarters.jpg#",
        "h:443",
        "*",
        "",
    ],
)
def test_what_no_reader_takes_for_a_thumbnail_is_the_applications(target: str) -> None:
    data = target.encode("latin-1")
    assert Mount("/img/").match(data) is None
    refused = Mount("/img/", whole_server=True).match(data)
    assert refused is not None
    assert refused.error is BadTarget


def test_a_question_about_the_server_as_a_whole_is_no_bad_target() -> None:
    assert Mount(whole_server=True).match(b"*", "OPTIONS") is None
    assert Mount(whole_server=True).match(b"*", "GET") == ThumbTarget(b"*", BadTarget)


@pytest.mark.parametrize(
    ("hosts", "version", "sound"),
    [
        ([b"h"], "1.1", True),
        ([b"h"], "1.0", True),
        ([], "1.0", True),
        ([], "2", True),
        ([], "", True),
        ([], "1.1", False),
        ([b""], "1.1", False),
        ([b"h", b"h"], "1.1", False),
        ([b"h", b"h"], "1.0", False),
        ([b"h", b"h"], "2", False),
        ([b"u@h"], "1.0", False),
    ],
)
def test_the_host_is_judged_where_the_request_is_ours(hosts: list[bytes], version: str, sound: bool) -> None:
    site, server = Mount("/img/"), Mount("/img/", whole_server=True)
    error = None if sound else BadHost
    for mount in (site, server):
        assert mount.with_hosts(ThumbTarget(b"/x"), hosts, version) == ThumbTarget(b"/x", error)
        assert mount.with_hosts(ThumbTarget(b"/x", BadPath), hosts, version) == ThumbTarget(b"/x", BadPath)
    assert site.with_hosts(None, hosts, version) is None
    assert server.with_hosts(None, hosts, version) == (None if sound else ThumbTarget(b"/", BadHost))


# ----------------------------------------------------------------------------------- in a site


@pytest.fixture
def site(originals: Path) -> Iterator[Client]:
    with override_settings(THUMBS={"STORAGES": [{"name": "local", "driver": "local", "root": str(originals)}]}):
        yield Client()


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (PICTURE, 200),
        (f"/sub{PICTURE}", 200),
        (f"http://h/sub{PICTURE}", 200),
        (f"http://h{PICTURE}?x", 200),
        (f"/sub{PICTURE}#x", 400),
        (f"{PICTURE}?#", 400),
        (f"http://u@h/sub{PICTURE}", 400),
        (f"http://h#{PICTURE}", 400),
        (f"//h{PICTURE}", 400),
        (f"/{PICTURE}", 400),
        ("/sub/img/local/thumbs/90x60/%ff.jpg", 400),
        ("/sub/img/local/thumbs/90x60/absent.jpg", 404),
        (f"/rewritten/by/the/server{PICTURE}", 200),
        (f"/rewritten{PICTURE}#x", 400),
    ],
)
def test_the_view_reads_the_raw_target_below_its_script_name(site: Client, raw: str, status: int) -> None:
    environ = {"SCRIPT_NAME": "/sub", "RAW_URI": raw}
    answer = site.generic("GET", PICTURE, **environ)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == ("image/jpeg" if status == 200 else "application/problem+json")


@pytest.mark.parametrize(("raw", "status"), [(f"{PICTURE}?x\u2026", 400), (f"{PICTURE}\u2026", 400), (PICTURE, 200)])
def test_a_target_that_a_server_has_decoded_is_none(site: Client, raw: str, status: int) -> None:
    assert site.generic("GET", PICTURE, REQUEST_URI=raw).status_code == status


def test_a_path_that_may_have_been_no_utf_8_is_refused_where_only_django_has_it(site: Client) -> None:
    for target in ("%ff.jpg", "%c3.jpg", "%ed%a0%80.jpg"):
        answer = site.get(f"/img/local/thumbs/90x60/{target}")
        assert (answer.status_code, json.loads(answer.content)["code"]) == (400, "bad-path")
    assert site.get("/img/local/thumbs/90x60/B%C3%BCcher/%C3%A9t%C3%A9.jpg").status_code == 200


def _scope(**fields: object) -> dict[str, object]:
    headers = [(b"host", b"h")]
    plain = {"type": "http", "http_version": "1.1", "method": "GET", "query_string": b"", "headers": headers}
    return {**plain, "server": ("h", 80), **fields}


def _asked(application: Callable[..., object], scope: dict[str, object]) -> int:
    statuses: list[int] = []

    async def send(message: dict[str, int]) -> None:
        statuses.append(message.get("status", 0))

    async def ask() -> None:
        waiting = asyncio.Event()
        first = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive_once() -> dict[str, object]:
            for message in first:
                return dict(message)
            await waiting.wait()
            return {"type": "http.disconnect"}

        await application(scope, receive_once, send)  # type: ignore[misc]

    asyncio.run(ask())
    return statuses[0]


_ASGI_ROWS = [
    ({"path": PICTURE, "raw_path": PICTURE.encode()}, 200),
    ({"path": f"/sub{PICTURE}", "raw_path": f"/sub{PICTURE}".encode(), "root_path": "/sub"}, 200),
    ({"path": f"/sub{PICTURE}", "raw_path": f"/sub{PICTURE}#x".encode(), "root_path": "/sub"}, 400),
    ({"path": PICTURE, "raw_path": PICTURE.encode(), "query_string": b"a#b"}, 400),
    ({"path": PICTURE, "raw_path": b"http://u@h" + PICTURE.encode()}, 400),
    ({"path": PICTURE, "raw_path": PICTURE.encode(), "headers": []}, 400),
    ({"path": PICTURE, "raw_path": PICTURE.encode(), "headers": [], "http_version": "2"}, 200),
    ({"path": PICTURE, "raw_path": PICTURE.encode(), "headers": [(b"host", b"h")] * 2}, 400),
    ({"path": PICTURE, "raw_path": PICTURE.encode(), "headers": [(b"host", b"u@h")]}, 400),
    ({"path": PICTURE}, 200),
    ({"path": PICTURE, "query_string": b"a#b"}, 400),
    ({"path": "/img/local/thumbs/90x60/\ufffd.jpg"}, 400),
]


@pytest.mark.parametrize(("fields", "status"), _ASGI_ROWS)
def test_the_view_reads_a_scope_as_the_front_does(site: Client, fields: dict[str, object], status: int) -> None:
    prefix = f"{fields.get('root_path', '')}/img/"
    front = ThumbsASGI(_unreachable, prefix=prefix)  # type: ignore[arg-type]
    assert _asked(front, _scope(**fields)) == status
    assert _asked(asgi_application, _scope(**fields)) == status


def _unreachable(*_: object) -> None:
    raise AssertionError("not asked")
