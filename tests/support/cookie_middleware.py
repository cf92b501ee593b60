"""Middleware of a site that puts a cookie on every answer, in each way that Django offers."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


def counts_visits(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        request.session["visits"] = request.session.get("visits", 0) + 1
        return get_response(request)

    return middleware


def sets_cookies(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.set_cookie("visitor", "canary-visitor", max_age=60, httponly=True, samesite="Lax")
        response.set_signed_cookie("signed", "canary-signed")
        response.delete_cookie("old")
        response.cookies["direct"] = "canary-direct"
        response.cookies["direct"]["path"] = "/"
        response["Set-Cookie"] = "header=canary-header"
        response.headers.setdefault("set-cookie", "default=canary-default")
        return response

    return middleware


def makes_private(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Cache-Control"] = "private"
        return response

    return middleware
