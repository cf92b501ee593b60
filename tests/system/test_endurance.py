"""A server under overload, for long, and while its workers are killed (P12, P13, P16, P17)."""

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.fronts import s3_storage
from tests.support.isolated import render_children
from tests.support.load import Client, meanwhile
from tests.support.misbehaving import MisbehavingStore
from tests.support.processes import children, workers_of
from tests.support.prometheus import samples
from tests.support.servers import Server
from tests.support.waiting import WAIT_SECONDS

WORKERS = 2
LOOKUPS = 8  # threads that look into layers, in each worker
HIT = "photos/thumbs/41x31/quarters.jpg"
_PATIENT: dict[str, object] = {"queue_seconds": 300, "render_seconds": 300, "fetch_seconds": 300}


@contextmanager
def served(
    originals: Path,
    directory: Path,
    *,
    limits: dict[str, object] | None = None,
    workers: int = WORKERS,
    more: Sequence[Mapping[str, object]] = (),
) -> Iterator[Server]:
    cache = {
        "memory": {"enabled": True, "max_size_mb": 8},
        "disk": {"enabled": True, "dir": str(directory / "cache"), "ttl_seconds": 3600, "max_size_mb": 24},
    }
    storage = local_storage("photos", originals, **cache)
    storages = [storage, *more]
    environ = environ_with(directory, storages)
    document = {"storages": storages, "limits": limits or {}, "metrics": True, "run_dir": str(directory / "run")}
    (directory / "storages.json").write_text(json.dumps(document))
    port = servers.free_port()
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}"]
    log = directory / "log"
    with servers.running([*command, "--workers", str(workers)], log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        servers.eventually(lambda: len(workers_of(process.pid)) == workers)
        yield Server("endurance", port, process, log)


def test_a_flood_of_misses_is_refused_beyond_the_limits_and_hits_go_on(originals: Path, tmp_path: Path) -> None:
    renders, keys, clients = 2, 2000, 200
    limits: dict[str, object] = {"renders": renders, "queue_length": 10}
    with served(originals, tmp_path, limits=limits) as server:
        hitter, looker = Client(server), Client(server)
        for _ in range(20):
            assert hitter.status(HIT) == 200
        running: list[float] = []
        hits: list[int] = []

        def look() -> None:
            text = server.get("metrics").body.decode()
            running.append(samples(text, "mage_stage_running").get(("render",), 0))
            hits.extend(hitter.status(HIT) for _ in range(20))

        answers: Counter[int] = Counter()
        refused_without_advice = []
        lock = threading.Lock()
        paths = iter([f"photos/thumbs/{100 + number % 50}x{100 + number // 50}/noise.jpg" for number in range(keys)])

        def ask(_: int) -> None:
            client = Client(server)
            while True:
                with lock:
                    path = next(paths, None)
                if path is None:
                    break
                status = client.status(path)
                with lock:
                    answers[status] += 1
                    if status == 503 and not client.retry_after:
                        refused_without_advice.append(path)
            client.close()

        with meanwhile(look) as failures, ThreadPoolExecutor(clients) as pool:
            list(pool.map(ask, range(clients)))
        hitter.close()
        looker.close()
    assert failures == []
    assert set(answers) == {200, 503}
    assert sum(answers.values()) == keys
    assert refused_without_advice == []
    assert running
    assert 0 < max(running) <= (renders + 1) * WORKERS  # with the express place, for young renders beside old ones
    assert Counter(hits) == {200: len(hits)}
    sys.stdout.write(f"{dict(answers)}, {len(hits)} hits meanwhile, {max(running):g} renders at once at most\n")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


@pytest.mark.slow
def test_a_storage_that_takes_two_seconds_an_object_leaves_the_hits_alone(originals: Path, tmp_path: Path) -> None:
    clients, asked = 200, 2000
    picture = (originals / "quarters.jpg").read_bytes()
    with MisbehavingStore(body=picture) as store:
        slow = s3_storage("slow", store.url, bucket="slow")
        with served(originals, tmp_path, more=[slow]) as server, ThreadPoolExecutor(clients) as pool:
            over = threading.Event()
            answers: Counter[int] = Counter()
            lock = threading.Lock()

            def miss(number: int) -> None:
                """Requests what was never requested before, until it is stopped."""
                client = Client(server)
                for turn in range(10**6):
                    status = client.status(f"slow/thumbs/40x30/{number}-{turn}.jpg")
                    with lock:
                        answers[status] += 1
                    if over.wait(float(client.retry_after or 0)):
                        break
                client.close()

            def hits() -> list[float]:
                client, spent = Client(server), []
                for _ in range(asked):
                    began = time.perf_counter()
                    assert client.status(HIT) == 200
                    spent.append((time.perf_counter() - began) * 1000)
                client.close()
                return spent

            hits()
            alone = hits()
            missing = [pool.submit(miss, number) for number in range(clients)]
            servers.eventually(lambda: store.open_connections() > 0)
            time.sleep(3)
            beside = hits()
            over.set()
            for done in missing:
                done.result(60)
    assert set(answers) <= {200, 503}
    assert answers[200] > 0
    for name, spent in (("alone", alone), ("beside", beside)):
        sys.stdout.write(f"{name}: {percentile(spent, 0.5):.2f} ms, p99 {percentile(spent, 0.99):.2f} ms\n")
    sys.stdout.write(f"misses: {dict(answers)}\n")


# -------------------------------------------------------------------------------------- for long


@dataclass(frozen=True)
class Footprint:
    """What the workers take together: kB of memory of their own, descriptors, threads (those of libvips apart)."""

    memory: int
    descriptors: int
    threads: int
    vips_threads: int

    @classmethod
    def of(cls, pids: set[int]) -> "Footprint":
        def private(pid: int) -> int:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))

        names = [thread.read_text() for pid in pids for thread in Path(f"/proc/{pid}/task").glob("*/comm")]
        of_vips = sum("vips" in name for name in names)
        return cls(
            sum(private(pid) for pid in pids),
            sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids),  # noqa: PTH208 - a count, not paths
            len(names) - of_vips,
            of_vips,
        )


