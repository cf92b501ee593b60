"""A URLconf of a site with thumbnails below `img/` and the playground below `thumbs/`."""

from django.urls import include, path

urlpatterns = [path("img/", include("thumbs.urls")), path("thumbs/", include("thumbs.playground.urls"))]
