"""An image field with upright sizes, a placeholder and thumbnails, which opens no file because a row was loaded."""

import io
import logging
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.core import serializers
from django.core.files.base import ContentFile, File
from django.core.files.images import ImageFile
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile, TemporaryUploadedFile
from django.core.management import call_command
from django.db import connection, models
from django.forms import modelform_factory
from django.test import override_settings
from django.test.utils import CaptureQueriesContext, isolate_apps
from django.utils.datastructures import MultiValueDict

from tests.gallery.models import BareThumbPhoto, FocusedPhoto, PlainPhoto
from tests.support import pictures
from tests.support.gallery import gallery_tables
from thumbs.image.placeholders import thumbhash
from thumbs.toolkit.placeholders import background as placeholders
from thumbs.toolkit.placeholders import upright

UPLOADS = {"name": "uploads", "driver": "django", "alias": "default"}
# 60 by 40 pixels that show a picture of 40 by 60.
TURNED = pictures.stored_turned(pictures.quarters(40, 60), 6)
WIDE = pictures.encoded(pictures.quarters(90, 30), "PNG")


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "media"
    root.mkdir()
    thumbs = {"STORAGES": [UPLOADS], "PRESETS": {"card": {"size": "400x300"}}}
    with gallery_tables(), override_settings(MEDIA_ROOT=str(root), THUMBS=thumbs):
        yield root


@pytest.fixture
def opened(media: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that the storage has opened."""
    names: list[str] = []
    original = FileSystemStorage.open

    def recorded(self: FileSystemStorage, name: str, mode: str = "rb") -> Any:
        names.append(name)
        return original(self, name, mode)

    monkeypatch.setattr(FileSystemStorage, "open", recorded)
    return names


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a placeholder was wanted, for each time that a file was read."""
    calls: list[bool] = []
    original = upright.read

    def recorded(file: Any, *, placeholder: bool = False) -> upright.Upright:
        calls.append(placeholder)
        return original(file, placeholder=placeholder)

    monkeypatch.setattr(upright, "read", recorded)
    return calls


def stored(photo: FocusedPhoto) -> tuple[int | None, int | None, float | None]:
    """Width, height, and the aspect ratio of the placeholder, in the database."""
    width, height, text = FocusedPhoto.objects.values_list("width", "height", "placeholder").get(pk=photo.pk)
    return width, height, thumbhash.aspect_ratio(placeholders.as_bytes(text)) if text else None


def upload(data: bytes = TURNED, name: str = "a.jpg") -> "ContentFile[bytes]":
    return ContentFile(data, name)


UPRIGHT, LYING = (40, 60, 5 / 7), (90, 30, 7 / 2)


# ------------------------------------------------------------------------------------- ways to upload


def test_a_new_row_has_the_upright_size_and_the_placeholder(media: Path) -> None:
    assert stored(FocusedPhoto.objects.create(image=upload())) == UPRIGHT


@pytest.mark.parametrize(
    "make",
    [
        lambda data: SimpleUploadedFile("a.jpg", data, "image/jpeg"),
        lambda data: InMemoryUploadedFile(upload(data).file, "image", "a.jpg", "image/jpeg", len(data), None),
        lambda data: ImageFile(upload(data).file, "a.jpg"),
    ],
)
def test_every_kind_of_upload_is_read(media: Path, make: Any) -> None:
    photo = FocusedPhoto(title="new")
    photo.image = make(TURNED)
    photo.save()
    assert stored(photo) == UPRIGHT
    assert (media / str(photo.image)).read_bytes() == TURNED


def test_an_upload_in_a_temporary_file_is_read_and_moved(media: Path) -> None:
    with TemporaryUploadedFile("a.jpg", "image/jpeg", len(TURNED), None) as file:
        file.write(TURNED)
        file.seek(0)
        photo = FocusedPhoto(image=file)
        photo.save()
        assert stored(photo) == UPRIGHT
        assert (media / str(photo.image)).read_bytes() == TURNED


def test_save_of_the_file_fills_the_columns_with_and_without_the_row(media: Path) -> None:
    photo = FocusedPhoto.objects.create()
    assert stored(photo) == (None, None, None)
    photo.image.save("b.jpg", upload())
    assert stored(photo) == UPRIGHT
    photo.image.save("c.png", upload(WIDE), save=False)
    assert (photo.width, photo.height) == (90, 30)
    assert stored(photo) == UPRIGHT
    photo.save()
    assert stored(photo) == LYING


@pytest.mark.parametrize("save", [True, False])
@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        lambda: ContentFile(WIDE),
        lambda: ContentFile(WIDE, ""),
        lambda: ContentFile(WIDE, "z.png"),
        lambda: File(io.BytesIO(WIDE)),
        lambda: File(io.BytesIO(WIDE), "z.png"),
        lambda: io.BytesIO(WIDE),
    ],
)
def test_save_of_the_file_fills_the_columns_from_content_with_and_without_a_name(
    media: Path, content: Callable[[], Any], is_new: bool, save: bool
) -> None:
    photo = FocusedPhoto() if is_new else FocusedPhoto.objects.create(image=upload(name="b.png"))
    photo.image.save("b.png", content(), save=save)
    assert (photo.width, photo.height) == (90, 30)
    photo.save()
    assert stored(photo) == LYING
    assert photo.image.name == FocusedPhoto.objects.get().image.name
    assert str(photo.image).startswith("focused/b")
    assert (media / str(photo.image)).read_bytes() == WIDE