@pytest.mark.slow
def test_a_hundred_thousand_requests_leave_the_server_as_it_was_after_twenty_thousand(
    originals: Path, tmp_path: Path
) -> None:
    requests, clients, one_in, fetches, renders = 100_000, 8, 10, 4, 4
    # No request is refused because a busy machine is slow.
    limits: dict[str, object] = {"fetches": fetches, "renders": renders}
    limits |= _PATIENT
    with served(originals, tmp_path, limits=limits) as server, ExitStack() as stack:
        connections = [stack.enter_context(closing(Client(server))) for _ in range(clients)]
        workers = workers_of(server.process.pid)
        curve: list[Footprint] = []
        each = requests // clients // 10

        def ask(number: int, part: int) -> int:
            client, good = connections[number], 0
            for turn in range(each):
                cold = (part * each + turn) * clients + number
                path = f"photos/thumbs/{1 + cold % 300}x{1 + cold // 300 % 300}/quarters.jpg"
                good += client.status(HIT if turn % one_in else path) == 200
            return good

        with ThreadPoolExecutor(clients) as pool:
            for part in range(10):
                answered = sum(pool.map(ask, range(clients), [part] * clients))
                assert answered == each * clients
                curve.append(Footprint.of(workers))
        assert workers_of(server.process.pid) == workers
    for number, footprint in enumerate(curve, 1):
        sys.stdout.write(f"{number * requests // 10:7} requests: {footprint}\n")
    settled, last = curve[1], max(curve[5:], key=lambda footprint: footprint.memory)
    # What still grows: 8 MB of cache, and the memo of 8,192 URLs at about 2 kB, in each worker.
    assert last.memory - settled.memory < WORKERS * 24 * 1024
    # Besides the stages' own: the event loop's, that of the express place, the watchdog of the renders, that of the hot
    # files, and two timers.
    assert max(footprint.threads for footprint in curve) <= WORKERS * (LOOKUPS + fetches + renders + 6)
    # A pipeline has a thread that computes and two that write; an idle one of these is kept for the next pipeline.
    assert max(footprint.vips_threads for footprint in curve) <= WORKERS * (renders + 1) * 4
    assert max(footprint.descriptors for footprint in curve[2:]) <= settled.descriptors + 2 * clients


