"""`warm_thumb_cache`: the server finds what it made, cached thumbnails are skipped, failures are named."""

import io
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.test import override_settings

from tests.support import pictures, servers
from tests.support.commands import Run, disk_cache, local_storage
from tests.support.fronts import SECRET
from tests.support.warmed import root, x_cache
from thumbs.cache.filestore.directory import LEDGER
from thumbs.cache.filestore.ledger import stats_of
from thumbs.errors import BadPath

__all__ = ["root"]


@pytest.fixture
def warmable(root: Path, tmp_path: Path) -> Iterator[dict[str, object]]:
    memory = {"enabled": True, "max_size_mb": 4}
    disk = disk_cache(tmp_path / "cache", ttl_seconds=3600)
    thumbs: dict[str, object] = {
        "STORAGES": [
            {**local_storage("photos", root, memory=memory, disk=disk), "signature_secret_key": SECRET},
            local_storage("in-memory", root, memory=memory),
        ],
        "PRESETS": {"card": {"size": "40x30", "filters": "format(webp)"}},
        "RUN_DIR": str(tmp_path / "run"),
    }
    with override_settings(THUMBS=thumbs):
        yield thumbs


def test_the_server_finds_what_was_made_ahead(run: Run, warmable: object) -> None:
    told = run("warm_thumb_cache", "photos", "cats/tom.jpg", "dog.jpg", "--size", "90x60", "--size", "x50")
    assert told.startswith("photos: 4 made, 0 already cached, 0 failed in ")
    assert [x_cache(path, size) for path in ("cats/tom.jpg", "dog.jpg") for size in ("90x60", "x50")] == ["HIT"] * 4
    assert x_cache("cats/tom.jpg", "91x60") == "MISS"


def test_presets_and_filters_make_what_a_url_with_them_asks_for(run: Run, warmable: object) -> None:
    command = ("warm_thumb_cache", "photos", "dog.jpg", "--size", "90x60", "--preset", "card", "--filters", "blur(2)")
    assert run(*command).startswith("photos: 2 made")
    assert x_cache("dog.jpg", "90x60", "blur(2)") == "HIT"
    assert x_cache("dog.jpg", "x", "preset(card);blur(2)") == "HIT"
    assert x_cache("dog.jpg", "40x30", "format(webp);blur(2)") == "HIT"


def test_a_format_by_accept_is_made_for_browsers_or_for_the_given_accept(run: Run, warmable: object) -> None:
    command = ("warm_thumb_cache", "photos", "dog.jpg", "--size", "90x60", "--filters", "format(auto)")
    assert run(*command).startswith("photos: 1 made")
    assert x_cache("dog.jpg", "90x60", "format(auto)", "image/jxl,image/avif,image/webp,*/*") == "HIT"
    assert x_cache("dog.jpg", "90x60", "format(webp)") == "MISS"
    assert run(*command, "--accept", "image/webp").startswith("photos: 0 made, 1 already cached")


def test_what_is_there_is_neither_made_nor_read_again(run: Run, warmable: object, root: Path) -> None:
    command = ("warm_thumb_cache", "photos", "cats/tom.jpg", "dog.jpg", "--size", "90x60")
    run(*command)
    (root / "cats" / "tom.jpg").unlink()
    assert run(*command).startswith("photos: 0 made, 2 already cached, 0 failed")
    assert run(*command[:1], "photos", "dog.jpg", "--size", "90x60", "--size", "20x20").startswith(
        "photos: 1 made, 1 a"
    )


def test_a_prefix_stands_for_the_pictures_that_begin_with_it(run: Run, warmable: object) -> None:
    assert run("warm_thumb_cache", "photos", "--prefix", "cats/t", "--size", "90x60").startswith("photos: 2 made")
    assert run("warm_thumb_cache", "photos", "--prefix", "", "--size", "90x60").startswith("photos: 1 made, 2 already")
    sentence = run.refused("warm_thumb_cache", "photos", "--prefix", "birds/", "--size", "90x60")
    assert sentence == "photos has no picture whose key begins with 'birds/'."


def test_paths_come_from_standard_input_a_line_each(
    run: Run, warmable: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"cats/tom.jpg\r\n\ndog.jpg")))
    assert run("warm_thumb_cache", "photos", "-", "--size", "90x60").startswith("photos: 2 made")


