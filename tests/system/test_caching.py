"""The cache layers as a client sees them: X-Cache and Server-Timing name the one that answered."""

import contextlib
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import pictures, servers
from tests.support.fronts import s3_storage
from tests.support.misbehaving import MisbehavingStore
from tests.support.servers import Answer, Server
from tests.support.waiting import eventually

_MEMORY = {"enabled": True, "max_size_mb": 16}


def _cache_status(answer: Answer) -> tuple[str, str]:
    """X-Cache, and the layer in Server-Timing."""
    assert answer.status == 200
    layer = answer.headers["server-timing"].partition(",")[0].removeprefix("layer;desc=").strip('"')
    return answer.headers["x-cache"], layer


def _storages(root: Path, s3: str, directory: Path) -> list[dict[str, object]]:
    def storage(name: str, **cache: object) -> dict[str, object]:
        return {"name": name, "driver": "local", "root": str(root), "cache": cache}

    def disk(name: str, **more: object) -> dict[str, object]:
        return {"enabled": True, "dir": str(directory / name), **more}

    return [
        {"name": "nothing", "driver": "local", "root": str(root)},
        storage("off", memory={**_MEMORY, "enabled": False}, disk=disk("off", enabled=False)),
        storage("sizeless", memory={"enabled": True}),
        storage("memory", memory=_MEMORY),
        storage("disk", disk=disk("disk")),
        storage("both", memory=_MEMORY, disk=disk("both")),
        storage("brief", memory=_MEMORY, disk=disk("brief", ttl_seconds=1)),
        storage("stale", memory=_MEMORY, disk=disk("stale", ttl_seconds=1, stale_seconds=600)),
        s3_storage("page", s3, "photos", cache={"memory": _MEMORY, "sources": True}),
    ]


@contextlib.contextmanager
def _serving(root: Path, s3: str, directory: Path) -> Iterator[Server]:
    document = {"storages": _storages(root, s3, directory), "run_dir": str(directory / "run")}
    with servers.standalone(document, directory) as server:
        yield server


