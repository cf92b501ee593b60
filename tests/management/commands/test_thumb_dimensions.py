"""`thumb_dimensions`: rows get upright sizes and placeholders; the command can be tried out, stopped and repeated."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.images import ImageFile
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.models.signals import post_save, pre_save
from django.test import override_settings
from django.test.utils import CaptureQueriesContext, isolate_apps

from tests.gallery.models import BareThumbPhoto, FocusedPhoto, Photo
from tests.support import pictures
from tests.support.commands import Run
from tests.support.gallery import gallery_tables
from thumbs.image.placeholders import thumbhash
from thumbs.management import dimensions
from thumbs.toolkit.placeholders import background as placeholders

TURNED = pictures.stored_turned(pictures.quarters(40, 60), 6)


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "turned.jpg").write_bytes(TURNED)
    (tmp_path / "wide.png").write_bytes(pictures.encoded(pictures.quarters(90, 30), "PNG"))
    (tmp_path / "broken.jpg").write_bytes(b"This is no picture.")
    with gallery_tables(), override_settings(MEDIA_ROOT=str(tmp_path), THUMBS={"STORAGES": []}):
        yield tmp_path


def photo(name: str = "turned.jpg", **columns: Any) -> Photo:
    """A row of Django's own field, with the columns as an earlier release of a site left them."""
    row = Photo.objects.bulk_create([Photo(image=name, width=60, height=40)])[0]
    Photo.objects.filter(pk=row.pk).update(**{"width": 60, "height": 40, "updated": "2020-01-01T00:00Z", **columns})
    return row


def focused(name: str = "turned.jpg", **columns: Any) -> FocusedPhoto:
    row = FocusedPhoto.objects.bulk_create([FocusedPhoto(image=name)])[0]
    FocusedPhoto.objects.filter(pk=row.pk).update(width=None, height=None, placeholder="")
    FocusedPhoto.objects.filter(pk=row.pk).update(**columns)
    return row


def sizes(model: Any = Photo) -> list[tuple[int | None, int | None]]:
    return list(model.objects.order_by("pk").values_list("width", "height"))


def failure(*arguments: str) -> str:
    with pytest.raises(CommandError) as raised:
        call_command("thumb_dimensions", *arguments)
    assert raised.value.returncode == 1
    return str(raised.value)


def test_sizes_from_before_the_rotation_are_corrected(run: Run, media: Path) -> None:
    photo("turned.jpg")
    photo("wide.png", width=None, height=None)
    assert run("thumb_dimensions", "gallery").startswith("gallery.Photo: 2 read, 2 corrected, 0 missing or broken in ")
    assert sizes() == [(40, 60), (90, 30)]
    assert run("thumb_dimensions", "gallery").startswith("gallery.Photo: 2 read, 0 corrected")


def test_placeholders_are_filled_as_text_and_as_bytes(run: Run, media: Path) -> None:
    focused("wide.png")
    BareThumbPhoto.objects.bulk_create([BareThumbPhoto(image="wide.png")])
    run("thumb_dimensions", "gallery")
    text, data = FocusedPhoto.objects.get().placeholder, BareThumbPhoto.objects.get().placeholder
    assert placeholders.as_bytes(text) == placeholders.as_bytes(data)
    assert thumbhash.aspect_ratio(placeholders.as_bytes(text)) == 7 / 2
    assert "0 corrected" in run("thumb_dimensions", "gallery.BareThumbPhoto")


def test_what_it_fills_is_what_an_upload_fills(run: Run, media: Path) -> None:
    row = FocusedPhoto.objects.create(image="turned.jpg")
    before = FocusedPhoto.objects.values().get()
    FocusedPhoto.objects.update(width=1, height=1, placeholder="")
    run("thumb_dimensions", "gallery")
    assert FocusedPhoto.objects.values().get(pk=row.pk) == before


def test_no_signal_is_sent_and_no_date_changes(run: Run, media: Path) -> None:
    photo()
    before = Photo.objects.get().updated
    sent: list[object] = []
    for signal in (pre_save, post_save):
        signal.connect(lambda **_: sent.append(1), weak=False, dispatch_uid="test")
    try:
        run("thumb_dimensions", "gallery")
    finally:
        for signal in (pre_save, post_save):
            signal.disconnect(dispatch_uid="test")
    assert sizes() == [(40, 60)]
    assert (sent, Photo.objects.get().updated) == ([], before)


