"""Answers as Django's own, made so that middleware cannot put one visitor's cookie onto a public thumbnail.

A cache that shares an answer shares its `Set-Cookie` with everyone (RFC 9111, 7.3), and middleware that saves a session
or counts visitors adds one to whatever passes. What Mage made `public` is sent without cookies, whichever middleware
adds them. `Vary` is left as middleware leaves it: what a site varies on is for the site to say.
"""

import logging
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

from django.http import HttpResponse
from django.http.response import ResponseHeaders

from thumbs.http.messages import Response

logger = logging.getLogger("thumbs")

_COOKIE = "Set-Cookie"
_told = False


def django_response(answer: Response) -> HttpResponse:
    """`answer` with all of its headers and none of Django's."""
    response = _PublicResponse(answer.body, status=answer.status)
    del response.headers["Content-Type"]
    for raw_name, raw_value in answer.headers:
        name, value = raw_name.decode(), raw_value.decode()
        # Django keeps one line a field; `Vary` may have two, a storage's own and that of `format(auto)`.
        response.headers[name] = f"{response.headers[name]}, {value}" if name in response.headers else value
    if is_public(response.headers.get("Cache-Control", "")):
        response.withhold_cookies()
    return response


def is_public(cache_control: str) -> bool:
    """Whether a cache that is shared may keep an answer with this `Cache-Control`."""
    directives = {part.strip().partition("=")[0].lower() for part in cache_control.split(",")}
    return directives.isdisjoint({"private", "no-store"})


class _PublicResponse(HttpResponse):
    # Django would log the path of what is not 200, signature included. `thumbs` tells of failures, without it.
    _has_been_logged = True

    def withhold_cookies(self) -> None:
        self.cookies = _Withheld()
        self.headers = _Headers(dict(self.headers.items()))


def _nothing(_: object) -> tuple[()]:
    return ()


class _Withheld(SimpleCookie):
    """Takes cookies, which middleware may go on to change, and gives none to the handler that would send them."""

    def __setitem__(self, name: str, value: Any) -> None:
        _report(name)
        super().__setitem__(name, value)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    # Both of Django's handlers ask for the values, `output` for the items, a test client for the keys.
    keys = values = items = _nothing  # type: ignore[assignment]


class _Headers(ResponseHeaders):
    def __setitem__(self, name: str, value: Any) -> None:
        if name.lower() == _COOKIE.lower():
            _report(str(value).partition("=")[0])
            return
        super().__setitem__(name, value)


def _report(name: str) -> None:
    """Once a process: it happens with every thumbnail."""
    global _told  # noqa: PLW0603
    if not _told:
        _told = True
        logger.warning("the cookie %r that middleware adds to public thumbnails is not sent; see thumbs.W004", name)
