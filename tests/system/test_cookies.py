"""No cookie of any middleware is sent with a public thumbnail, by the view or by a wrapper."""

from pathlib import Path

import pytest

from tests.support import servers
from tests.support.cookies import PICTURE, SETTINGS, storages_of


@pytest.mark.parametrize("worker", ["gthread", "asgi"])
def test_no_cookie_of_any_middleware_is_sent_with_a_public_thumbnail(
    originals: Path, tmp_path: Path, worker: str
) -> None:
    with servers.site(storages_of(originals), tmp_path, settings=SETTINGS, worker=worker) as server:
        first, again = server.get(PICTURE), server.get(PICTURE, headers={"Cookie": "sessionid=x; old=1"})
        for answer in (first, again):
            assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=86400")
            assert "set-cookie" not in answer.headers
        unchanged = server.get(PICTURE, headers={"If-None-Match": first.headers["etag"]})
        assert (unchanged.status, unchanged.headers.get("set-cookie")) == (304, None)
        # Private thumbnails keep their cookies, and so do the site's own pages.
        for path in ("private/thumbs/90x60/quarters.jpg", "public/thumbs/90x60/absent.jpg", "a-page"):
            assert "visitor=canary-visitor" in server.get(path).headers["set-cookie"], path
        said = [line for line in server.log.read_text().splitlines() if "thumbs.W004" in line]
        assert len(said) == 1
        assert "canary" not in said[0]


@pytest.mark.parametrize("worker", ["gthread", "asgi"])
def test_a_wrapper_answers_before_any_middleware(originals: Path, tmp_path: Path, worker: str) -> None:
    middleware = ["tests.support.cookie_middleware.makes_private", *SETTINGS["MIDDLEWARE"]]  # type: ignore[misc]
    settings = {**SETTINGS, "MIDDLEWARE": middleware}
    with servers.site(
        storages_of(originals), tmp_path, settings=settings, worker=worker, module="tests.support.wrapped"
    ) as server:
        sent = {"Cookie": "sessionid=x", "Accept-Language": "de", "Accept-Encoding": "gzip"}
        answer = server.get(PICTURE, headers=sent)
        assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=86400")
        assert not {"set-cookie", "vary", "content-language", "content-encoding"} & set(answer.headers)
        assert "W/" not in answer.headers["etag"]
        assert "set-cookie" in server.get("a-page").headers
