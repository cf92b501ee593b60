"""The admin of albums and slides, with previews, focal points and columns of thumbnails."""

from typing import TYPE_CHECKING

from django.contrib import admin

from tests.albums.models import Album, Slide
from thumbs.admin import ThumbAdminMixin, thumb_column

if TYPE_CHECKING:
    _AlbumAdmin = admin.ModelAdmin[Album]
    _SlideAdmin = admin.ModelAdmin[Slide]
    _Inline = admin.StackedInline[Slide, Album]
else:  # Django's classes take no parameter
    _AlbumAdmin = _SlideAdmin = admin.ModelAdmin
    _Inline = admin.StackedInline


class SlideInline(ThumbAdminMixin, _Inline):
    model = Slide
    extra = 0


@admin.register(Album)
class AlbumAdmin(ThumbAdminMixin, _AlbumAdmin):
    list_display = (thumb_column("cover", "avatar"), "title")
    inlines = (SlideInline,)


@admin.register(Slide)
class SlideAdmin(ThumbAdminMixin, _SlideAdmin):
    list_display = ("pk", thumb_column("image", "64x", description="The slide", alt="", format="png"), "album_cover")
    list_select_related = ("album",)
    album_cover = thumb_column("album__cover", "avatar")
