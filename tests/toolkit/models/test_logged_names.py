"""The name of a file cannot write a line of its own into the log."""

import logging

import pytest
from django.core.files.storage import default_storage
from django.test import override_settings

from thumbs.toolkit.models import file_purges
from thumbs.wiring import process


@pytest.mark.parametrize(
    "name", ["a.jpg\nERROR forged", "a\r.jpg", "a\x1b[2J.jpg", "a\u2028b.jpg", "\u202egpj.a", "\udc80.jpg"]
)
def test_the_name_of_a_file_is_one_printable_line(name: str, caplog: pytest.LogCaptureFixture) -> None:
    file_purges.forget_errors()
    with override_settings(THUMBS={"STORAGES": "none"}), caplog.at_level(logging.ERROR, "thumbs"):
        process.reset()
        file_purges.purge_file(default_storage, name)
    process.reset()
    file_purges.forget_errors()
    assert caplog.messages == [f"the thumbnails of {name!r} are not purged"]
    assert caplog.messages[0].isprintable()


def test_the_log_has_the_beginning_of_a_long_name(caplog: pytest.LogCaptureFixture) -> None:
    file_purges.forget_errors()
    with override_settings(THUMBS={"STORAGES": "none"}), caplog.at_level(logging.ERROR, "thumbs"):
        process.reset()
        file_purges.purge_file(default_storage, "a" * 100_000)
    process.reset()
    file_purges.forget_errors()
    assert caplog.messages == [f"the thumbnails of {'a' * 300} are not purged"]
