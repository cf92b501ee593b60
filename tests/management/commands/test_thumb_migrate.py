"""`thumb_migrate` on directories of files: the diff, `--write`, the list of what is left alone, and the status."""

import os
import stat
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

_TAG, _OURS = b'{% thumbnail f "9x9" crop="center" %}', b'{% thumb f "9x9" %}'
_LOAD, _LOADED = b"{% load thumbnail %}", b"{% load thumbs %}"


def migrate(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[str, int]:
    """The output and the status."""
    status = 0
    try:
        call_command("thumb_migrate", *(str(argument) for argument in arguments))
    except SystemExit as error:
        status = int(str(error.code))
    return capsys.readouterr().out, status


def test_the_diff_is_one_that_patch_takes_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "a.html"
    page.write_bytes(_LOAD + b"\n<p>\xc3\xb6\x0b</p>\n" + _TAG)
    out, status = migrate(capsys, "--from", "sorl", tmp_path)
    name = page.as_posix().lstrip("/")
    assert out == (
        f"--- a/{name}\n+++ b/{name}\n@@ -1,3 +1,3 @@\n-{_LOAD.decode()}\n+{_LOADED.decode()}\n <p>ö\x0b</p>\n"
        f"-{_TAG.decode()}\n\\ No newline at end of file\n+{_OURS.decode()}\n\\ No newline at end of file\n"
        "1 file would change, 0 places left alone.\n"
    )
    assert status == 0
    assert page.read_bytes() == _LOAD + b"\n<p>\xc3\xb6\x0b</p>\n" + _TAG


@pytest.mark.parametrize(
    "around",
    [b"\r\n", b"\n", b"\r", b"\xff\xfe caf\xe9 \x80\n", "\ufeffé\u2028".encode(), b"\x00\x0c\x1c\n"],
)
def test_write_keeps_every_byte_around_the_tags(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, around: bytes
) -> None:
    page = tmp_path / "a.txt"
    page.write_bytes(around + _LOAD + around + _TAG + around)
    page.chmod(0o640)
    assert migrate(capsys, "--from", "sorl", "--write", tmp_path)[1] == 0
    assert page.read_bytes() == around + _LOADED + around + _OURS + around
    assert stat.S_IMODE(page.stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_second_run_changes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_bytes(_LOAD + _TAG)
    migrate(capsys, "--from", "sorl", "--write", tmp_path)
    before = page.stat()
    out, status = migrate(capsys, "--from", "sorl", "--write", tmp_path)
    assert out == "0 files changed, 0 places left alone.\n"
    assert status == 0
    after = page.stat()  # without the time of the last access, which reading changes
    assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)


def test_what_is_left_alone_has_file_line_and_reason_and_the_status_is_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "a.html"
    page.write_bytes(_LOAD + b"\n{% thumbnail f size %}\n" + _TAG)
    out, status = migrate(capsys, "--from", "sorl", "--write", page)
    assert f"Left alone:\n  {page}:2: {{% thumbnail f size %}}\n      The geometry size" in out
    assert out.endswith("1 file changed, 1 place left alone.\n")
    assert status == 1
    assert page.read_bytes() == b"{% load thumbnail thumbs %}\n{% thumbnail f size %}\n" + _OURS


def test_a_symbolic_link_stays_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "a.html", tmp_path / "b.html"
    real.write_bytes(_LOAD + _TAG)
    link.symlink_to(real)
    migrate(capsys, "--from", "sorl", "--write", link)
    assert link.is_symlink()
    assert real.read_bytes() == _LOADED + _OURS


def test_a_write_that_fails_leaves_the_old_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "a.html"
    page.write_bytes(_LOAD + _TAG)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CommandError, match=r"a\.html: No space left on device"):
        call_command("thumb_migrate", "--from", "sorl", "--write", str(tmp_path))
    assert page.read_bytes() == _LOAD + _TAG
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_directories_of_packages_and_hidden_ones_are_passed_over(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in (".git", "node_modules", "venv", "pages"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.html").write_bytes(_LOAD + _TAG)
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    (tmp_path / "a.css").write_bytes(_LOAD + _TAG)
    out, _ = migrate(capsys, "--from", "sorl", tmp_path)
    assert out.count("+++ ") == 1
    assert "pages/a.html" in out
    assert "+++" in migrate(capsys, "--from", "sorl", tmp_path / "a.css")[0]


def test_python_keeps_its_encoding_and_migrations_are_only_listed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    head = "# coding: latin-1\nfrom sorl.thumbnail import get_thumbnail\n"
    code = f"{head}u = 'é', get_thumbnail(f, '9x9', crop='center').url\n"
    (tmp_path / "a.py").write_bytes(code.encode("latin-1"))
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001.py").write_bytes(b"import sorl.thumbnail.fields\n")
    out, status = migrate(capsys, "--from", "sorl", "--write", tmp_path)
    assert (tmp_path / "a.py").read_bytes() == (
        "# coding: latin-1\nfrom thumbs import thumb\nu = 'é', thumb(f, \"9x9\").url\n".encode("latin-1")
    )
    assert "0001.py:1" in out
    assert status == 1


def test_jinja2_templates_are_listed_with_what_to_write(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = tmp_path / "a.jinja"
    page.write_text('{{ image(page.photo, "fill-400x300|format-webp") }}\n{{ i.image.crop["9x9"].url }}\n')
    out, status = migrate(capsys, "--from", "wagtail", tmp_path)
    assert 'thumb(page.photo.file, "400x300", gravity=focus_of(page.photo), format="webp")' in out
    assert status == 1
    assert 'thumb(file, "400x300")' in migrate(capsys, "--from", "versatile", tmp_path)[0]


def test_templates_in_a_directory_of_jinja2_are_jinja2_templates(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "jinja2").mkdir()
    (tmp_path / "jinja2" / "a.html").write_text('{{ srcset_image(page.photo, "width-400") }}')
    assert "a.html:1" in migrate(capsys, "--from", "wagtail", tmp_path)[0]


def test_a_file_that_cannot_be_read_is_left_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.html").symlink_to(tmp_path / "none")
    (tmp_path / "b.html").write_bytes(_LOAD + _TAG)
    out, status = migrate(capsys, "--from", "sorl", "--write", tmp_path)
    assert "a.html:1: \n      It cannot be read: No such file or directory.\n" in out
    assert status == 1
    assert (tmp_path / "b.html").read_bytes() == _LOADED + _OURS


def test_lines_of_what_is_left_alone_are_those_of_the_file_as_it_is_then(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "a.html"
    page.write_bytes(b"{% load thumbs %}\n" + _LOAD + b"\n" + _TAG + b"\n{# {% thumbnail f size %} #}")
    assert f"{page}:4: " in migrate(capsys, "--from", "sorl", page)[0]
    assert f"{page}:3: " in migrate(capsys, "--from", "sorl", "--write", page)[0]
    assert f"{page}:3: " in migrate(capsys, "--from", "sorl", page)[0]


def test_paths_that_are_not_there_and_no_paths_at_all_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file or directory"):
        call_command("thumb_migrate", "--from", "sorl", str(tmp_path / "none"))
    with pytest.raises(CommandError, match="Give the paths"):
        call_command("thumb_migrate", "--from", "sorl")


def test_presets_are_those_of_the_settings(capsys: pytest.CaptureFixture[str]) -> None:
    aliases = {
        "": {"small": {"size": (50, 50), "crop": "smart", "quality": 70}, "zoomed": {"size": (9, 9), "zoom": 20}},
        "shop": {"Big One": {"size": (800, 0)}},
    }
    with override_settings(THUMBNAIL_ALIASES=aliases, THUMBNAIL_PROCESSORS=["shop.processors.logo"]):
        out, status = migrate(capsys, "--from", "easy", "--presets")
    assert "'small': {'size': '50x50', 'filters': 'upscale(no);gravity(entropy);quality(70)'}" in out
    assert "'big_one': {'size': '800x'}" in out
    assert "# THUMBNAIL_ALIASES['']['zoomed']: Mage has no zoom" in out
    assert "# THUMBNAIL_PROCESSORS has shop.processors.logo" in out
    assert status == 1


def test_breakpoints_and_rendition_keys_become_settings(capsys: pytest.CaptureFixture[str]) -> None:
    with override_settings(PICTURES={"BREAKPOINTS": {"s": 600, "l": 1200}}):
        out, status = migrate(capsys, "--from", "pictures", "--presets")
    assert out == "THUMBS[\"BREAKPOINTS\"] = {'s': 600, 'l': 1200}\nTHUMBS[\"CONTAINER_WIDTH\"] = 1200\n"
    assert status == 0
    sets = {
        "image_gallery": [
            ("full", "url"),
            ("thumb", "thumbnail__100x100"),
            ("square", "crop__400x400"),
            ("x", "filters__invert__url"),
        ]
    }
    with override_settings(VERSATILEIMAGEFIELD_RENDITION_KEY_SETS=sets):
        out, _ = migrate(capsys, "--from", "versatile", "--presets")
    assert "{'thumb': {'size': '100x100', 'filters': 'fit(contain)'}, 'square': {'size': '400x400'}}" in out
    assert "no equivalent of filters__invert__url" in out
