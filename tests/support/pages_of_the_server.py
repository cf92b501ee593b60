"""A URLconf with thumbnails at the root, and the pages of the standalone server."""

from django.urls import include, path

urlpatterns = [path("", include("thumbs.urls")), path("", include("thumbs.playground.server_urls"))]
