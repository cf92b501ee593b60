"""What `thumb_dimensions` prints of a row stays on its line: text of a column is no output of the command."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings

from tests.gallery.models import FocusedPhoto
from tests.support import pictures
from tests.support.gallery import gallery_tables


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "a.png").write_bytes(pictures.encoded(pictures.quarters(90, 30), "PNG"))
    with gallery_tables(), override_settings(MEDIA_ROOT=str(tmp_path), THUMBS={"STORAGES": []}):
        yield tmp_path


@pytest.mark.parametrize("old", ["x\nphotos: 9 corrected", "\x1b[2J", "\u202eab", "a\rb"])
def test_an_old_placeholder_is_printed_on_one_line(media: Path, old: str) -> None:
    row = FocusedPhoto.objects.bulk_create([FocusedPhoto(image="a.png")])[0]
    FocusedPhoto.objects.filter(pk=row.pk).update(placeholder=old)
    printed = StringIO()
    call_command("thumb_dimensions", "gallery.FocusedPhoto", "--dry-run", stdout=printed, stderr=StringIO())
    (line,) = [line for line in printed.getvalue().split("\n") if "placeholder" in line]
    assert f"placeholder {old!r} -> " in line
    assert line.isprintable()


def test_a_plain_placeholder_is_printed_as_it_is(media: Path) -> None:
    row = FocusedPhoto.objects.bulk_create([FocusedPhoto(image="a.png")])[0]
    FocusedPhoto.objects.filter(pk=row.pk).update(placeholder="abcd")
    printed = StringIO()
    call_command("thumb_dimensions", "gallery.FocusedPhoto", "--dry-run", stdout=printed, stderr=StringIO())
    assert "placeholder abcd -> " in printed.getvalue()
