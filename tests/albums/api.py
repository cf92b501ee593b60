"""The API of albums and slides, with Django REST framework."""

from django.urls import URLPattern, path
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView

from tests.albums.models import Album, Slide
from thumbs.rest_framework import PictureField, ThumbField


class SlideSerializer(serializers.ModelSerializer):  # type: ignore[misc]  # it has no types
    thumb = ThumbField("64x64", source="image", format="webp")
    pictures = PictureField({"card": "card", "hero": ("hero", [400, 800])}, source="image")
    cover = ThumbField("avatar", source="album.cover", help_text="That of the album.")

    class Meta:
        model = Slide
        fields = ("id", "focus", "thumb", "pictures", "cover")


class AlbumSerializer(serializers.ModelSerializer):  # type: ignore[misc]
    cover = ThumbField("avatar")
    slides = SlideSerializer(many=True, read_only=True)

    class Meta:
        model = Album
        fields = ("id", "title", "cover", "slides")


class AlbumList(ListAPIView):  # type: ignore[misc]
    queryset = Album.objects.prefetch_related("slides")
    serializer_class = AlbumSerializer


class SlideDetail(RetrieveAPIView):  # type: ignore[misc]
    queryset = Slide.objects.select_related("album")
    serializer_class = SlideSerializer


urlpatterns: list[URLPattern] = [
    path("albums/", AlbumList.as_view(), name="albums"),
    path("slides/<int:pk>/", SlideDetail.as_view(), name="slide"),
]
