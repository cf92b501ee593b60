"""The memory of a server that renders in children: it comes back after thousands of renders, and after killed ones."""

import contextlib
import itertools
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from tests.support import pictures, processes, servers
from tests.support.commands import local_storage
from tests.support.isolated import pss, render_children
from tests.support.load import Client
from tests.support.servers import Server
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow
WORKERS, CLIENTS = 2, 8
FEW, MANY, KILLED = 400, 4000, 20
# Of small originals, so that there are many renders in a minute. Each is rendered 500 times or more: were the 180 kB of
# its pixels kept, that would be twice as much as memory may grow.
RECIPES = (
    "90x60/filters:format(jpeg)/quarters.jpg",
    "60x60/filters:format(webp);gravity(smart)/quarters.png",
    "50x50/filters:format(png);fit(fill,ffff0080)/quarters.webp",
    "40x30/filters:format(gif);grayscale/quarters.gif",
    "64x64/filters:format(avif);pcrop(10,10,90,90)/quarters.jpg",
    "80x80/filters:format(jpeg);rotate(90);blur(2)/transparent.png",
    "70x40/filters:format(webp);trim(20);max_bytes(500)/quarters.jpg",
    "30x30/filters:format(png)/truncated.jpg",
)
# No deadline interrupts the encoder of GIF.
SLOW = "slow/thumbs/4000x4000/filters:format(gif);upscale(yes);blur(100);version({number})/noise.jpg"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The originals."""
    root = tmp_path / "originals"
    root.mkdir()
    quarters, photo = pictures.quarters(300, 200), pictures.encoded(pictures.noise(300, 200), "JPEG", quality=90)
    files = {
        "quarters.jpg": pictures.encoded(quarters, "JPEG", quality=95, subsampling=0),
        "quarters.png": pictures.encoded(quarters, "PNG"),
        "quarters.webp": pictures.encoded(quarters, "WEBP", lossless=True),
        "quarters.gif": pictures.encoded(quarters, "GIF"),
        "transparent.png": pictures.encoded(Image.new("RGBA", (300, 200), (*pictures.RED, 128)), "PNG"),
        "noise.jpg": photo,
        "truncated.jpg": photo[: len(photo) // 2],
    }
    for name, data in files.items():
        (root / name).write_bytes(data)
    return root


def renders(server: Server, count: int) -> Counter[int]:
    """The statuses of so many different small thumbnails, over connections that stay open."""

    def some(first: int) -> Counter[int]:
        found = Counter[int]()
        with closing(Client(server)) as client:
            for number in range(first, count, CLIENTS):
                found[client.status(f"photos/thumbs/{RECIPES[number % len(RECIPES)]}")] += 1
        return found

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(some, range(CLIENTS)), Counter[int]())


def memory(server: Server) -> float:
    """The bytes of the workers, and of a rendering child and a spare one of each, after a rest in which they trim.

    While renders are slow a worker has more children (`ChildPool`), and a busy machine makes them slow at any time. So
    those that hold most are counted. Infinite where a process ended meanwhile.
    """
    time.sleep(3)
    children = render_children(server.process.pid)
    with contextlib.suppress(OSError):
        largest = sorted((pss({child}) for child in children), reverse=True)[: 2 * WORKERS]
        return pss({server.process.pid, *processes.descendants(server.process.pid)} - children) + sum(largest)
    return float("inf")


def test_memory_returns_after_many_renders_and_after_killed_ones(root: Path, tmp_path: Path) -> None:
    document = {
        "storages": [
            local_storage("photos", root),
            {**local_storage("slow", root), "limits": {"render_seconds": 0.5}},
        ],
        "run_dir": str(tmp_path / "run"),
        "limits": {"max_gif_pixels": 16_000_000, "queue_seconds": 60, "renders": 1},
    }
    with servers.standalone(document, tmp_path, worker=servers.OUR_WORKER, workers=WORKERS, fresh=True) as server:
        usual = renders(server, FEW)
        assert set(usual) == {200, 422}, "one of the originals is cut short"
        # Connections are not spread evenly over the workers: until each has a child that has rendered, and a spare one.
        workers = processes.children(server.process.pid)
        assert len(workers) == WORKERS
        eventually(lambda: all(len(render_children(each)) > 1 for each in workers) or not renders(server, CLIENTS))
        first = render_children(server.process.pid)
        before = memory(server)
        assert renders(server, MANY) == Counter({status: 10 * count for status, count in usual.items()})
        left = first & render_children(server.process.pid)
        assert len(left) >= WORKERS, "what they hold is what these renders have left"
        numbers = itertools.count()
        with ThreadPoolExecutor(2 * WORKERS) as pool:
            killed = pool.map(lambda _: server.get(SLOW.format(number=next(numbers))).status, range(KILLED))
            assert Counter(killed) == {504: KILLED}
        assert set(renders(server, FEW)) == {200, 422}
        eventually(lambda: memory(server) <= 1.2 * before)
