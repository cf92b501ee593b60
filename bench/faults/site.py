"""The site under test: two servers that share no files, nginx before them, memcached, Redis, and two S3 servers."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from bench.faults import family, pictures, services
from bench.faults.bucket import BucketFront, bucket_front
from bench.faults.pictures import Picture
from bench.faults.services import Service
from bench.load import get
from bench.processes import LOOPBACK, UnavailableError

WORKERS = 2
RENDERS = 2  # of a worker at once: both servers are on this machine, and each would count all of its cores
DISK_MIB = 48
FETCH_SECONDS = 20  # more than a busy machine takes for a read that nothing disturbs
# Of the layer in the second S3 server: for storages with a cache of their own, and for the one that has nothing else.
OBJECT_SECONDS, ONLY_OBJECT_SECONDS = 0.2, FETCH_SECONDS
_WAIT_SECONDS = 120.0


class Mage(Service):
    """One server. `restart` and `end` stop it as an operator does."""

    def __init__(self, name: str, home: Path, env: Mapping[str, str]) -> None:
        options = ("--workers", str(WORKERS))
        start = (sys.executable, "manage.py", "run_thumb_server")
        super().__init__(name, home, lambda port: (*start, "--bind", f"{LOOPBACK}:{port}", *options))
        self._env = env

    @property
    def pid(self) -> int:
        """The supervisor's."""
        return self.child.process.pid

    def boot(self, *, files: int | None = None) -> None:
        """Start it, and wait until it is ready. Each of its processes may open that many files."""
        limit = services.program("prlimit", "util-linux") if files else ""
        self.start(env=self._env, before=(limit, f"--nofile={files}:{files}") if files else ())
        until(self.is_ready, f"{self.name} is not ready")

    def is_ready(self) -> bool:
        """Whether `/ready` is 200 and all workers are there."""
        try:
            answered = get(LOOPBACK, self.port, "/ready").status == 200
        except Exception:  # it does not answer yet
            return False
        return answered and len(family.workers(self.pid)) >= WORKERS

    def stop(self) -> None:
        """Stop it by SIGTERM and wait until all of its processes have ended."""
        everything = family.family(self.pid)
        self.send(signal.SIGTERM)
        self.await_death(everything)

    def await_death(self, everything: set[int]) -> None:
        """Wait until these processes have ended by themselves. Raises `UnavailableError` if they do not."""
        until(lambda: not any(map(family.lives, everything)), f"processes of {self.name} have not ended")
        self.end()

    def said(self, text: str) -> int:
        """How often a text is in its logs."""
        return sum(log.read_text(errors="replace").count(text) for log in self.logs)


@dataclass(frozen=True, slots=True)
class Site:
    """All parts, running. `disk` is the file system of the disk caches; `mounted` says that it is one of its own.

    `moto` has the originals, behind `front`, and `objects` the objects of the cache layer, behind `objects_front`.
    """

    servers: tuple[Mage, Mage]
    nginx: Service
    memcached: Service
    redis: Service
    moto: Service
    front: BucketFront
    objects: Service
    objects_front: BucketFront
    bodies: Mapping[Picture, bytes]
    disk: Path
    mounted: bool

    def warm(self) -> None:
        """Let the disk cache of each server have all pictures, and wait until what failed before is forgotten."""
        for server in self.servers:
            until(server.is_ready, f"{server.name} is not ready")
        parts = list(product(self.servers, pictures.STORAGES))
        with ThreadPoolExecutor(len(parts)) as pool:
            for done in [pool.submit(self._warm, *part) for part in parts]:
                done.result()

    def _warm(self, server: Mage, storage: str) -> None:
        def has(picture: Picture) -> bool:
            answer = get(LOOPBACK, server.port, picture.path(storage))
            return answer.status == 200 and answer.headers.get("x-cache") in ("HIT", "STALE")

        for picture in self.bodies:
            until(partial(has, picture), f"{server.name} cannot be warmed")


def until(condition: Callable[[], bool], otherwise: str) -> None:
    """Wait for a condition. Raises `UnavailableError` with the text if it does not come true."""
    end = time.monotonic() + _WAIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise UnavailableError(otherwise)
        time.sleep(0.02)


