"""Renders that no deadline interrupts: each ends with 504, takes nothing else along, and gives its memory back."""

import itertools
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from tests.support import servers
from tests.support.commands import local_storage
from tests.support.icc_profiles import bomb
from tests.support.isolated import at_work, pss_of_family, render_children
from tests.support.load import Client, meanwhile
from tests.support.pictures import encoded, noise, scene
from tests.support.processes import children
from tests.support.render_children import Counted, Script, command
from tests.support.servers import Server
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import RenderTimeout
from thumbs.image.transforms import Transform
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.values import Picture, RenderLimits

pytestmark = pytest.mark.slow
MOST = 8  # renders at once
SECONDS = (1, 2)  # the deadlines; there is a storage for each
LONG_SECONDS = 20  # of one more: renders that a busy machine is seen at
_TURBULENCE = "<filter id='f'><feTurbulence baseFrequency='0.5' numOctaves='1000000'/></filter>"
_DRAWING = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='4000' height='4000'>"
    f"{_TURBULENCE}<rect width='4000' height='4000' filter='url(#f)'/></svg>"
)
# Each takes five seconds or more. No deadline interrupts one call of a codec or of librsvg; the blur it does.
RENDERS = {
    "an AVIF is written": "3500x3500/filters:format(avif);upscale(yes);max_bytes(1);version({number})/grain.jpg",
    "a GIF is written": "5000x5000/filters:format(gif);upscale(yes);version({number})/grain.jpg",
    "an SVG is drawn": "4000x4000/filters:format(png);version({number})/turbulence.svg",
    "a blur": "5000x5000/filters:format(webp);upscale(yes);blur(100);max_bytes(1);version({number})/grain.jpg",
    "an AVIF is read": "5000x5000/filters:format(webp);trim(1);max_bytes(1);version({number})/large.avif",
}
# Half of that GIF, where a test waits until it is written: long enough that a test sees children at work.
GIF = "3500x3500/filters:format(gif);upscale(yes);version({number})/grain.jpg"
SMALL = "photos/thumbs/{width}x40/quarters.jpg"
NO_WATERMARKS: dict[str, bytes] = {}
_numbers = itertools.count()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    grain = Image.frombytes("RGB", (600, 600), random.Random(1).randbytes(600 * 600 * 3))
    (root / "grain.jpg").write_bytes(encoded(grain, "JPEG", quality=90))
    (root / "noise.jpg").write_bytes(encoded(noise(1500, 1000), "JPEG", quality=90))
    (root / "quarters.jpg").write_bytes(encoded(scene(300, 200), "JPEG"))
    (root / "large.avif").write_bytes(encoded(noise(5000, 5000), "AVIF", speed=10))
    (root / "turbulence.svg").write_text(_DRAWING)
    return root


@pytest.fixture
def server(pictures: Path, tmp_path: Path) -> Iterator[Server]:
    slow = [
        {**local_storage(f"slow-{seconds}", pictures), "limits": {"render_seconds": seconds}}
        for seconds in (*SECONDS, LONG_SECONDS)
    ]
    cached = local_storage("cached", pictures, memory={"enabled": True, "max_size_mb": 4})
    document = {
        "storages": [*slow, cached, {**local_storage("photos", pictures), "limits": {"render_seconds": WAIT_SECONDS}}],
        "run_dir": str(tmp_path / "run"),
        "input_formats": ["jpeg", "png", "avif", "svg"],
        "limits": {
            "renders": MOST,
            "queue_seconds": WAIT_SECONDS,
            "max_avif_pixels": 26_000_000,
            "max_gif_pixels": 26_000_000,
        },
    }
    # gunicorn must not end a worker that a test stops.
    options = ("--timeout", str(int(2 * WAIT_SECONDS)))
    with servers.standalone(document, tmp_path, worker=servers.OUR_WORKER, options=options, fresh=True) as running:
        yield running


def slow_render(server: Server, kind: str, seconds: int) -> tuple[str, int, float]:
    """The kind, the status of a request that nothing else has made, and how long after its deadline it came."""
    began = time.monotonic()
    status = slow_status(server, RENDERS[kind], seconds)
    return kind, status, time.monotonic() - began - seconds


def slow_status(server: Server, path: str, seconds: int) -> int:
    return server.get(f"slow-{seconds}/thumbs/{path.format(number=next(_numbers))}").status


def say(line: str) -> None:
    """For a run with `-s`: no assertion depends on it."""
    sys.stderr.write(f"\n{line}")