def test_save_of_the_file_leaves_its_content_without_a_name(media: Path) -> None:
    content = ContentFile(WIDE)
    FocusedPhoto().image.save("b.png", content)
    assert content.name is None


@pytest.mark.parametrize("name", ["there.png", "focused/b.png"])
def test_save_of_the_file_fills_the_columns_from_the_file_of_another_field(media: Path, name: str) -> None:
    photo = FocusedPhoto.objects.create(image=upload())
    other = PlainPhoto(image=name)
    (media / name).write_bytes(WIDE)
    with other.image.open() as content, override_settings(MEDIA_ROOT=str(media / "copies")):
        photo.image.save("b.png", content)
    assert photo.image.name == "focused/b.png"
    assert stored(photo) == LYING


@pytest.mark.parametrize("name", [None, "z.png"])
def test_save_of_a_file_that_cannot_be_read_again_stores_it_without_a_size(
    media: Path, name: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    class Pipe(io.BytesIO):
        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation("seek")

    photo = FocusedPhoto.objects.create(image=upload())
    with caplog.at_level(logging.WARNING, "thumbs"):
        photo.image.save("b.png", File(Pipe(WIDE), name))
    assert (media / str(photo.image)).read_bytes() == WIDE
    assert stored(photo) == (None, None, None)
    assert "cannot be opened" in caplog.text


def test_save_of_no_picture_without_a_name_clears_the_columns(media: Path, caplog: pytest.LogCaptureFixture) -> None:
    photo = FocusedPhoto.objects.create(image=upload())
    with caplog.at_level(logging.WARNING, "thumbs"):
        photo.image.save("b.jpg", ContentFile(b"This is no picture."))
    assert stored(photo) == (None, None, None)
    assert "gallery.FocusedPhoto.image: the file 'focused/b.jpg' is no picture" in caplog.text


def test_a_form_fills_the_columns(media: Path) -> None:
    form_class = modelform_factory(FocusedPhoto, fields=["title", "image"])
    form = form_class({"title": "from a form"}, MultiValueDict({"image": [SimpleUploadedFile("a.jpg", TURNED)]}))
    photo = form.save()
    assert stored(photo) == UPRIGHT
    cleared = form_class({"title": "cleared", "image-clear": "on"}, instance=photo).save()
    assert stored(cleared) == (None, None, None)


def test_bulk_create_fills_the_columns(media: Path) -> None:
    FocusedPhoto.objects.bulk_create([FocusedPhoto(image=upload()), FocusedPhoto(image=upload(WIDE, "b.png"))])
    assert [stored(photo) for photo in FocusedPhoto.objects.all()] == [UPRIGHT, LYING]


def test_bulk_create_opens_no_stored_file_and_thumb_dimensions_fills_its_columns(
    media: Path, opened: list[str]
) -> None:
    (media / "there.jpg").write_bytes(TURNED)
    FocusedPhoto.objects.bulk_create([FocusedPhoto(image="there.jpg")])
    photo = FocusedPhoto.objects.get()
    assert stored(photo) == (None, None, None)
    assert opened == []
    call_command("thumb_dimensions", "gallery.FocusedPhoto", "--only-missing", stdout=io.StringIO())
    assert stored(photo) == UPRIGHT


def test_a_replaced_file_replaces_the_columns_and_a_deleted_one_clears_them(media: Path) -> None:
    photo = FocusedPhoto.objects.create(image=upload())
    photo.image = upload(WIDE, "b.png")
    photo.save()
    assert stored(photo) == LYING
    photo.image.delete()
    assert stored(photo) == (None, None, None)


def test_a_file_in_the_place_of_a_deferred_one_replaces_the_columns(media: Path, opened: list[str]) -> None:
    (media / "there.png").write_bytes(WIDE)
    for deferred in (["image"], ["image", "width", "placeholder"]):
        for file in (upload(WIDE, "b.png"), "there.png"):
            created = FocusedPhoto.objects.create(image=upload())
            photo = FocusedPhoto.objects.defer(*deferred).get(pk=created.pk)
            photo.image = file
            photo.save()
            assert stored(photo) == LYING
    photo = FocusedPhoto.objects.defer("image").get(pk=photo.pk)
    photo.image = ""
    photo.save()
    assert stored(photo) == (None, None, None)


def test_a_file_in_the_place_of_null_fills_the_columns_at_once(media: Path) -> None:
    BareThumbPhoto.objects.create()
    BareThumbPhoto.objects.update(image=None)  # a blank image is saved as empty text
    photo = BareThumbPhoto.objects.get()
    photo.image = upload()
    assert photo.placeholder


def test_an_upload_is_read_once_until_its_row_is_saved(media: Path, reads: list[bool]) -> None:
    photo = FocusedPhoto(image=upload())
    photo.save()
    assert reads == [True]
    assert stored(photo) == UPRIGHT


def test_an_upload_that_was_changed_before_the_save_is_read_again(media: Path) -> None:
    file = upload()
    photo = FocusedPhoto(image=file)
    file.seek(0)
    file.truncate()
    file.write(WIDE)
    file.size = len(WIDE)
    photo.save()
    assert (photo.width, photo.height) == (90, 30)


def test_a_new_row_of_a_stored_file_has_its_size(media: Path) -> None:
    (media / "there.jpg").write_bytes(TURNED)
    assert stored(FocusedPhoto.objects.create(image="there.jpg")) == UPRIGHT


@isolate_apps("tests.gallery")
def test_a_proxy_and_a_child_of_the_model_are_filled_too(media: Path) -> None:
    class PhotoProxy(FocusedPhoto):
        class Meta:
            app_label = "gallery"
            proxy = True

    class PhotoChild(FocusedPhoto):
        class Meta:
            app_label = "gallery"

    for photo in (PhotoProxy(image=upload()), PhotoChild(image=upload())):
        assert (photo.width, photo.height) == (40, 60)


def test_a_placeholder_of_bytes_is_stored_as_bytes_and_none_as_null(media: Path) -> None:
    photo = BareThumbPhoto.objects.create(image=upload(WIDE, "b.png"))
    found = BareThumbPhoto.objects.get(pk=photo.pk).placeholder
    assert found is not None
    assert thumbhash.aspect_ratio(placeholders.as_bytes(found)) == 7 / 2
    photo.image = None
    photo.save()
    assert BareThumbPhoto.objects.get(pk=photo.pk).placeholder is None


# ----------------------------------------------------------------------------- what cannot be read


def test_an_upload_without_a_picture_is_stored_without_a_size(media: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "thumbs"):
        photo = FocusedPhoto.objects.create(image=upload(b"This is no picture."))
    assert stored(photo) == (None, None, None)
    assert "gallery.FocusedPhoto.image: the file 'a.jpg' is no picture" in caplog.text


def test_an_upload_that_breaks_off_has_its_size_and_no_placeholder(media: Path) -> None:
    data = pictures.encoded(pictures.noise(600, 400), "JPEG")
    assert stored(FocusedPhoto.objects.create(image=upload(data[: len(data) // 2]))) == (600, 400, None)


def test_a_name_without_a_file_is_saved_without_a_size(media: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "thumbs"):
        photo = FocusedPhoto.objects.create(image="missing.jpg")
    assert stored(photo) == (None, None, None)
    assert "the file 'missing.jpg' cannot be opened" in caplog.text
    photo.image = "gone.jpg"
    assert photo.width is None


# ----------------------------------------------------------------------------- what opens no file


def test_rows_are_loaded_without_opening_files(media: Path, opened: list[str]) -> None:
    FocusedPhoto.objects.create(image=upload())
    FocusedPhoto.objects.update(width=None, height=None, placeholder="")
    opened.clear()
    photo = FocusedPhoto.objects.get()
    assert str(photo.image) == "focused/a.jpg"
    photo.refresh_from_db()
    photo.title = "Another title"
    photo.save()
    loaded = pickle.loads(pickle.dumps(FocusedPhoto.objects.get()))
    assert loaded.image.name == "focused/a.jpg"
    list(FocusedPhoto.objects.only("title"))
    list(FocusedPhoto.objects.defer("width"))
    assert opened == []


@pytest.mark.parametrize("columns", [["title"], ["title", "width", "height", "placeholder"]])
def test_a_deferred_field_is_loaded_without_opening_files(media: Path, opened: list[str], columns: list[str]) -> None:
    FocusedPhoto.objects.create(image=upload())
    FocusedPhoto.objects.create(title="blank")
    FocusedPhoto.objects.update(width=7)
    opened.clear()
    photos = list(FocusedPhoto.objects.only(*columns))
    if django.VERSION >= (6, 1):
        photos += FocusedPhoto.objects.only(*columns).fetch_mode(models.FETCH_PEERS)
    for photo in photos:
        assert photo.image.name == ("" if photo.title else "focused/a.jpg")
        assert photo.width == 7
    assert opened == []


def test_a_refreshed_row_takes_the_columns_of_another_file_from_the_database(media: Path, opened: list[str]) -> None:
    photo = FocusedPhoto.objects.create(image=upload())
    other = FocusedPhoto.objects.get()
    other.image = upload(WIDE, "b.png")
    other.save()
    opened.clear()
    photo.refresh_from_db()
    assert (photo.image.name, photo.width, photo.height) == ("focused/b.png", 90, 30)
    assert opened == []


def test_the_file_of_another_row_brings_its_columns(media: Path, opened: list[str]) -> None:
    photo = FocusedPhoto.objects.create(image=upload())
    opened.clear()
    copy, another = FocusedPhoto(), FocusedPhoto(image=photo.image)
    copy.image = photo.image
    for each in (copy, another):
        each.save()
        assert stored(each) == UPRIGHT
    assert opened == []


@pytest.mark.parametrize("made", [lambda: PlainPhoto(image="there.png"), lambda: PlainPhoto(image=upload(WIDE))])
def test_the_file_of_a_field_of_another_class_is_read(media: Path, made: Callable[[], PlainPhoto]) -> None:
    (media / "there.png").write_bytes(WIDE)
    photo, row = FocusedPhoto(), FocusedPhoto.objects.create(image=upload())
    photo.image = made().image
    row.image = made().image
    for each in (photo, row, FocusedPhoto(image=made().image)):
        each.save()
        assert stored(each) == LYING


def test_a_file_of_a_row_whose_columns_are_deferred_is_read(media: Path, opened: list[str]) -> None:
    photo = FocusedPhoto.objects.create(image=upload())
    opened.clear()
    copy = FocusedPhoto()
    copy.image = FocusedPhoto.objects.only("image").get(pk=photo.pk).image
    copy.save()
    assert stored(copy) == UPRIGHT
    assert opened == [photo.image.name]


def test_another_stored_file_is_read_when_its_name_is_assigned(media: Path, opened: list[str]) -> None:
    (media / "there.png").write_bytes(WIDE)
    photo = FocusedPhoto.objects.create(image=upload())
    opened.clear()
    photo.image = photo.image
    photo.image = photo.image.name
    assert opened == []
    photo.image = "there.png"
    assert opened == ["there.png"]
    photo.save()
    assert stored(photo) == LYING


def test_a_fixture_is_loaded_without_opening_files(media: Path, opened: list[str]) -> None:
    photo = FocusedPhoto.objects.create(image=upload())
    text = serializers.serialize("json", [photo])
    FocusedPhoto.objects.all().delete()
    opened.clear()
    for each in serializers.deserialize("json", text):
        each.save()
    assert opened == []
    assert FocusedPhoto.objects.get().width == 40


def test_thumbnails_are_computed_without_a_file_and_without_a_query(media: Path, opened: list[str]) -> None:
    FocusedPhoto.objects.create(image=upload(), focus="0.31,0.62")
    photo = FocusedPhoto.objects.get()
    for path in media.rglob("*.jpg"):
        path.unlink()
    opened.clear()
    with CaptureQueriesContext(connection) as queries:
        thumb = photo.image.thumb("40x")
        picture = photo.image.picture("card", widths=[100, 200])
        assert (thumb.width, thumb.height) == (40, 60)
        assert "gravity(0.31,0.62)" in photo.image.thumb("card").url
        assert "srcset" in str(picture)
    assert (opened, len(queries)) == ([], 0)


def test_width_and_height_of_the_file_are_upright(media: Path) -> None:
    photo = FocusedPhoto.objects.create(image=upload())
    assert (photo.image.width, photo.image.height) == (40, 60)
    assert photo.image.closed
    with photo.image.open() as file:
        file.read(10)
        assert FocusedPhoto.objects.get().image.width == 40


def test_sizes_can_be_read_again_on_demand(media: Path) -> None:
    photo = FocusedPhoto.objects.create(image=upload())
    (media / "focused/a.jpg").write_bytes(WIDE)
    FocusedPhoto._meta.get_field("image").update_dimension_fields(photo, force=True)
    assert (photo.width, photo.height) == (90, 30)
