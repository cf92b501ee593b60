"""A whole site over its caps for a while, purged, cleared and swept all the time."""

import contextlib
import itertools
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import disk_cache, environ_with, local_storage, manage
from tests.support.disk_usage import SAMPLE_SECONDS, disk_bytes
from tests.support.load import Client, meanwhile
from tests.support.processes import workers_of
from tests.support.servers import Server
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.cache.filestore.ledger import BLOCK

SECONDS = float(os.environ.get("MAGE_SIEGE_SECONDS", "20"))
ENOUGH = 1000  # answers, to fill the caches again and again
WORKERS = WRITERS = 4
CAP_MB = 2
EVERY_SECONDS = 3
LARGEST = 300_000  # a PNG of noise of 300 by 300 pixels, and its head


@contextlib.contextmanager
def served(environ: dict[str, str], directory: Path) -> Iterator[Server]:
    """As an operator serves it, the janitor beside the workers."""
    port, log = servers.free_port(), directory / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}"]
    with servers.running([*command, "--workers", str(WORKERS)], log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        eventually(lambda: len(workers_of(process.pid)) == WORKERS)
        yield Server("siege", port, process, log)


@pytest.mark.slow
def test_a_site_with_tiny_caps_holds_them_and_complains_of_nothing(originals: Path, tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    cache = {
        "memory": {"enabled": True, "max_size_mb": 1},
        "disk": disk_cache(directory, max_size_mb=CAP_MB, ttl_seconds=5, stale_seconds=5),
        "sources": True,
    }
    environ = environ_with(tmp_path, [local_storage("photos", originals, **cache)])
    samples: list[int] = []
    answers: Counter[int] = Counter()
    cleared: Counter[int] = Counter()
    lock = threading.Lock()
    over = threading.Event()
    with served(environ, tmp_path) as server, ThreadPoolExecutor(WRITERS + 1) as pool:

        def write(seed: int) -> None:
            client, chance = Client(server), random.Random(seed)
            while not over.is_set():
                # A few that many clients request, and many that one client requests.
                side = chance.choice((40, 50, 60)) if chance.random() < 0.3 else chance.randrange(70, 300)
                name = chance.choice(("noise.jpg", "quarters.jpg", "quarters.png"))
                status = client.status(f"photos/thumbs/{side}x{side}/filters:format(png)/{name}")
                with lock:
                    answers[status] += 1
            client.close()

        def enough() -> bool:
            with lock:
                return answers.total() >= ENOUGH

        def clear() -> None:
            for which in itertools.cycle((["--source", "noise.jpg"], ["--source", "quarters.jpg"], ["--expired"], [])):
                if over.wait(EVERY_SECONDS):
                    return
                done = manage(environ, "clear_thumb_cache", "--storage", "photos", *which)
                assert done.stderr == ""
                cleared[done.returncode] += 1

        def sample() -> None:
            samples.append(disk_bytes(directory))
            time.sleep(SAMPLE_SECONDS)

        with meanwhile(sample) as failures:
            running = [pool.submit(clear), *(pool.submit(write, seed) for seed in range(WRITERS))]
            began = time.monotonic()
            over.wait(SECONDS)
            while not enough() and time.monotonic() - began < SECONDS + WAIT_SECONDS:  # on a busy machine
                over.wait(1)
            over.set()
            for done in running:
                done.result(60)
        assert failures == []
        log = server.log.read_text()
    print(  # noqa: T201 - figures to read with `pytest -s`
        f"{SECONDS:g} s: {dict(answers)}, {dict(cleared)} clearings; "
        f"{len(samples)} samples, most {max(samples):,} bytes"
    )
    assert set(answers) == {200}
    assert set(cleared) == {0}
    assert "Traceback" not in log
    assert "WARNING " not in log  # but for those of the system check
    assert "ERROR" not in log
    assert max(samples) <= CAP_MB * 1024 * 1024 + WORKERS * (LARGEST + 2 * BLOCK)
