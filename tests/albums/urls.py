"""The gallery, its static files, a form outside of the admin, and the API where Django REST framework is installed."""

from importlib.util import find_spec
from typing import Any

from django.contrib.staticfiles.views import serve
from django.urls import include, path

from tests.albums import views
from tests.gallery.urls import urlpatterns as gallery

urlpatterns: list[Any] = [
    *gallery,
    path("static/<path:path>", serve, {"insecure": True}),
    path("favicon.ico", views.icon),
    path("form/", views.form, name="form"),
]
if find_spec("rest_framework") is not None:
    urlpatterns.append(path("api/", include("tests.albums.api")))
