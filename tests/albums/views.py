"""A page with a form of a slide that is not of the admin."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tests.albums.models import Slide
from thumbs.fields import ThumbImageInput

SlideForm = forms.modelform_factory(Slide, fields=("image", "focus"), widgets={"image": ThumbImageInput})


def form(request: HttpRequest) -> HttpResponse:
    """The first slide, in the direction and with the attributes of the query."""
    slide = Slide.objects.first()
    bound = SlideForm(instance=slide)
    if request.GET.get("readonly"):
        bound.fields["focus"].widget.attrs["readonly"] = True
    return render(request, "albums/form.html", {"form": bound, "dir": request.GET.get("dir", "ltr")})


def icon(request: HttpRequest) -> HttpResponse:
    """No icon, and no error in the console of a browser that asks for it."""
    return HttpResponse(status=204)
