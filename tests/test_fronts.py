"""The ASGI and the WSGI front alone: what they pass on, what they refuse, and a configuration that is wrong."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from tests.support import pictures
from tests.support.commands import local_storage
from tests.support.front_calls import Ask, ask_asgi, ask_wsgi
from thumbs.asgi import ThumbsASGI
from thumbs.http.messages import Response
from thumbs.wsgi import ThumbsWSGI

THUMBNAIL = "/photos/thumbs/50x/quarters.jpg"


@pytest.fixture(params=[ask_asgi, ask_wsgi], ids=["asgi", "wsgi"])
def ask(request: pytest.FixtureRequest) -> Ask:
    front: Ask = request.param
    return front


@pytest.fixture
def photos(originals: Path) -> Iterator[None]:
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", originals)]}):
        yield


@pytest.mark.parametrize("prefix", ["/", "/img/", "/a/b/"])
def test_a_thumbnail_below_the_prefix_is_answered(photos: None, ask: Ask, prefix: str) -> None:
    answered = ask(prefix.removesuffix("/") + THUMBNAIL, prefix=prefix)
    assert answered is not None
    assert answered[0] == 200
    assert pictures.decoded(answered[1]).width == 50


@pytest.mark.parametrize(
    ("prefix", "target"),
    [
        ("/", "/"),
        ("/", "/health"),
        ("/", "/photos/thumb/50x/quarters.jpg"),
        ("/", "//thumbs/50x/quarters.jpg"),
        ("/", "/photos/more/thumbs/50x/quarters.jpg"),
        ("/img/", THUMBNAIL),
        ("/img/", "/img" + THUMBNAIL.replace("/thumbs", "")),
        ("/img/", "/img/health?x=/img/photos/thumbs/50x/a.jpg"),
    ],
)
def test_everything_else_is_passed_on(photos: None, ask: Ask, prefix: str, target: str) -> None:
    assert ask(target, prefix=prefix) is None


def test_a_thumbnail_that_is_missing_is_a_problem_document(photos: None, ask: Ask) -> None:
    answered = ask("/photos/thumbs/50x/absent.jpg")
    assert answered is not None
    assert answered[0] == json.loads(answered[1])["status"] == 404


@pytest.mark.parametrize("ask_head", [{"method": "HEAD"}, {"REQUEST_METHOD": "HEAD"}], ids=["asgi", "wsgi"])
def test_a_head_request_has_no_body(photos: None, ask_head: dict[str, str]) -> None:
    front = ask_asgi if "method" in ask_head else ask_wsgi
    assert front(THUMBNAIL, **ask_head) == (200, b"")


def test_a_wrong_configuration_is_a_constant_answer_and_the_log_has_the_reason(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(THUMBS={"STORAGES": [{"name": "photos", "driver": "nothing"}]}):
        answered = ask(THUMBNAIL)
    assert answered is not None
    assert answered[0] == json.loads(answered[1])["status"] == 500
    assert b"driver" not in answered[1]
    assert caplog.messages == ["thumbnails cannot be served"]
    assert caplog.records[0].exc_info is not None
    assert str(caplog.records[0].exc_info[1]).startswith("(thumbs.E003) storages[photos].driver: ")


def test_a_thumbnailer_of_the_caller_is_taken(ask: Ask) -> None:
    made: list[int] = []

    def thumbnailer() -> None:
        made.append(1)
        raise RuntimeError("not today")

    answered = ask(THUMBNAIL, thumbnailer=thumbnailer)
    assert answered is not None
    assert answered[0] == 500
    assert made == [1]


@pytest.mark.parametrize("prefix", ["", "img/", "/img", "img"])
def test_a_prefix_without_its_slashes_is_refused(prefix: str) -> None:
    for front in (ThumbsASGI, ThumbsWSGI):
        with pytest.raises(ValueError, match="a prefix begins and ends with a slash, as in '/img/'"):
            front(None, prefix=prefix)  # type: ignore[arg-type]


def test_a_scope_that_is_no_request_is_passed_on(photos: None) -> None:
    assert ask_asgi(THUMBNAIL, type="lifespan") is None
    assert ask_asgi(THUMBNAIL, type="websocket") is None


def test_a_hit_is_looked_up_only_for_a_valid_target(originals: Path) -> None:
    memory = {"enabled": True, "max_size_mb": 16}
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", originals, memory=memory)]}):
        front = ThumbsASGI(None)  # type: ignore[arg-type]
        assert front.hit("GET", b"/health", {}) is None
        assert front.hit("GET", b"http://[/photos/thumbs/50x/quarters.jpg", {}) is None
        assert not isinstance(front.hit("GET", THUMBNAIL.encode(), {}), Response | None)  # looked up, not found
        assert ask_asgi(THUMBNAIL) is not None
        found = front.hit("GET", THUMBNAIL.encode(), {})
        assert isinstance(found, Response)
        tag = dict(found.headers)[b"ETag"].decode()
        again = front.hit("HEAD", THUMBNAIL.encode(), {b"if-none-match": tag})
        assert isinstance(again, Response)
        assert (found.status, again.status) == (200, 304)
