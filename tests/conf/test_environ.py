"""`${NAME}` is looked up in the environment of a site, which stays out of Django's error reports."""

import html
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from django.views.debug import ExceptionReporter

from tests.support.documents import HUSH, checked, local, one
from thumbs.conf.loading import load


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[object], dict[str, object]]:
    """THUMBS with an `ENVIRON`, and a name in a storage that is set in the environment."""
    monkeypatch.setenv("DATABASE_URL", f"postgres://site:{HUSH}@db.test/site")
    monkeypatch.setenv("PHOTOS_SECRET", "of-the-photos")
    thumbs = one(local(tmp_path, signature_secret_key="${PHOTOS_SECRET}"))
    return lambda environ: thumbs | {"ENVIRON": environ}


def reports() -> list[str]:
    """An error page and an error mail."""
    try:
        raise RuntimeError("of the test")
    except RuntimeError:
        reporter = ExceptionReporter(None, *sys.exc_info())
    return [html.unescape(reporter.get_traceback_html()), reporter.get_traceback_text()]


def test_names_are_looked_up_in_the_environment(site: Callable[[object], dict[str, object]]) -> None:
    read = load(site(True))
    assert read.problems == ()
    assert read.storages[0].signature_secret_key == ("of-the-photos",)


def test_no_error_report_shows_the_environment(site: Callable[[object], dict[str, object]]) -> None:
    with override_settings(THUMBS=site(True)):
        assert settings.THUMBS["ENVIRON"] is True
        for report in reports():
            assert "'ENVIRON': True" in report
            assert HUSH not in report
            assert "of-the-photos" not in report


def test_the_standalone_settings_hold_no_environment() -> None:
    from mage_project.settings import THUMBS  # noqa: PLC0415 - it reads the environment

    assert THUMBS["ENVIRON"] is True


@pytest.mark.parametrize("copied", [lambda: os.environ, lambda: dict(os.environ)], ids=["itself", "copy"])
def test_an_environment_in_the_settings_is_warned_of(
    site: Callable[[object], dict[str, object]], copied: Callable[[], object]
) -> None:
    (found,) = checked(site(copied()))
    assert (found.id, found.is_serious()) == ("thumbs.W024", False)
    assert str(found.msg).startswith("THUMBS.ENVIRON: is the whole environment")
    assert load(site(copied())).storages[0].signature_secret_key == ("of-the-photos",)


def test_the_warning_hides_no_error() -> None:
    assert [problem.id for problem in load({"STORAGES": [], "ENVIRON": os.environ}).problems] == [
        "thumbs.W024",
        "thumbs.E004",
    ]


def test_a_dictionary_of_names_is_all_that_is_looked_at(site: Callable[[object], dict[str, object]]) -> None:
    read = load(site({"PHOTOS_SECRET": "of-the-dictionary"}))
    assert read.problems == ()
    assert read.storages[0].signature_secret_key == ("of-the-dictionary",)


def test_the_hint_at_a_missing_name_shows_how_the_environment_is_looked_at(tmp_path: Path) -> None:
    thumbs = one(local(tmp_path, signature_secret_key="${NOT_SET}"))
    (without,) = load(thumbs).problems
    assert without.hint == 'In a Django site: Set "ENVIRON": True in THUMBS to look names up in the environment.'
    (looked_up,) = load(thumbs | {"ENVIRON": True}).problems
    assert looked_up.id == "thumbs.E006"
    assert looked_up.hint == "Set it in the environment of the server, and of the commands."
