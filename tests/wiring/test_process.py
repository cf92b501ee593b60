"""The thumbnailer of a process, when it is reset: dropped, or closed as well."""

from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from tests.support.commands import local_storage
from thumbs.http.messages import Request
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.wiring import process

TARGET = b"/photos/thumbs/40x30/quarters.jpg"


@pytest.fixture(autouse=True)
def _site(originals: Path) -> Any:
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", originals)]}):
        yield


def status(thumbnailer: Thumbnailer) -> int:
    return thumbnailer.answer(Request("GET", TARGET, len(TARGET))).status


def test_one_that_is_dropped_still_answers_where_it_is_in_use() -> None:
    before = process.thumbnailer()
    process.reset()
    assert process.thumbnailer() is not before
    assert (status(before), status(process.thumbnailer())) == (200, 200)


def test_one_that_is_closed_answers_no_more_and_the_next_one_does() -> None:
    before = process.thumbnailer()
    process.reset(close=True)
    assert (status(before), status(process.thumbnailer())) == (503, 200)


def test_an_override_closes_it() -> None:
    before = process.thumbnailer()
    with override_settings(MEDIA_ROOT="/elsewhere"):
        assert (status(before), status(process.thumbnailer())) == (503, 200)
