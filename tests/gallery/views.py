"""A page with a row for each photo."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tests.gallery.models import Photo


def photos(request: HttpRequest, using: str | None = None) -> HttpResponse:
    """All photos, in Django's template language or in that of the engine `using`."""
    return render(request, "gallery/photos.html", {"photos": Photo.objects.all()}, using=using or "django")
