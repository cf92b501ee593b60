"""`thumbs.purge`: the entries of one original leave every layer, or the error names the layer."""

from pathlib import Path

import pytest
from django.test import Client, override_settings
from PIL import Image

import thumbs
from tests.support import pictures, servers
from tests.support.commands import local_storage
from tests.support.disk_entries import make
from tests.support.red_and_blue import is_red
from thumbs.errors import BadPath
from thumbs.site.links import UnknownStorage
from thumbs.site.purging import NotPurged


def test_a_purge_drops_the_thumbnails_of_one_original_in_every_layer(storages: object) -> None:
    mine = [f"on-disk/thumbs/{size}/quarters.jpg" for size in ("50x", "x70/filters:format(webp)")]
    others = ["on-disk/thumbs/50x/quarters.png", "in-memory/thumbs/50x/quarters.jpg"]
    assert make(*mine, *others) == ["MISS"] * 4
    assert make(*mine, *others) == ["HIT"] * 4
    assert thumbs.purge("on-disk", "quarters.jpg") == 4  # two on disk, the same two in memory
    assert make(*mine, *others) == ["MISS", "MISS", "HIT", "HIT"]


def test_what_other_sizes_are_made_of_is_purged_as_well(tmp_path: Path) -> None:
    def picture(color: tuple[int, int, int]) -> bytes:
        return pictures.encoded(Image.new("RGB", (3000, 2400), color), "JPEG")

    (tmp_path / "a.jpg").write_bytes(picture(pictures.RED))
    storage = local_storage("photos", tmp_path, memory={"enabled": True, "max_size_mb": 64}, sources=True)
    with override_settings(THUMBS={"STORAGES": [storage], "RUN_DIR": str(tmp_path / "run")}):

        def is_red_at(width: int) -> bool:
            return is_red(Client().get(f"/img/photos/thumbs/{width}x/a.jpg").content)

        assert is_red_at(50)
        (tmp_path / "a.jpg").write_bytes(picture(pictures.BLUE))
        assert is_red_at(60)
        thumbs.purge("photos", "a.jpg")
        assert not is_red_at(70)
        assert not is_red_at(50)


def test_what_is_not_cached_is_purged_at_once(storages: object) -> None:
    assert thumbs.purge("on-disk", "no/such/file.jpg") == 0
    assert thumbs.purge("signed", "quarters.jpg") == 0  # it has no cache


def test_a_purge_refuses_what_is_no_storage_and_no_path(storages: object) -> None:
    with pytest.raises(UnknownStorage, match=r"No storage is called 'on-dsk'. Did you mean 'on-disk'\?"):
        thumbs.purge("on-dsk", "a.jpg")
    for path in ("", "/a.jpg", "../a.jpg"):
        with pytest.raises(BadPath):
            thumbs.purge("on-disk", path)


def test_a_layer_that_does_not_do_it_is_an_error(originals: Path, tmp_path: Path) -> None:
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
        pytest.raises(NotPurged, match="The layer shared of between fails"),
    ):
        thumbs.purge("between", "quarters.jpg")
