"""The thumbnails below `img/`, the admin, and a page of all photos in each template language."""

from django.contrib import admin
from django.urls import include, path

from tests.gallery import views

urlpatterns = [
    path("", views.photos, name="photos"),
    path("jinja/", views.photos, {"using": "jinja2"}, name="photos-jinja"),
    path("admin/", admin.site.urls),
    path("img/", include("thumbs.urls")),
]