@contextmanager
def running_site(scratch: Path, seed: int, count: int = pictures.COUNT) -> Iterator[Site]:
    """The site with `count` originals, and its files in `scratch`.

    Raises `UnavailableError` for a part that cannot be started.
    """
    originals = scratch / "originals"
    originals.mkdir()
    pictures.draw(originals, seed, count)
    with ExitStack() as stack:
        disk = scratch / "disk"
        mounted = _mount(disk, stack)
        moto, memcached, redis = (
            _started(stack, made(scratch / "services")) for made in (services.moto, services.memcached, services.redis)
        )
        objects = _started(stack, services.moto(scratch / "services", "objects"))
        services.fill_bucket(moto.port, services.BUCKET, sorted(originals.iterdir()))
        services.fill_bucket(objects.port, services.THUMBNAILS)
        front = stack.enter_context(bucket_front(moto.port))
        objects_front = stack.enter_context(bucket_front(objects.port, unsteady_seconds=2 * OBJECT_SECONDS))
        storages = _storages(front.url, objects_front.url, originals)
        caches = _caches(memcached.port, redis.port)
        servers = tuple(
            Mage(name, scratch / name, _written(scratch / name, disk / name, storages, caches)) for name in ("a", "b")
        )
        for server in servers:
            stack.callback(server.end)
        with ThreadPoolExecutor(len(servers)) as pool:
            for booted in [pool.submit(server.boot) for server in servers]:
                booted.result()
        ports = [server.port for server in servers]
        nginx = _started(stack, services.nginx(scratch / "nginx", ports))
        bodies = pictures.expected(ports, originals)
        first, second = servers
        yield Site(
            *((first, second), nginx, memcached, redis),
            *(moto, front, objects, objects_front),
            *(bodies, disk, mounted),
        )


def _started(stack: ExitStack, service: Service) -> Service:
    stack.callback(service.end)
    service.start()
    return service


def _mount(disk: Path, stack: ExitStack) -> bool:
    """Mount a small file system, where this process may."""
    disk.mkdir(mode=0o700)
    path = shutil.which("mount")
    options = f"size={DISK_MIB}m,mode=700"
    if path is None or subprocess.run([path, "-t", "tmpfs", "-o", options, "tmpfs", disk], check=False).returncode:
        return False
    stack.callback(subprocess.run, ["umount", "--lazy", str(disk)], check=False)
    return True


def _caches(memcached: int, redis: int) -> dict[str, object]:
    backends = "django.core.cache.backends"
    return {
        "memcached": {
            "backend": f"{backends}.memcached.PyMemcacheCache",
            "location": f"{LOOPBACK}:{memcached}",
            "options": {"connect_timeout": 0.05, "timeout": 0.05},
        },
        "redis": {
            "backend": f"{backends}.redis.RedisCache",
            "location": f"redis://{LOOPBACK}:{redis}",
            "options": {"socket_connect_timeout": 0.05, "socket_timeout": 0.05},
        },
    }


def _storages(
    endpoint: str, objects_endpoint: str, originals: Path
) -> Callable[[Path], Sequence[Mapping[str, object]]]:
    """The storages of a server by the directory of its caches: entries are fresh for a second, and stale for a day."""
    http = {"response_header_timeout_sec": FETCH_SECONDS}
    s3 = {"driver": "s3", "access_key": services.ACCESS_KEY, "secret_key": services.SECRET_KEY, "s3_http_config": http}
    lifetimes = {"ttl_seconds": 1, "stale_seconds": 86_400}
    memory = {"enabled": True, "max_size_mb": 4}
    thumbnails = {"storage": services.THUMBNAILS, "poll_seconds": 1}

    def cache(name: str, caches: Path) -> Mapping[str, object]:
        if name == pictures.OBJECTS:
            return {"disk": lifetimes, "objects": {**thumbnails, "timeout_ms": 1000 * ONLY_OBJECT_SECONDS}}
        layers = {
            "disk": {"enabled": True, "dir": str(caches / name), **lifetimes},
            "shared": {"alias": name},
            "objects": {**thumbnails, "timeout_ms": 1000 * OBJECT_SECONDS},
        }
        return layers | ({"memory": memory} if name == "memcached" else {})

    def of(caches: Path) -> Sequence[Mapping[str, object]]:
        return [
            {"name": pictures.REFERENCE, "driver": "local", "root": str(originals)},
            {"name": services.THUMBNAILS, **s3, "bucket": services.THUMBNAILS, "base_url": objects_endpoint},
            *(
                {"name": name, **s3, "bucket": services.BUCKET, "base_url": endpoint, "cache": cache(name, caches)}
                for name in pictures.STORAGES
            ),
        ]

    return of


def _written(
    home: Path,
    caches: Path,
    storages: Callable[[Path], Sequence[Mapping[str, object]]],
    aliases: Mapping[str, object],
) -> dict[str, str]:
    """The environment of a server; its configuration is written into `home`."""
    home.mkdir()
    config = home / "storages.json"
    limits = {"renders": RENDERS, "fetch_seconds": FETCH_SECONDS, "queue_seconds": FETCH_SECONDS}
    document = {"storages": storages(caches), "caches": aliases, "limits": limits, "run_dir": str(home / "run")}
    services.write_json(config, document)
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return {**kept, "STORAGES_CONFIG_PATH": str(config), "LOG_LEVEL": "INFO"}
