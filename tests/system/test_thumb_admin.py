"""The admin shows pictures: in its forms, in its lists, and to a viewer; without a query, and whatever the data is."""

import json
from typing import Any

import pytest

from tests.gallery import settings
from tests.support.albums import make_albums
from tests.support.gallery import Gallery

_START = """
import json, re
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.files.storage import FileSystemStorage
from django.db import connection, models
from django.forms import FileInput, TextInput
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from tests.albums.models import Album, Slide
from tests.albums.admin import AlbumAdmin, SlideAdmin
from thumbs.admin import ThumbAdminMixin, thumb_column
client = Client()
client.force_login(User.objects.get_or_create(username="editor", is_staff=True, is_superuser=True)[0])
Slide.objects.all().delete()
Album.objects.all().delete()
def page(path):
    response = client.get(f"/admin/albums/{path}/")
    assert response.status_code == 200, response.status_code
    return response.content.decode()
def print_json(value):
    print(json.dumps(value))
"""
_IMG = (
    '<img src="/img/uploads/thumbs/{}" width="64" height="{}" alt="{}"'
    ' loading="lazy" decoding="async" class="thumbs-column">'
)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    storage = {"name": "uploads", "driver": "django", "alias": "default"}
    return make_albums(tmp_path_factory.mktemp("albums"), thumbs={**settings.THUMBS, "STORAGES": [storage]})


def result(gallery: Gallery, program: str) -> Any:
    return json.loads(gallery.copy(_START + program))


def test_a_column_shows_a_thumbnail_of_each_row_and_the_empty_value_of_the_admin(gallery: Gallery) -> None:
    html = result(
        gallery,
        """
Album.objects.create(title="Tom & Jerry", cover="covers/a.jpg")
Album.objects.create(title="Empty")
print_json(page("album"))
""",
    )
    assert _IMG.format("64x64/covers/a.jpg", 64, "Tom &amp; Jerry") in html
    assert html.count('class="thumbs-column"') == 1
    assert ">-</a>" in html
    assert "sortable column-cover" not in html
    assert ">Cover</span>" in html


def test_a_column_has_the_header_and_the_text_that_the_site_gives_it(gallery: Gallery) -> None:
    html = result(
        gallery,
        """
album = Album.objects.create(title="Summer", cover="covers/a.jpg")
Slide.objects.create(album=album, image="slides/a.jpg", width=1280, height=640, focus="0.1,0.2", version=3)
Slide.objects.create(image="slides/b.jpg")
print_json(page("slide"))
""",
    )
    assert "The slide" in html
    assert _IMG.format("64x/filters:format(png);version(3)/slides/a.jpg", 32, "") in html
    assert html.count("covers/a.jpg") == 1


def test_a_column_makes_no_query(gallery: Gallery) -> None:
    assert (
        result(
            gallery,
            """
for number in range(5):
    Album.objects.create(title=f"Album {number}", cover="covers/a.jpg")
    Slide.objects.create(album=Album.objects.last(), image="slides/a.jpg")
counts = []
for model in (AlbumAdmin, SlideAdmin):
    page(model.__name__.removesuffix("Admin").lower())
    for columns in (model.list_display, ("pk",)):
        admin.site._registry[Album if model is AlbumAdmin else Slide].list_display = columns
        with CaptureQueriesContext(connection) as queries:
            page(model.__name__.removesuffix("Admin").lower())
        counts.append(len(queries))
print_json(counts[0] == counts[1] and counts[2] == counts[3])
""",
        )
        is True
    )


def test_a_deferred_field_is_not_loaded_for_each_row(gallery: Gallery) -> None:
    shown = result(
        gallery,
        """
Album.objects.create(title="Summer", cover="covers/a.jpg")
with CaptureQueriesContext(connection) as queries:
    shown = [thumb_column("cover", "avatar")(album) for album in Album.objects.defer("cover")]
print_json([shown, len(queries)])
""",
    )
    assert shown == [[None], 1]


def test_a_description_and_a_text_may_be_made_from_the_row(gallery: Gallery) -> None:
    shown = result(
        gallery,
        """
column = thumb_column("cover", "avatar", alt=lambda album: album.title.upper(), fit="contain")
default = thumb_column("cover", "avatar")
album = Album(title="<b>", cover="covers/a.jpg")
print_json([column(album), default(album), default(Album()), default.__name__, hasattr(default, "short_description")])
""",
    )
    assert 'alt="&lt;B&gt;"' in shown[0]
    assert "fit(contain)" in shown[0]
    assert 'alt="&lt;b&gt;"' in shown[1]
    assert shown[2:] == [None, "cover", False]


