"""Thumbnails at the root, and the paths for load balancers and Prometheus."""

from django.urls import include, path

from mage_project.views import health, metrics, not_found, ready

handler404 = not_found

urlpatterns = [
    path("health", health),
    path("healthcheck", health),  # where thumbor and imagor have it
    path("ready", ready),
    path("metrics", metrics),
    path("", include("thumbs.urls")),
]