def test_a_dry_run_prints_what_would_change_and_changes_nothing(run: Run, media: Path) -> None:
    row = focused("turned.jpg", width=60, height=40)
    before = FocusedPhoto.objects.values().get()
    lines = run("thumb_dimensions", "gallery.FocusedPhoto", "--dry-run").splitlines()
    assert re.fullmatch(
        rf"gallery\.FocusedPhoto {row.pk} image 'turned\.jpg': "
        r"width 60 -> 40, height 40 -> 60, placeholder empty -> [\w+/]{20,}=*",
        lines[0],
    )
    assert lines[1].startswith("gallery.FocusedPhoto: 1 read, 1 would be corrected, 0 missing or broken in ")
    assert FocusedPhoto.objects.values().get() == before


def test_changes_are_printed_with_verbosity(run: Run, media: Path) -> None:
    photo()
    assert "width 60 -> 40" in run("thumb_dimensions", "gallery", "--verbosity", "2")
    assert sizes() == [(40, 60)]


def test_only_missing_reads_only_the_files_of_rows_with_an_empty_column(run: Run, media: Path) -> None:
    photo("turned.jpg")
    photo("turned.jpg", width=None)
    photo("turned.jpg", height=0)
    assert run("thumb_dimensions", "gallery", "--only-missing").startswith("gallery.Photo: 2 read, 2 corrected")
    assert sizes() == [(60, 40), (40, 60), (40, 60)]
    focused("turned.jpg", width=60, height=40)
    BareThumbPhoto.objects.bulk_create([BareThumbPhoto(image="wide.png"), BareThumbPhoto(image=None)])
    assert "FocusedPhoto: 1 read, 1 corrected" in run("thumb_dimensions", "gallery", "--only-missing")
    assert "1 read" not in run("thumb_dimensions", "gallery", "--only-missing")


