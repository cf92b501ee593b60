"""`thumbs.signals.purged`: sent once after each purge, whatever asked for it and whatever its receivers do."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

import thumbs
from tests.support import servers
from tests.support.commands import disk_cache, local_storage
from tests.support.disk_entries import make
from tests.support.models import Photo
from tests.support.red_and_blue import BLUE, RED
from thumbs import signals
from thumbs.console.actions import clear_storage, purge_original
from thumbs.site.purging import NotPurged

Received = list[tuple[str, str, int]]


@pytest.fixture
def received() -> Iterator[Received]:
    """What the signal said, in its order."""
    found: Received = []

    def receive(storage: str, path: str, count: int, **_: object) -> None:
        found.append((storage, path, count))

    signals.purged.connect(receive)
    yield found
    signals.purged.disconnect(receive)


def test_a_purge_in_python_is_signaled_once_with_what_it_freed(storages: object, received: Received) -> None:
    make("on-disk/thumbs/50x/quarters.jpg")
    count = thumbs.purge("on-disk", "quarters.jpg")
    assert received == [("on-disk", "quarters.jpg", count)]
    thumbs.purge("on-disk", "quarters.jpg")
    assert received[1:] == [("on-disk", "quarters.jpg", 0)]


def test_the_command_signals_a_purge_and_neither_a_dry_run_nor_what_it_clears(
    storages: object, received: Received
) -> None:
    make("on-disk/thumbs/50x/quarters.jpg")
    one = ["clear_thumb_cache", "--storage", "on-disk", "--source", "quarters.jpg"]
    call_command(*one, "--dry-run")
    call_command("clear_thumb_cache", "--storage", "on-disk", "--expired")
    assert received == []
    call_command(*one)
    assert received == [("on-disk", "quarters.jpg", 1)]
    call_command("clear_thumb_cache", "--storage", "on-disk")
    assert len(received) == 1


def test_the_console_signals_a_purge_once(storages: object, received: Received) -> None:
    assert purge_original("on-disk", "quarters.jpg").is_done
    assert received == [("on-disk", "quarters.jpg", 0)]
    clear_storage("on-disk")
    purge_original("no-such", "quarters.jpg")
    assert len(received) == 1


def test_a_changed_file_of_a_model_is_signaled_once_for_each_name(tmp_path: Path, received: Received) -> None:
    (tmp_path / "media").mkdir()
    uploads = {"name": "uploads", "driver": "django", "alias": "default"}
    cache = {"disk": disk_cache(tmp_path / "cache")}
    with connection.schema_editor() as editor:
        editor.create_model(Photo)
    try:
        with override_settings(MEDIA_ROOT=str(tmp_path / "media"), THUMBS={"STORAGES": [{**uploads, "cache": cache}]}):
            signals.connect()
            photo = Photo.objects.create(image=ContentFile(RED, "a.jpg"))
            del received[:]
            photo.image = ContentFile(BLUE, "b.jpg")
            photo.save()
            assert sorted(received) == [("uploads", "a.jpg", 0), ("uploads", "b.jpg", 0)]
    finally:
        signals.disconnect()
        with connection.schema_editor() as editor:
            editor.delete_model(Photo)


def test_a_receiver_that_raises_is_logged_and_loses_nothing(
    storages: object, received: Received, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_: object) -> None:
        raise ConnectionError("hush-hush")

    signals.purged.connect(fail)
    try:
        with caplog.at_level(logging.ERROR):
            assert thumbs.purge("on-disk", "quarters.jpg") == 0
    finally:
        signals.purged.disconnect(fail)
    assert received == [("on-disk", "quarters.jpg", 0)]
    ours = [each.getMessage() for each in caplog.records if each.name == "thumbs"]
    assert len(ours) == 1
    assert "fail of thumbs.signals.purged failed: ConnectionError" in ours[0]


def test_an_asynchronous_receiver_in_the_thread_of_an_event_loop_costs_no_purge(
    storages: object, caplog: pytest.LogCaptureFixture
) -> None:
    async def receive(**_: object) -> None:
        pass

    async def purge() -> int:
        return thumbs.purge("on-disk", "quarters.jpg")

    signals.purged.connect(receive)
    try:
        assert asyncio.run(purge()) == 0
    finally:
        signals.purged.disconnect(receive)
    assert "could not be called" in caplog.text


def test_a_purge_that_a_layer_does_not_do_is_signaled_too(originals: Path, tmp_path: Path, received: Received) -> None:
    caches = {
        "default": {
            "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
            "LOCATION": f"127.0.0.1:{servers.free_port()}",
            "OPTIONS": {"connect_timeout": 0.05, "timeout": 0.05},
        }
    }
    between = local_storage("between", originals, shared={"alias": "default"})
    with (
        override_settings(THUMBS={"STORAGES": [between], "RUN_DIR": str(tmp_path)}, CACHES=caches),
        pytest.raises(NotPurged),
    ):
        thumbs.purge("between", "quarters.jpg")
    assert received == [("between", "quarters.jpg", 0)]
