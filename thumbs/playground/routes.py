"""The paths of the pages. Each view is wrapped in a gate, which decides for which clients it is."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import URLPattern, path

from thumbs.playground import views

View = Callable[..., HttpResponse]


def patterns(gate: Callable[[View], View]) -> list[URLPattern]:
    return [
        path("", gate(views.page), name="page"),
        path("playground/link", gate(views.link), name="link"),
        path("playground/url", gate(views.url), name="url"),
        path("playground/originals", gate(views.originals), name="originals"),
        path("playground/<str:name>", gate(views.asset), name="asset"),
    ]