def small_renders(server: Server) -> None:
    """As many at once as there can be, until there are all children: as many before a comparison as after it.

    They are slow also on a quiet machine: only then there is a child more.
    """
    paths = [f"photos/thumbs/{1400 + number}x/filters:blur(100)/noise.jpg" for number in range(MOST)]

    def complete() -> bool:
        with ThreadPoolExecutor(MOST) as pool:
            assert set(pool.map(lambda path: server.get(path).status, paths)) == {200}
        return len(render_children(server.process.pid)) == MOST + 1

    eventually(complete)


def test_renders_that_nothing_interrupts_end_at_their_deadlines_and_harm_no_other(server: Server) -> None:
    small_renders(server)
    resting = pss_of_family(server.process.pid, rest_seconds=3)
    others = Counter[int]()
    widths = itertools.cycle(range(30, 90))
    hit = "cached/thumbs/50x40/quarters.jpg"

    def act() -> None:
        others[client.status(SMALL.format(width=next(widths)))] += 1
        others[client.status(hit)] += 1

    ways = itertools.cycle(itertools.product(RENDERS, SECONDS))
    ended: list[tuple[str, int, float]] = []
    with closing(Client(server)) as client, ThreadPoolExecutor(MOST) as pool, meanwhile(act) as failures:
        for at_once in (1, 3, MOST, MOST):
            started = [pool.submit(slow_render, server, *next(ways)) for _ in range(at_once)]
            wait(started, WAIT_SECONDS)
            ended += [future.result() for future in started]
    assert failures == []
    assert Counter((kind, status) for kind, status, _ in ended if status != 504) == {}
    assert len(ended) == 4 + 2 * MOST
    assert set(others) == {200}
    say(f"{others.total()} other requests; the longest overrun was {max(late for *_, late in ended):.2f} s")
    eventually(lambda: not at_work(render_children(server.process.pid)))
    small_renders(server)
    eventually(lambda: pss_of_family(server.process.pid, rest_seconds=1) <= 1.2 * resting)
    say(f"PSS: {resting / 2**20:.0f} MiB before, {pss_of_family(server.process.pid) / 2**20:.0f} MiB after")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_children_at_work_end_though_their_parent_is_gone(server: Server, number: signal.Signals) -> None:
    small_renders(server)
    (worker,) = children(server.process.pid)
    with ThreadPoolExecutor(2) as pool:
        started = [pool.submit(_tried, server, GIF) for _ in range(2)]
        eventually(lambda: len(at_work(render_children(worker))) >= 2)
        busy = at_work(render_children(worker))
        os.kill(worker, number)
        try:
            # Those of a stopped parent stay: as zombies, or waiting for the next call.
            eventually(lambda: not at_work(busy, seconds=1))
        finally:
            if number == signal.SIGSTOP:
                os.kill(worker, signal.SIGCONT)
        wait(started, WAIT_SECONDS)
    eventually(lambda: _answers(server))


_BELIEVES_PROFILES = """
import sys
from thumbs.render.isolation import child, lockdown
import_renderer = lockdown.import_renderer

def unchecked(formats: set[str]) -> None:
    import_renderer(formats)
    from thumbs.render import header
    field = "icc-profile-data"
    header.usable_profile = lambda data, name, image: image.get(field) if image.get_typeof(field) else None

lockdown.import_renderer = unchecked
child.main(int(sys.argv[1]))
"""


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_profile_that_takes_minutes_ends_at_the_deadline(at_once: int) -> None:
    """The check of profiles would refuse it: here the child believes them all."""
    counted = Counted(Script(command().python, command().path, _BELIEVES_PROFILES), places=at_once)
    data = encoded(noise(300, 200), "PNG", icc_profile=bomb(100_000))
    render = IsolatedRenderer(counted.pool, RenderLimits(seconds=1), NO_WATERMARKS.__getitem__)
    try:
        with ThreadPoolExecutor(at_once) as pool:
            calls: list[Future[Picture]] = [
                pool.submit(render, data, Transform(40, 30, "webp"), fallback=None) for _ in range(at_once)
            ]
            raised = [type(call.exception(WAIT_SECONDS)) for call in calls]
        assert raised == [RenderTimeout] * at_once
        assert counted.events["timeout"] == at_once, "no child could say so itself"
        patient = IsolatedRenderer(counted.pool, RenderLimits(seconds=WAIT_SECONDS), NO_WATERMARKS.__getitem__)
        patient(encoded(noise(300, 200), "PNG"), Transform(40, 30, "webp"), fallback=None)
    finally:
        counted.pool.close()


def _tried(server: Server, path: str) -> int | None:
    try:
        return slow_status(server, path, LONG_SECONDS)
    except (OSError, EOFError):
        return None


def _answers(server: Server) -> bool:
    try:
        return server.get(SMALL.format(width=60)).status == 200
    except (OSError, EOFError):
        return False
