"""How many children a pool keeps: those that are lost at the same time are not replaced by too many."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.pictures import encoded, scene
from tests.support.render_children import Counted, command, script
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Transform
from thumbs.render.isolation.process import Command
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.values import RenderLimits

LIMITS = RenderLimits(seconds=60)
NO_WATERMARKS: dict[str, bytes] = {}
SMALL = Transform(40, 30, "webp", 80)
AT_ONCE = 6


class Crowd:
    """A pool, and threads that give it calls at the same time: one more than it has places."""

    def __init__(self, started: Command) -> None:
        self.counted = Counted(started, places=AT_ONCE - 1)
        self._together = threading.Barrier(AT_ONCE)
        self._render = IsolatedRenderer(self.counted.pool, LIMITS, NO_WATERMARKS.__getitem__)

    def call(self, data: bytes) -> list[type[BaseException] | None]:
        """What each of the calls raised."""

        def one(_: int) -> type[BaseException] | None:
            self._together.wait()
            try:
                self._render(data, SMALL, fallback=None)
            except Exception as error:
                return type(error)
            return None

        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(one, range(AT_ONCE)))


@pytest.fixture
def crowd(request: pytest.FixtureRequest) -> Iterator[Crowd]:
    made = Crowd(request.param)
    yield made
    made.counted.pool.close()


@pytest.mark.parametrize("crowd", [script("sys.exit(3)")], ids=["lost"], indirect=True)
def test_children_that_are_lost_together_leave_one_spare_child(crowd: Crowd) -> None:
    for _ in range(3):
        assert crowd.call(b"original") == [SourceBroken] * AT_ONCE
        assert len(crowd.counted.pool.idle) == 1


@pytest.mark.parametrize("crowd", [command()], ids=["real"], indirect=True)
def test_there_is_a_child_for_each_place_one_for_the_express_place_and_one_that_is_warm(crowd: Crowd) -> None:
    data = encoded(scene(900, 600), "JPEG")
    for _ in range(5):
        assert crowd.call(data) == [None] * AT_ONCE
        assert len(crowd.counted.pool.idle) <= AT_ONCE + 1