def test_missing_and_broken_files_are_named_counted_and_passed_over(
    media: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [photo(name) for name in ("missing.jpg", "broken.jpg", "../outside.jpg", "turned.jpg")]
    assert failure("gallery") == "3 files could not be read: the lines above name them."
    output = capsys.readouterr()
    assert output.out.startswith("gallery.Photo: 1 read, 1 corrected, 3 missing or broken")
    first, second, third = output.err.splitlines()
    assert first == f"gallery.Photo {rows[0].pk} image 'missing.jpg': is missing"
    assert second == f"gallery.Photo {rows[1].pk} image 'broken.jpg': is no picture that Pillow can read"
    assert third.startswith(
        f"gallery.Photo {rows[2].pk} image '../outside.jpg': cannot be opened: SuspiciousFileOperation"
    )
    assert sizes() == [(60, 40), (60, 40), (60, 40), (40, 60)]


def test_a_picture_that_breaks_off_keeps_its_row(media: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = pictures.encoded(pictures.noise(600, 400), "JPEG")
    (media / "half.jpg").write_bytes(data[: len(data) // 2])
    focused("half.jpg", width=1, height=2)
    failure("gallery")
    assert "'half.jpg': cannot be read: OSError" in capsys.readouterr().err
    assert sizes(FocusedPhoto) == [(1, 2)]


def test_rows_without_a_file_are_passed_over(run: Run, media: Path) -> None:
    focused("")
    assert run("thumb_dimensions", "gallery.FocusedPhoto").startswith("gallery.FocusedPhoto: 0 read")


def test_it_goes_on_after_a_key(run: Run, media: Path) -> None:
    keys = [photo().pk for _ in range(4)]
    assert "2 read" in run("thumb_dimensions", "gallery.Photo", "--after", str(keys[1]))
    assert sizes() == [(60, 40), (60, 40), (40, 60), (40, 60)]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("the disk is gone")])
def test_when_it_ends_early_it_prints_how_to_go_on(
    run: Run, media: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    keys = [photo().pk for _ in range(4)]
    focused()
    with monkeypatch.context() as patched:
        original, calls = dimensions.Target._correct, []

        def failing(self: dimensions.Target, row: dict[str, Any], *rest: Any, **options: Any) -> dimensions.Result:
            calls.append(row["pk"])
            if len(calls) == 3:
                raise error
            return original(self, row, *rest, **options)

        patched.setattr(dimensions.Target, "_correct", failing)
        message = failure("gallery.Photo", "gallery.FocusedPhoto")
    assert message.startswith(
        "Stopped." if isinstance(error, KeyboardInterrupt) else "gallery.Photo: OSError: the disk"
    )
    first, then = message.split("To go on, run: ")[1].split(", then: ")
    assert first == f"thumb_dimensions gallery.Photo.image --after {keys[1]}"
    assert sizes() == [(40, 60), (40, 60), (60, 40), (60, 40)]
    run(*first.split())
    run(*then.split())
    assert sizes() == [(40, 60)] * 4
    assert sizes(FocusedPhoto) == [(40, 60)]


def test_a_file_that_is_replaced_meanwhile_is_left_alone(
    run: Run, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = photo()
    original = FileSystemStorage.open

    def replaced(self: FileSystemStorage, name: str, mode: str = "rb") -> Any:
        Photo.objects.filter(pk=row.pk).update(image="wide.png", width=90, height=30)
        return original(self, name, mode)

    monkeypatch.setattr(FileSystemStorage, "open", replaced)
    run("thumb_dimensions", "gallery")
    assert sizes() == [(90, 30)]


def test_rows_are_read_in_batches(run: Run, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dimensions, "_BATCH", 3)
    for _ in range(7):
        photo()
    with CaptureQueriesContext(connection) as queries:
        run("thumb_dimensions", "gallery.Photo")
    selects = [each["sql"] for each in queries if each["sql"].startswith("SELECT") and "COUNT" not in each["sql"]]
    assert len(selects) == 3
    assert all("LIMIT 3" in each for each in selects)
    assert sizes() == [(40, 60)] * 7


@pytest.mark.parametrize("name", ["gallery", "gallery.Photo", "gallery.photo", "gallery.Photo.image"])
def test_an_app_a_model_or_a_field_can_be_named(run: Run, media: Path, name: str) -> None:
    photo()
    assert "gallery.Photo: 1 read, 1 corrected" in run("thumb_dimensions", name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["galery"], "No app is called 'galery'. Did you mean 'gallery'?"),
        (["gallery.Foto"], "gallery has no model 'Foto'. Did you mean 'Photo'?"),
        (["gallery.Photo.imgae"], "gallery.Photo.imgae does not exist: name an image field. Did you mean 'image'?"),
        (["gallery.Photo.title"], "gallery.Photo.title is a CharField: name an image field."),
        (["gallery.PlainPhoto"], "gallery.PlainPhoto.image has no width_field, height_field or placeholder_field"),
        (["tests.Note"], "tests.Note has no image field."),
        (["gallery", "--after", "5"], "--after takes one model, and these are 3"),
        (["gallery.Photo", "--after", "five"], "'five' is no primary key of gallery.Photo."),
    ],
)
def test_a_wrong_argument_is_one_sentence(media: Path, arguments: list[str], words: str) -> None:
    assert words in failure(*arguments)


@isolate_apps("tests.gallery")
def test_a_child_of_a_model_is_corrected_through_the_table_of_its_parent(media: Path) -> None:
    class FramedPhoto(Photo):
        frame = models.CharField(max_length=10)

        class Meta:
            app_label = "gallery"

    photo()
    with connection.schema_editor() as editor:
        editor.create_model(FramedPhoto)
    try:
        FramedPhoto.objects.create(image=ImageFile(io.BytesIO(TURNED), "a.jpg"), frame="gold")
        FramedPhoto.objects.update(width=60, height=40)
        target = dimensions.Target(FramedPhoto, (FramedPhoto._meta.get_field("image"),), "default")
        assert len(list(target.correct())) == 1
        assert sizes() == [(60, 40), (40, 60)]
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(FramedPhoto)