@pytest.fixture(scope="module")
def place(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the caches lie, and `originals` that a test may change."""
    directory = tmp_path_factory.mktemp("caching")
    (directory / "originals").mkdir()
    for name in ("quarters.jpg", "noise.jpg"):
        shutil.copy(originals / name, directory / "originals" / name)
    return directory


@pytest.fixture(scope="module")
def store(originals: Path) -> Iterator[MisbehavingStore]:
    """A store whose every object is one picture, and that counts its requests."""
    with MisbehavingStore(body=(originals / "noise.jpg").read_bytes()) as running:
        yield running


@pytest.fixture(scope="module")
def server(place: Path, store: MisbehavingStore) -> Iterator[Server]:
    with _serving(place / "originals", store.url, place) as running:
        yield running


@pytest.mark.parametrize("storage", ["nothing", "off", "sizeless"])
def test_nothing_is_cached_unless_it_was_switched_on(server: Server, place: Path, storage: str) -> None:
    path = f"{storage}/thumbs/90x60/quarters.jpg"
    assert {_cache_status(server.get(path)) for _ in range(3)} == {("MISS", "source")}
    assert not (place / storage).exists()


@pytest.mark.parametrize(("storage", "layer"), [("memory", "memory"), ("disk", "disk"), ("both", "memory")])
def test_the_second_answer_is_a_hit_of_the_fastest_layer(server: Server, storage: str, layer: str) -> None:
    path = f"{storage}/thumbs/90x60/filters:quality(71)/quarters.jpg"
    first, second = server.get(path), server.get(path)
    assert (_cache_status(first), _cache_status(second)) == (("MISS", "source"), ("HIT", layer))
    for name in ("etag", "last-modified", "content-type", "content-length", "cache-control"):
        assert first.headers[name] == second.headers[name]
    assert first.body == second.body
    assert server.get(path, headers={"If-None-Match": first.headers["etag"]}).status == 304
    assert server.get(path, method="HEAD").headers["x-cache"] == "HIT"


def test_other_wishes_are_other_entries(server: Server) -> None:
    paths = ["90x60", "90x61", "90x60/filters:quality(72)", "90x60/filters:format(webp)", "90x60/filters:version(2)"]
    assert {_cache_status(server.get(f"memory/thumbs/{path}/noise.jpg")) for path in paths} == {("MISS", "source")}


def test_other_spellings_of_one_thumbnail_are_one_entry(server: Server) -> None:
    first = server.get("memory/thumbs/80x/filters:format(png);gravity(north)/quarters.jpg")
    for same in (
        "80x/f:g(north);fmt(png)/quarters.jpg",
        "80x/filters:gravity(north)/quarters.jpg/as/q.png",
        "80x/f:g(north);fmt(png);expires(9999999999)/quarters.jpg",
    ):
        answer = server.get(f"memory/thumbs/{same}")
        assert _cache_status(answer) == ("HIT", "memory"), same
        assert answer.headers["etag"] == first.headers["etag"]


def test_an_entry_is_made_again_when_its_time_is_over(server: Server) -> None:
    paths = (f"brief/thumbs/90x{height}/quarters.jpg" for height in itertools.count(60))

    def is_made_and_found(path: str) -> bool:
        return [_cache_status(server.get(path)) for _ in range(2)] == [("MISS", "source"), ("HIT", "memory")]

    # On a busy machine its time may be over before the second request.
    eventually(lambda: is_made_and_found(next(paths)))
    path = "brief/thumbs/90x60/quarters.jpg"
    eventually(lambda: _cache_status(server.get(path)) == ("MISS", "source"))


def test_an_old_entry_is_served_while_it_is_renewed(server: Server, place: Path, originals: Path) -> None:
    path = "stale/thumbs/90x60/noise.jpg"
    first = server.get(path)
    eventually(lambda: _cache_status(server.get(path))[0] == "STALE")
    eventually(lambda: _cache_status(server.get(path))[0] == "HIT")
    assert server.get(path).body == first.body
    # Renewed by the source's version, it keeps its validator; a changed source gets another.
    assert server.get(path).headers["etag"] == first.headers["etag"]
    shutil.copy(originals / "quarters.jpg", place / "originals" / "noise.jpg")
    eventually(lambda: server.get(path).headers["etag"] != first.headers["etag"])
    assert server.get(path).body != first.body


def test_an_old_entry_is_served_while_the_storage_is_down(server: Server, place: Path) -> None:
    path = "stale/thumbs/91x60/quarters.jpg"
    first = server.get(path)
    away = (place / "originals").rename(place / "elsewhere")
    try:
        eventually(lambda: _cache_status(server.get(path))[0] == "STALE")
        answers = [server.get(path) for _ in range(20)]
        assert {(_cache_status(answer)[0], answer.body) for answer in answers} == {("STALE", first.body)}
        assert server.get("stale/thumbs/92x60/quarters.jpg").status == 502
    finally:
        away.rename(place / "originals")
    eventually(lambda: _cache_status(server.get(path))[0] == "HIT")


def test_an_original_that_was_deleted_is_gone_soon_after_its_time(server: Server, place: Path, originals: Path) -> None:
    path = "stale/thumbs/90x60/deleted.jpg"
    original = place / "originals" / "deleted.jpg"
    shutil.copy(originals / "quarters.jpg", original)
    assert server.get(path).status == 200
    original.unlink()
    eventually(lambda: server.get(path).status == 404)


def test_ten_sizes_of_one_original_read_it_once(server: Server, store: MisbehavingStore) -> None:
    answers = [server.get(f"page/thumbs/{width}x/page.jpg") for width in range(100, 200, 10)]
    assert {_cache_status(answer) for answer in answers} == {("MISS", "source")}
    assert [pictures.decoded(answer.body).width for answer in answers] == list(range(100, 200, 10))
    assert len([target for target in store.targets if "page.jpg" in target]) == 1


def test_what_is_on_disk_outlives_the_server(originals: Path, tmp_path: Path) -> None:
    for expected in (("MISS", "source"), ("HIT", "disk")):
        with _serving(originals, "http://127.0.0.1:1", tmp_path) as server:
            assert _cache_status(server.get("both/thumbs/90x60/quarters.jpg")) == expected
            assert _cache_status(server.get("both/thumbs/90x60/quarters.jpg")) == ("HIT", "memory")


def test_a_sites_own_caches_may_stand_in_for_the_layers(originals: Path, tmp_path: Path) -> None:
    locmem = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    files = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path / "files")}
    thumbs = {
        "storages": [
            {"name": name, "driver": "local", "root": str(originals), "cache": cache}
            for name, cache in {
                "memory": {"memory": {"enabled": True, "alias": "locmem"}},
                "disk": {"disk": {"enabled": True, "alias": "files"}},
                "both": {"memory": {"enabled": True, "alias": "locmem"}, "disk": {"enabled": True, "alias": "files"}},
                "off": {"memory": {"enabled": False, "alias": "locmem"}, "disk": {"enabled": False, "alias": "files"}},
            }.items()
        ],
        "run_dir": str(tmp_path / "run"),
    }
    caches = {"default": locmem, "locmem": locmem, "files": files}
    for fresh in (True, False):
        with servers.site(thumbs, tmp_path, settings={"CACHES": caches}) as site:
            path = "thumbs/90x60/quarters.jpg"
            assert _cache_status(site.get(f"off/{path}")) == ("MISS", "source")
            assert _cache_status(site.get(f"memory/{path}")) == ("MISS", "source")
            assert _cache_status(site.get(f"memory/{path}")) == ("HIT", "memory")
            for storage in ("disk", "both"):
                assert _cache_status(site.get(f"{storage}/{path}")) == (
                    ("MISS", "source") if fresh else ("HIT", "disk")
                )
            assert _cache_status(site.get(f"disk/{path}")) == ("HIT", "disk")
            assert _cache_status(site.get(f"both/{path}")) == ("HIT", "memory")