def test_a_worker_that_is_killed_loses_only_what_it_held(originals: Path, tmp_path: Path) -> None:
    kills, every = 3, 2.0
    # The first child of a worker that has just been started may be late where the machine is busy.
    with served(originals, tmp_path, limits=_PATIENT) as server:
        over = threading.Event()
        numbers = iter(range(10**9))
        found: Counter[int] = Counter()
        lock = threading.Lock()

        def ask(_: int) -> None:
            client = Client(server)
            while not over.is_set():
                with lock:
                    number = next(numbers)
                path = f"photos/thumbs/{50 + number % 400}x{50 + number // 400}/quarters.jpg" if number % 4 else HIT
                status = client.status(path)
                with lock:
                    found[status] += 1
            client.close()

        with ThreadPoolExecutor(8) as pool:
            asking = [pool.submit(ask, number) for number in range(8)]
            for number in range(kills):
                time.sleep(every)
                servers.eventually(lambda: len(workers_of(server.process.pid)) == WORKERS)
                os.kill(sorted(workers_of(server.process.pid))[number % WORKERS], signal.SIGKILL)
            time.sleep(every)
            over.set()
            for done in asking:
                done.result(WAIT_SECONDS)
        # Every key can still be locked and made, and a sweep leaves no temporary file.
        client = Client(server)
        assert {client.status(f"photos/thumbs/{50 + number % 400}x50/quarters.jpg") for number in range(200)} == {200}
        client.close()
        log = server.log.read_text()
    assert set(found) <= {0, 200}
    # A connection that broke is that of a worker that was killed: of each kill, those that it held.
    assert found[0] <= kills * 8
    assert "Traceback" not in log
    assert [path for path in (tmp_path / "cache").rglob("*.tmp") if time.time() - path.stat().st_mtime > 60] == []
    sys.stdout.write(f"{kills} kills, {found[200]} answers, {found[0]} broken connections\n")


@pytest.mark.slow
@pytest.mark.parametrize(("isolation", "boots", "workers"), [("auto", 4, 2), ("off", 5, 8)])
def test_workers_of_an_application_that_is_loaded_before_the_fork_all_render(
    originals: Path, tmp_path: Path, isolation: str, boots: int, workers: int
) -> None:
    """A render, or a thread of libvips, before the fork would leave one in ten of those hanging that render.

    So libvips is not even loaded before; and then each of many workers renders.
    """
    environ = environ_with(tmp_path, [local_storage("photos", originals)], MAGE_ISOLATION=isolation)

    def has_rendered(worker: int) -> bool:
        return _has_libvips(worker) or bool(render_children(worker))

    for number in range(boots):
        port = servers.free_port()
        command = [sys.executable, "-m", "gunicorn", "mage_project.asgi", "--preload", "--no-control-socket"]
        command += ["--worker-class", servers.OUR_WORKER, "--workers", str(workers), "--bind", f"127.0.0.1:{port}"]
        command += ["--timeout", "300"]  # on a busy machine, loading libvips in all of them takes half a minute
        log = tmp_path / f"boot-{number}.log"
        url = f"http://127.0.0.1:{port}/photos/thumbs/40x30/quarters.jpg"
        with servers.running(command, log=log, environ=environ) as process, ThreadPoolExecutor(workers) as pool:
            servers.wait_for_port(port, process, log)
            servers.eventually(lambda: len(children(process.pid)) == workers)
            assert not _has_libvips(process.pid)
            started = children(process.pid)
            while True:
                statuses = list(pool.map(lambda url: servers.fetch(url).status, [url] * 2 * workers))
                assert statuses == [200] * 2 * workers, log.read_text()
                if all(map(has_rendered, started)):
                    break
            assert children(process.pid) == started


def _has_libvips(pid: int) -> bool:
    return "libvips" in Path(f"/proc/{pid}/maps").read_text()