def test_failures_are_named_and_the_rest_is_made(
    run: Run, warmable: object, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "broken.jpg").write_bytes((root / "dog.jpg").read_bytes()[:900])
    lines = b"broken.jpg\nnone.jpg\n../up.jpg\nnot-\xff-text.jpg\ndog.jpg\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    sentence = run.refused("warm_thumb_cache", "photos", "-", "--size", "90x60")
    assert sentence == "4 thumbnails could not be made: the lines above say why."
    told = capsys.readouterr()
    assert told.out.startswith("photos: 1 made, 0 already cached, 4 failed in ")
    assert sorted(told.err.splitlines()) == [
        f"'not-\\udcff-text.jpg' 90x60: {BadPath.sentence}",
        f"../up.jpg 90x60: {BadPath.sentence}",
        "broken.jpg 90x60: The original is damaged or cut short.",
        "none.jpg 90x60: There is no such picture in this storage.",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["photo", "a.jpg", "--size", "9x9"], "No storage is called 'photo'. Did you mean 'photos'?"),
        (["photos", "a.jpg"], "Give --size 400x300 or --preset NAME; both may be repeated."),
        (["photos", "--size", "9x9"], "Give either paths, or - to read them from standard input, or --prefix."),
        (["photos", "a.jpg", "--prefix", "a", "--size", "9x9"], "Give either paths, or - to read them from standard"),
        (["photos", "a.jpg", "--size", "9"], "9: The size must be 400x300, 400x, x300 or x"),
        (["photos", "a.jpg", "--size", "9999x"], "9999x: The thumbnail asked for is larger than this server makes."),
        (["photos", "a.jpg", "--preset", "cart"], "x preset(cart): There is no preset of this name."),
        (
            ["photos", "a.jpg", "--size", "9x", "--filters", "blurr(2)"],
            "9x blurr(2): Unknown filter. The filters are format",
        ),
        (["photos", "a.jpg", "--size", "9x9", "--jobs", "0"], "--jobs takes a whole number, 1 to 256."),
        (["in-memory", "a.jpg", "--size", "9x9"], "The cache of in-memory cannot be warmed: it is in the memory"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(run: Run, warmable: object, arguments: list[str], sentence: str) -> None:
    assert run.refused("warm_thumb_cache", *arguments).startswith(sentence)


def test_a_cache_of_one_process_cannot_be_warmed_and_a_shared_one_is(
    run: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path / "django")}
    caches = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}, "files": files}
    for alias, good in (("default", False), ("files", True)):
        thumbs = {"STORAGES": [local_storage("photos", root, shared={"alias": alias})], "RUN_DIR": str(tmp_path)}
        with override_settings(THUMBS=thumbs, CACHES=caches):
            command = ("warm_thumb_cache", "photos", "dog.jpg", "--size", "90x60")
            if good:
                assert run(*command).startswith("photos: 1 made")
                assert x_cache("dog.jpg", "90x60") == "HIT"
            else:
                assert run.refused(*command).startswith("The cache of photos cannot be warmed")


def test_what_no_cache_keeps_is_a_failure(
    run: Run, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "noise.png").write_bytes(pictures.encoded(pictures.noise(600, 400), "PNG"))
    disk = disk_cache(tmp_path / "cache", max_size_mb=0.1)
    memory = {"enabled": True, "max_size_mb": 16}  # this process alone would keep it there
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", root, memory=memory, disk=disk)]}):
        run.refused("warm_thumb_cache", "photos", "noise.png", "--size", "x")
        assert "noise.png x: It was made, but no cache stores it: it is too large" in capsys.readouterr().err


