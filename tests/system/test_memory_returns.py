"""The memory of a server that renders in children: it comes back after thousands of renders, and after killed ones."""

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import local_storage
from tests.support.isolated import pss_of_family, render_children
from tests.support.load import Client
from tests.support.servers import Server
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow
WORKERS, CLIENTS = 2, 8
FEW, MANY, KILLED = 400, 4000, 20
# Originals of a quarter of a megapixel, so that there are many renders in a minute.
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


def test_memory_returns_after_many_renders_and_after_killed_ones(originals: Path, tmp_path: Path) -> None:
    document = {
        "storages": [
            local_storage("photos", originals),
            {**local_storage("slow", originals), "limits": {"render_seconds": 0.5}},
        ],
        "run_dir": str(tmp_path / "run"),
        "limits": {"max_gif_pixels": 16_000_000, "queue_seconds": 60, "renders": 1},
    }
    with servers.standalone(document, tmp_path, worker=servers.OUR_WORKER, workers=WORKERS, fresh=True) as server:
        usual = renders(server, FEW)
        assert set(usual) == {200, 422}, "one of the originals is cut short"
        # Connections are not spread evenly over the workers: until each has a child that has rendered, and a spare one.
        eventually(lambda: len(render_children(server.process.pid)) == 2 * WORKERS or not renders(server, CLIENTS))
        first = render_children(server.process.pid)
        before = pss_of_family(server.process.pid, rest_seconds=3)
        assert renders(server, MANY) == Counter({status: 10 * count for status, count in usual.items()})
        assert render_children(server.process.pid) == first, "what they hold is what these renders have left"
        numbers = itertools.count()
        with ThreadPoolExecutor(2 * WORKERS) as pool:
            killed = pool.map(lambda _: server.get(SLOW.format(number=next(numbers))).status, range(KILLED))
            assert Counter(killed) == {504: KILLED}
        assert set(renders(server, FEW)) == {200, 422}
        eventually(lambda: pss_of_family(server.process.pid, rest_seconds=3) <= 1.2 * before)
