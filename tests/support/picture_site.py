"""The URLconf and the middleware of a site of pages with one picture each: it logs which thumbnails a browser requests.

`REQUESTS` in the environment is the file of the requests, one path a line.
"""

import os
import time
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.urls import include, path

TAGS = {
    "widths": '{% thumb_picture key "x" widths="200 400 800 1200 1800" sizes="50vw" alt="a" %}',
    "ratio": '{% thumb_picture key "x" widths="200 400 800 1200 1800" sizes="50vw" ratio="16/9" %}',
    "grid": '{% thumb_picture key "1200x900" grid="m6 l4" alt="a" %}',
    "densities": '{% thumb_picture key "400x300" alt="a" priority %}',
    "one-format": '{% thumb_picture key "x" widths="200 400 800 1200 1800" sizes="50vw" ratio="4/3" format="jpeg" %}',
    "signed": '{% thumb_picture key "400x300" widths="200 400 800 1200 1800" sizes="50vw" storage="signed" %}',
    "img": '{% thumb_img key "400x300" alt="a" %}',
    "no-size": '<img src="{% thumb key "400x300" %}">',
}
_PAGE = """{% load thumbs %}<!DOCTYPE html><html lang="en"><head><title>A picture</title><link rel="icon" href="data:,">
<style>
body { margin: 0 } img { display: block; height: auto; max-width: 100% }
.widths, .ratio, .one-format, .signed { width: 50vw } .grid { width: 100% }
:is(.widths, .ratio, .one-format, .signed, .grid) img { width: 100% }
@media (min-width: 768px) { .grid { width: 50% } } @media (min-width: 992px) { .grid { width: 33.3333% } }
</style>
<script>
var shift = 0, shifts = new PerformanceObserver(list => { for (const one of list.getEntries()) shift += one.value });
shifts.observe({type: "layout-shift", buffered: true});
</script></head><body><div class="CASE">TAG</div><p>It moves when the layout shifts.</p></body>
"""
_LATE_SECONDS = 0.5  # until a picture comes: the page is drawn before


def page(request: HttpRequest, name: str) -> HttpResponse:
    source = _PAGE.replace("TAG", TAGS[name]).replace("CASE", name)
    return HttpResponse(Template(source).render(Context({"key": request.GET["key"]})))


class LogRequests:
    """A middleware before the thumbnails."""

    def __init__(self, get_response: object) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/img/"):
            with Path(os.environ["REQUESTS"]).open("a") as requests:
                requests.write(f"{request.get_full_path()}\n")
            time.sleep(_LATE_SECONDS)
        return self._get_response(request)  # type: ignore[operator, no-any-return]


urlpatterns = [path("page/<str:name>/", page), path("img/", include("thumbs.urls"))]
