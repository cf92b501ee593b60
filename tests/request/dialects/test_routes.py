"""Which requests are for a dialect: by the raw path, behind the storages and the paths of the server itself."""

import pytest

from thumbs.errors import BadHost, BadTarget
from thumbs.front import Mount, ThumbTarget
from thumbs.request.dialects.routes import routes_of

ROUTES = routes_of(("/", "/t/", "/t/deep/", "/_ipx/"), ("photos",))
WITHOUT_ROOT = routes_of(("/t/",), ("photos",))


def matched(target: str, *, prefix: str = "/", whole_server: bool = True) -> ThumbTarget | None:
    return Mount(prefix, whole_server).match(target.encode(), "GET", ROUTES)


@pytest.mark.parametrize(
    ("target", "dialect", "path"),
    [
        ("/t/unsafe/300x/a.jpg", "/t/", "/unsafe/300x/a.jpg"),
        ("/t/deep/unsafe/a.jpg", "/t/deep/", "/unsafe/a.jpg"),
        ("/t/unsafe/s%C3%A4%2Fb.jpg?x=%20", "/t/", "/unsafe/s%C3%A4%2Fb.jpg?x=%20"),
        ("http://example.com/t/unsafe/a.jpg", "/t/", "/unsafe/a.jpg"),
        ("/sig/w:9/plain/local:///a.jpg", "/", "/sig/w:9/plain/local:///a.jpg"),
        ("//sig/w:9/plain/local:///a.jpg", "/", "//sig/w:9/plain/local:///a.jpg"),
        ("/unsafe/thumbs/a.jpg", "/", "/unsafe/thumbs/a.jpg"),  # no storage has this name
        ("/%74/unsafe/a.jpg", "/", "/%74/unsafe/a.jpg"),  # as the peer, a dialect begins where its path is as it is
        ("/", "/", "/"),
    ],
)
def test_a_dialect_gets_the_target_as_it_was_sent(target: str, dialect: str, path: str) -> None:
    assert matched(target) == ThumbTarget(path.encode(), dialect=dialect)


@pytest.mark.parametrize("target", ["/photos/thumbs/9x/a.jpg", "/%70hotos/thumbs/9x/a.jpg", "/photos/thumbs/t/"])
def test_urls_of_a_storage_come_first(target: str) -> None:
    found = matched(target)
    assert found is not None
    assert not found.dialect
    assert found.path.startswith(b"/photos/thumbs/")


@pytest.mark.parametrize("target", ["/health", "/ready", "/metrics", "/healthcheck", "/health?x=1"])
def test_paths_of_the_server_come_first(target: str) -> None:
    assert matched(target) is None


@pytest.mark.parametrize("target", ["/", "/about", "/sig/w:9/plain/local:///a.jpg"])
def test_a_dialect_at_the_root_takes_no_pages_of_a_site(target: str) -> None:
    assert matched(target, whole_server=False) is None
    found = matched(f"/t{target}", whole_server=False)
    assert found is not None
    assert found.dialect == "/t/"


def test_a_dialect_is_below_the_prefix_of_the_front() -> None:
    assert matched("/img/t/unsafe/a.jpg", prefix="/img/") == ThumbTarget(b"/unsafe/a.jpg", dialect="/t/")
    assert matched("/img/sig/a", prefix="/img/", whole_server=False) == ThumbTarget(b"/sig/a", dialect="/")
    assert matched("/t/unsafe/a.jpg", prefix="/img/") is None


def test_without_a_raw_path_nothing_is_handed_on() -> None:
    mount = Mount(whole_server=True)
    assert mount.match_decoded(b"/t/unsafe/a.jpg", b"", routes=ROUTES) == ThumbTarget(b"", dialect="/t/")
    assert mount.match_decoded(b"/photos/thumbs/9x/a", b"", routes=ROUTES) == ThumbTarget(b"/photos/thumbs/9x/a")


def test_an_invalid_request_is_refused_also_for_a_dialect() -> None:
    found = matched("/t/unsafe/a.jpg")
    assert found is not None
    assert found.with_hosts([], "1.1") == ThumbTarget(b"/unsafe/a.jpg", BadHost, "/t/")
    assert matched("/t/unsafe/a#b") == ThumbTarget(b"/t/unsafe/a#b", BadTarget)


def test_without_a_dialect_at_the_root_an_unknown_storage_is_one() -> None:
    assert Mount().match(b"/other/thumbs/9x/a", "GET", WITHOUT_ROOT) == ThumbTarget(b"/other/thumbs/9x/a")
