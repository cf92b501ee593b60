"""A site with a private storage behind the wrapper, and the view of docs/django.md that leaves pictures to nginx."""

from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.urls import include, path

from tests.support.site import application
from tests.support.site import asgi_application as site_application
from thumbs.asgi import ThumbsASGI
from thumbs.views import private


def may_see(request: HttpRequest, *_: str) -> bool:
    return request.COOKIES.get("member") == "yes"


def picture(request: HttpRequest, path: str) -> HttpResponse:
    if not may_see(request, path):
        return HttpResponseForbidden()
    target = f"/thumbs-internal/{quote(path, safe='/:(),;=@')}"
    response = HttpResponse(headers={"X-Accel-Redirect": target, "Cache-Control": "private, max-age=300"})
    del response.headers["Content-Type"]
    return response


__all__ = ["application", "asgi_application", "urlpatterns"]
urlpatterns = [
    path("img/", include("thumbs.urls")),
    path("checked/<path:path>", private(may_see)),
    path("private/<path:path>", picture),
]
asgi_application = ThumbsASGI(site_application, prefix="/img/")  # type: ignore[arg-type]  # Django's is typed narrower
