"""Converts a `Response` to Django's, on which middleware cannot set a cookie if caches may share it.

A shared cache sends a stored `Set-Cookie` to every client (RFC 9111, 7.3), and middleware that saves a session or
counts visitors sets one on every response. So a public thumbnail is sent without cookies. `Vary` stays as middleware
sets it, because a login may decide about the picture.
"""

import logging
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

from django.http import HttpResponse
from django.http.response import ResponseHeaders

from thumbs.http.cache_control import is_public
from thumbs.http.messages import Response

logger = logging.getLogger("thumbs")

_COOKIE = "Set-Cookie"
_reported = False


def django_response(answer: Response) -> HttpResponse:
    """`answer` with exactly its own headers, and cookies withheld if caches may share it."""
    response = _Response(answer.body, status=answer.status)
    del response.headers["Content-Type"]
    for raw_name, raw_value in answer.headers:
        name, value = raw_name.decode(), raw_value.decode()
        # Django keeps one line per field. `Vary` may have two: from the storage's headers and from `format(auto)`.
        response.headers[name] = f"{response.headers[name]}, {value}" if name in response.headers else value
    if is_public(response.headers.get("Cache-Control", "")):
        response.withhold_cookies()
    return response


class _Response(HttpResponse):
    # Django would log the path of an error, with its signature. The logger `thumbs` logs failures without it.
    _has_been_logged = True

    def withhold_cookies(self) -> None:
        self.cookies = _WithheldCookies()
        self.headers = _CookielessHeaders(dict(self.headers.items()))


def _empty(_: object) -> tuple[()]:
    return ()


class _WithheldCookies(SimpleCookie):
    """Accepts cookies, so that middleware can change them, but shows none to the handler that would send them."""

    def __setitem__(self, name: str, value: Any) -> None:
        _report(name)
        super().__setitem__(name, value)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    # Django's handlers read the values, `output` the items, and the test client the keys.
    keys = values = items = _empty  # type: ignore[assignment]


class _CookielessHeaders(ResponseHeaders):
    def __setitem__(self, name: str, value: Any) -> None:
        if name.lower() == _COOKIE.lower():
            _report(str(value).partition("=")[0])
            return
        super().__setitem__(name, value)


def _report(name: str) -> None:
    """Warn once per process: it happens with every thumbnail."""
    global _reported  # noqa: PLW0603
    if not _reported:
        _reported = True
        logger.warning("the cookie %r that middleware adds to public thumbnails is not sent; see thumbs.W004", name)
