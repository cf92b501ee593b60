"""Thumbnails at the root, and the paths for load balancers and Prometheus."""

from django.urls import include, path

from mage_project.views import health, metrics, not_found, ready
from thumbs.conf.document import NO_PAGES
from thumbs.wiring.process import configuration

handler404 = not_found

urlpatterns = [
    path("health", health),
    path("healthcheck", health),  # where thumbor and imagor have it
    path("ready", ready),
    path("metrics", metrics),
    path("", include("thumbs.urls")),
]
if configuration().document.playground != NO_PAGES:  # else nothing of it is imported
    urlpatterns.append(path("", include("thumbs.playground.server_urls")))