def test_a_cache_that_is_too_small_is_reported(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    disk = disk_cache(tmp_path / "cache", max_size_mb=0.25)
    sizes = [argument for side in range(20, 120) for argument in ("--size", f"{side}x")]
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", root, disk=disk)]}):
        call_command("warm_thumb_cache", "photos", "dog.jpg", *sizes)
    told = capsys.readouterr()
    assert told.out.startswith("photos: 100 made")
    assert re.fullmatch(
        r"photos: the disk cache holds 2\d\d\.\d KiB of 256\.0 KiB, and may have evicted the first thumbnails again: "
        r"raise cache\.disk\.max_size_mb to keep more\.\n",
        told.err,
    )


class Counting(FileSystemStorage):
    """Counts how often a file is opened."""

    opened: ClassVar[list[str]] = []

    def open(self, name: str, mode: str = "rb") -> "File[bytes]":
        self.opened.append(name)
        return super().open(name, mode)


@pytest.mark.parametrize("sources", [True, False])
def test_an_original_is_read_once_where_sources_are_cached(run: Run, root: Path, tmp_path: Path, sources: bool) -> None:
    Counting.opened.clear()
    storage = {
        "name": "photos",
        "driver": "tests.management.commands.test_warm_thumb_cache.Counting",
        "options": {"location": str(root)},
        "cache": {"disk": disk_cache(tmp_path / "cache"), "sources": sources},
    }
    sizes = [argument for side in (50, 60, 70, 80) for argument in ("--size", f"{side}x")]
    with override_settings(THUMBS={"STORAGES": [storage]}):
        assert run("warm_thumb_cache", "photos", "--prefix", "", *sizes, "--jobs", "3").startswith("photos: 12 made")
    assert [Counting.opened.count(name) for name in ("cats/tom.jpg", "dog.jpg")] == [1 if sources else 4] * 2


def test_what_is_made_ahead_does_not_spoil_the_hit_ratio(run: Run, warmable: object, tmp_path: Path) -> None:
    for _ in range(2):
        run("warm_thumb_cache", "photos", "--prefix", "", "--size", "90x60")
    stats = stats_of(str(tmp_path / "cache" / LEDGER))
    assert (stats.hits, stats.stores) == (0, 0)


class _Stopped:
    """Standard input at which Ctrl-C is pressed after the first line."""

    @property
    def buffer(self) -> Iterator[bytes]:
        yield b"dog.jpg\n"
        raise KeyboardInterrupt


def test_it_can_be_stopped_and_run_again(run: Run, warmable: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", _Stopped())
    sentence = run.refused("warm_thumb_cache", "photos", "-", "--size", "90x60")
    assert sentence == "Stopped. Run it again to go on: cached thumbnails are skipped."
    assert run("warm_thumb_cache", "photos", "dog.jpg", "--size", "90x60").startswith("photos: ")
    assert x_cache("dog.jpg", "90x60") == "HIT"


def test_a_storage_that_is_gone_is_one_line(run: Run, root: Path, tmp_path: Path) -> None:
    shutil.rmtree(root)
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", root, disk=disk_cache(tmp_path / "cache"))]}):
        sentence = run.refused("warm_thumb_cache", "photos", "--prefix", "", "--size", "90x60")
    assert sentence == f"(thumbs.E009) storages[photos].root: is not a directory: {root}"


def test_another_storage_that_is_gone_does_not_keep_this_one_cold(run: Run, root: Path, tmp_path: Path) -> None:
    photos = local_storage("photos", root, disk=disk_cache(tmp_path / "cache"))
    thumbs = {"STORAGES": [photos, local_storage("films", tmp_path / "none")], "RUN_DIR": str(tmp_path / "run")}
    with override_settings(THUMBS=thumbs):
        assert run("warm_thumb_cache", "photos", "dog.jpg", "--size", "90x60").startswith("photos: 1 made")


def test_a_storage_that_fails_while_it_lists_is_one_line(run: Run, tmp_path: Path) -> None:
    bucket = {
        "name": "photos",
        "driver": "s3",
        "bucket": "b",
        "access_key": "k",
        "secret_key": "s",
        "base_url": f"http://127.0.0.1:{servers.free_port()}",
        "cache": {"disk": disk_cache(tmp_path / "cache")},
    }
    with override_settings(THUMBS={"STORAGES": [bucket]}):
        sentence = run.refused("warm_thumb_cache", "photos", "--prefix", "", "--size", "90x60")
    assert sentence == "photos could not be listed: The storage did not give the original."


def test_a_storage_that_cannot_list_is_one_line(run: Run, root: Path, tmp_path: Path) -> None:
    storage = {
        "name": "photos",
        "driver": "tests.support.bare_storage.Bare",
        "cache": {"disk": disk_cache(tmp_path / "cache")},
    }
    with override_settings(THUMBS={"STORAGES": [storage]}):
        sentence = run.refused("warm_thumb_cache", "photos", "--prefix", "", "--size", "90x60")
    assert sentence == "photos could not be listed: This storage cannot list its files."
