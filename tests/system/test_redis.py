"""Redis as the shared layer: it is used, and one that hangs or is killed costs its time limit and no request."""

import itertools
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import copies, servers
from tests.support.prometheus import samples
from tests.support.waiting import eventually

_TIMEOUT = 0.05
_FRESH = itertools.count(20)


@contextmanager
def redis(directory: Path, port: int) -> Iterator[copies.Process]:
    """Debian's redis-server, which keeps nothing on disk."""
    log = directory / "redis.log"
    options = ("--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(directory))
    with servers.running([servers.service("redis-server"), *options], log=log) as process:
        servers.wait_for_port(port, process, log)
        yield process


@contextmanager
def beside(originals: Path, directory: Path, port: int) -> Iterator[servers.Server]:
    """A server with the alias that docs/configuration.md shows."""
    options = {"socket_connect_timeout": _TIMEOUT, "socket_timeout": _TIMEOUT}
    fleet = {"backend": "django.core.cache.backends.redis.RedisCache", "location": f"redis://127.0.0.1:{port}"}
    storage = {"name": "photos", "driver": "local", "root": str(originals), "cache": {"shared": {"alias": "fleet"}}}
    document = {"storages": [storage], "caches": {"fleet": {**fleet, "options": options}}, "metrics": True}
    with servers.standalone(document, directory, worker=servers.OUR_WORKER) as server:
        yield server


def layer(server: servers.Server, path: str) -> str:
    answer = server.get(path)
    assert answer.status == 200
    return answer.headers["server-timing"].split('"')[1]


def fresh() -> str:
    return f"photos/thumbs/{next(_FRESH)}x60/quarters.jpg"


def is_used(server: servers.Server) -> bool:
    path = fresh()
    return [layer(server, path) for _ in range(2)] == ["source", "shared"]


def is_up(server: servers.Server) -> float:
    return samples(server.get("metrics").body.decode(), "mage_cache_layer_up")["shared", "photos"]


def test_a_redis_that_hangs_costs_its_time_limit_and_is_used_again(originals: Path, tmp_path: Path) -> None:
    port = servers.free_port()
    with redis(tmp_path, port) as process, beside(originals, tmp_path, port) as server:
        eventually(lambda: is_used(server))  # on a busy machine the first calls may take longer than their limit
        eventually(lambda: is_up(server) == 1)
        process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            assert [layer(server, fresh()) for _ in range(20)] == ["source"] * 20
            took = time.monotonic() - began
            # The calls that wait: a lookup, a lease and two that write, until breakers open, again every five seconds.
            print(f"20 answers in {took:.2f} s beside a Redis that hangs")  # noqa: T201 - to read with `pytest -s`
            assert is_up(server) == 0
            assert b'"shared": false' in server.get("ready").body
            assert server.get("ready").status == 200
        finally:
            process.send_signal(signal.SIGCONT)
        eventually(lambda: is_used(server))
        eventually(lambda: is_up(server) == 1)


def test_a_redis_that_is_killed_fails_no_request_and_is_used_again(originals: Path, tmp_path: Path) -> None:
    port = servers.free_port()
    with beside(originals, tmp_path, port) as server:
        with redis(tmp_path, port) as process:
            eventually(lambda: is_used(server))
            process.kill()
            process.wait()
            assert [layer(server, fresh()) for _ in range(10)] == ["source"] * 10
        with redis(tmp_path, port):
            eventually(lambda: is_used(server))
        log = server.log.read_text()
        assert log.count("cache layer shared cannot be read") == 1
        assert "Traceback" not in log
