"""Caches between processes: a real memcached between two servers, and purges that every worker sees."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support import pictures, servers
from tests.support.commands import manage
from tests.support.servers import Server
from tests.support.waiting import eventually

_ALIAS = "between-machines"


def _thumbs(originals: Path, memcached: int, own: Path) -> dict[str, object]:
    cache = {
        "memory": {"enabled": True, "max_size_mb": 16},
        "disk": {"enabled": True, "dir": str(own / "cache")},
        "shared": {"alias": _ALIAS},
    }
    options = {"connect_timeout": 2, "timeout": 2}  # a busy machine is not what is tested here
    return {
        "storages": [{"name": "photos", "driver": "local", "root": str(originals), "cache": cache}],
        "caches": {
            _ALIAS: {
                "backend": "django.core.cache.backends.memcached.PyMemcacheCache",
                "location": f"127.0.0.1:{memcached}",
                "options": options,
            }
        },
    }


@contextlib.contextmanager
def _machine(originals: Path, own: Path, memcached: int) -> Iterator[Server]:
    """A server that has nothing in common with others but the originals and memcached; it may come back."""
    own.mkdir(exist_ok=True)
    document = _thumbs(originals, memcached, own) | {"run_dir": str(own / "run")}
    with servers.standalone(document, own) as server:
        yield server


@contextlib.contextmanager
def _two_machines(originals: Path, directory: Path, memcached: int) -> Iterator[tuple[Server, Server]]:
    with (
        _machine(originals, directory / "first", memcached) as first,
        _machine(originals, directory / "second", memcached) as second,
    ):
        yield first, second


def _layer(server: Server, path: str) -> str:
    answer = server.get(path)
    assert answer.status == 200
    return f"{answer.headers['x-cache']} {answer.headers['server-timing'].partition(',')[0]}"


def test_what_one_server_made_is_a_hit_in_another(originals: Path, tmp_path: Path) -> None:
    path = "photos/thumbs/90x60/filters:format(webp)/quarters.jpg"
    with servers.memcached(tmp_path) as port, _two_machines(originals, tmp_path, port) as (first, second):
        assert _layer(first, path) == 'MISS layer;desc="source"'
        assert _layer(second, path) == 'HIT layer;desc="shared"'
        assert _layer(second, path) == 'HIT layer;desc="memory"'
        assert first.get(path).body == second.get(path).body
        assert first.get(path).headers["etag"] == second.get(path).headers["etag"]


def test_memcached_may_die_at_any_time(originals: Path, tmp_path: Path) -> None:
    paths = [f"photos/thumbs/{width}x/noise.jpg" for width in range(40, 70)]
    with contextlib.ExitStack() as stack:
        memcached = stack.enter_context(contextlib.ExitStack())
        port = memcached.enter_context(servers.memcached(tmp_path))
        first, second = stack.enter_context(_two_machines(originals, tmp_path, port))
        before = [first.get(path) for path in paths[:10]]
        assert {second.get(path).headers["x-cache"] for path in paths[:5]} == {"HIT"}
        memcached.close()
        after = [second.get(path) for path in paths]
        assert {answer.status for answer in [*before, *after]} == {200}
        assert [answer.body for answer in after[:10]] == [answer.body for answer in before]
        assert {first.get(path).headers["x-cache"] for path in paths[:10]} == {"HIT"}


# -------------------------------------------------------------------------------------------------- purges


def _clear(server: Server, *arguments: str) -> str:
    done = manage(server.environ, "clear_thumb_cache", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


_LATE = 4  # answers after more than a second


def _answers_over_a_second(server: Server, paths: Sequence[str], since: float) -> Iterator[tuple[float, str, bytes]]:
    """Over and over, on connections of their own, so that every worker answers: when it was sent, path and body."""
    late = 0
    while time.monotonic() < since + 1.4 or late < _LATE:
        for path in paths:
            sent = time.monotonic() - since
            late += sent > 1.0
            answer = server.get(path)
            assert answer.status == 200
            yield sent, path, answer.body


@pytest.mark.parametrize("everything", [False, True], ids=["one original", "everything"])
def test_a_purge_is_seen_by_every_worker_within_a_second(originals: Path, tmp_path: Path, everything: bool) -> None:
    root = tmp_path / "originals"
    root.mkdir()
    for name in ("changed.jpg", "same.jpg"):
        shutil.copy(originals / "quarters.jpg", root / name)
    changed = [f"photos/thumbs/{width}x/changed.jpg" for width in (50, 60)]
    same = "photos/thumbs/50x/same.jpg"
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(servers.memcached(tmp_path))
        server = stack.enter_context(servers.standalone(_thumbs(root, port, tmp_path), tmp_path, workers=2))
        old = {path: server.get(path).body for path in (*changed, same) for _ in range(10)}
        (root / "changed.jpg").write_bytes(pictures.encoded(pictures.noise(600, 400), "JPEG"))
        assert {server.get(path).body for path in changed} <= set(old.values())
        output = _clear(server, "--storage", "photos", *([] if everything else ["--source", "changed.jpg"]))
        since = time.monotonic()
        assert output.startswith(f"photos: freed {3 if everything else 2} entries on disk")
        late = [(path, body) for sent, path, body in _answers_over_a_second(server, changed, since) if sent > 1.0]
        assert len(late) >= _LATE
        assert [path for path, body in late if body == old[path]] == []
        if not everything:
            assert server.get(same).headers["x-cache"] == "HIT"


def test_a_purge_is_seen_by_other_machines_within_five_seconds(originals: Path, tmp_path: Path) -> None:
    """By one that had the thumbnail in memory and on disk, and by one that was down when it was purged."""
    root = tmp_path / "originals"
    root.mkdir()
    for name in ("changed.jpg", "same.jpg"):
        shutil.copy(originals / "quarters.jpg", root / name)
    changed, same = "photos/thumbs/50x/changed.jpg", "photos/thumbs/50x/same.jpg"
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(servers.memcached(tmp_path))
        first, second = stack.enter_context(_two_machines(originals=root, directory=tmp_path, memcached=port))
        with _machine(root, tmp_path / "third", port) as third:
            old = first.get(changed).body
            for server in (second, third):
                assert server.get(changed).body == old
                assert {server.get(same).status for _ in range(2)} == {200}
        (root / "changed.jpg").write_bytes(pictures.encoded(pictures.noise(600, 400), "JPEG"))
        assert _layer(second, changed) == 'HIT layer;desc="memory"'
        _clear(first, "--storage", "photos", "--source", "changed.jpg")
        purged = time.monotonic()
        third = stack.enter_context(_machine(root, tmp_path / "third", port))
        assert _layer(third, same) == 'HIT layer;desc="disk"'
        for server in (first, second, third):
            eventually(lambda server=server: server.get(changed).body != old)  # type: ignore[misc]
            assert server.get(same).headers["x-cache"] == "HIT"
        sys.stdout.write(f"seen by three machines {time.monotonic() - purged:.1f} s after the purge\n")