def test_a_form_shows_every_picture_and_data_without_one_breaks_nothing(gallery: Gallery) -> None:
    forms = result(
        gallery,
        """
shown = []
for name in ("covers/a.jpg", "", "../a.jpg"):
    album = Album.objects.create(title="Summer", cover="x")
    Album.objects.filter(pk=album.pk).update(cover=name)
    shown.append(re.findall('<img src="([^"]+)"[^>]*thumbs-preview', page(f"album/{album.pk}/change")))
print_json([*shown, re.findall('<img src="([^"]+)"[^>]*thumbs-preview', page("album/add"))])
""",
    )
    assert forms == [["/img/uploads/thumbs/480x480/filters:fit(contain)/covers/a.jpg"], [], [], []]


def test_a_file_of_a_storage_that_is_not_served_has_no_preview(gallery: Gallery) -> None:
    html = result(
        gallery,
        """
album = Album.objects.create(title="Summer", cover="covers/a.jpg")
field = Album._meta.get_field("cover")
field.storage = FileSystemStorage("/tmp/elsewhere", base_url="/elsewhere/")
print_json(page(f"album/{album.pk}/change"))
""",
    )
    assert "/elsewhere/covers/a.jpg" in html
    assert "thumbs-preview" not in html


def test_widgets_of_the_site_stay(gallery: Gallery) -> None:
    names = result(
        gallery,
        """
class Narrow(TextInput): pass
class Bare(FileInput): pass
def widgets(**attributes):
    made = type("OneAdmin", (ThumbAdminMixin, admin.ModelAdmin), attributes)(Slide, admin.site)
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="editor")
    form = made.get_form(request)
    return [type(form.base_fields[name].widget).__name__ for name in ("image", "focus")]
from thumbs.fields import FocalPointField
mine = {models.ImageField: {"widget": Bare}, FocalPointField: {"widget": Narrow}}
print_json([widgets(), widgets(formfield_overrides=mine), widgets()])
""",
    )
    ours = ["AdminThumbImageInput", "FocalPointInput"]
    assert names == [ours, ["Bare", "Narrow"], ours]


def test_read_only_fields_show_the_picture_with_its_link_and_stay_out_of_the_form(gallery: Gallery) -> None:
    shown = result(
        gallery,
        """
album = Album.objects.create(title="Summer", cover="covers/a.jpg")
slide = Slide.objects.create(album=album, image="slides/a.jpg", focus="0.1,0.2")
AlbumAdmin.readonly_fields = ("cover",)
first = page(f"album/{album.pk}/change")
AlbumAdmin.fieldsets = ((None, {"fields": (("title", "cover"),)}),)
second = page(f"album/{album.pk}/change")
blank = page(f"album/{Album.objects.create(title='Blank').pk}/change")
answer = client.post(f"/admin/albums/album/{album.pk}/change/", {
    "title": "Winter", "cover": "covers/evil.jpg", "slides-TOTAL_FORMS": 0, "slides-INITIAL_FORMS": 0})
album.refresh_from_db()
print_json([first, second, blank, answer.status_code, album.title, album.cover.name])
""",
    )
    link = '<a href="/media/covers/a.jpg">covers/a.jpg</a>'
    for html in shown[:2]:
        assert link in html
        assert 'src="/img/uploads/thumbs/480x480/filters:fit(contain)/covers/a.jpg"' in html
        assert 'name="cover"' not in html
        assert "Shown in the list of albums." in html
    assert '<div class="readonly">-</div>' in shown[2]
    assert shown[3:] == [302, "Winter", "covers/a.jpg"]


def test_a_viewer_sees_the_pictures_of_a_table_of_rows(gallery: Gallery) -> None:
    html = result(
        gallery,
        """
from django.contrib.auth.models import Permission
from tests.albums.admin import SlideInline
SlideInline.template = "admin/edit_inline/tabular.html"
album = Album.objects.create(title="Summer", cover="covers/a.jpg")
Slide.objects.create(album=album, image="slides/a.jpg", focus="0.1,0.2")
editor = page(f"album/{album.pk}/change")
reader = User.objects.create(username="reader", is_staff=True)
reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
client.force_login(reader)
print_json([editor, page(f"album/{album.pk}/change")])
""",
    )
    editor, viewer = html
    source = 'src="/img/uploads/thumbs/480x480/filters:fit(contain)/slides/a.jpg"'
    assert source in editor
    assert 'name="slides-0-image"' in editor
    assert f'<thumbs-focus-shown data-focus="0.1,0.2"><img {source}' in viewer
    assert '<a href="/media/slides/a.jpg">slides/a.jpg</a>' in viewer
    assert "column-image" in viewer
    assert 'type="file"' not in viewer
