"""One page, and the thumbnails below it."""

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from tests.ordinary_site.models import Photo

_PAGE = (
    '{% load thumbs %}{% for photo in photos %}<img src="{% thumb_url "uploads" photo.image "40x30" %}">{% endfor %}'
)


def page(request: HttpRequest) -> HttpResponse:
    """All photos."""
    template = engines["django"].from_string(_PAGE)
    return HttpResponse(template.render({"photos": Photo._default_manager.all()}, request))


urlpatterns = [path("", page), path("img/", include("thumbs.urls"))]
