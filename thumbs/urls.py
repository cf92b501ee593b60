"""`path("img/", include("thumbs.urls"))`: thumbnails below any prefix of a site."""

from django.urls import re_path

from thumbs.front import PATTERN
from thumbs.views import thumbnail

app_name = "thumbs"

urlpatterns = [re_path(PATTERN, thumbnail, name="thumbnail")]
