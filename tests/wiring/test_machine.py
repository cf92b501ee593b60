"""The room of the disk caches of a configuration."""

import os
from pathlib import Path

from django.test import override_settings

from tests.support.commands import disk_cache, local_storage
from tests.support.prometheus import samples
from thumbs.wiring import build, process
from thumbs.wiring.machine import machine


def test_a_cache_that_is_not_made_yet_has_the_room_of_its_file_system(originals: Path, tmp_path: Path) -> None:
    limited = disk_cache(tmp_path / "not" / "yet", max_size_mb=3)
    storages = [
        local_storage("photos", originals, disk=limited),
        local_storage("films", originals, disk=disk_cache(tmp_path / "films")),
        local_storage("plain", originals),
    ]
    with override_settings(THUMBS={"STORAGES": storages, "METRICS": True}):
        collector = machine(process.configuration(), None)
        text = build.metrics().exposition(None, None, None, None, None, collector)[1].decode()
    assert samples(text, "mage_cache_limit_bytes") == {("photos",): 3 * 1024**2}
    space = os.statvfs(tmp_path)
    free = samples(text, "mage_cache_free_bytes")
    assert set(free) == {("photos",), ("films",)}
    assert all(0 < each <= space.f_blocks * space.f_frsize for each in free.values())
    assert not (tmp_path / "not").exists()
