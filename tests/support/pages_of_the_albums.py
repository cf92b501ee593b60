"""The URLs of `tests.albums` with the playground below `thumbs/`."""

from django.urls import include, path

from tests.albums.urls import urlpatterns as albums

urlpatterns = [*albums, path("thumbs/", include("thumbs.playground.urls"))]
