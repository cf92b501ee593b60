"""A render ends when it has spent its CPU time, however many cores its decoder finds."""

import textwrap

import pytest

from tests.support.render_children import Counted, Script, command
from thumbs.errors import RenderTimeout
from thumbs.image.transforms import Transform
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.values import RenderLimits

# The deadline is far beyond the patience of any test.
LIMITS = RenderLimits(seconds=3600)
NO_WATERMARKS: dict[str, bytes] = {}
_BUSY = """
import hashlib, sys, threading
from thumbs.render.isolation import child
child.CPU_PER_SECOND = {share}

def busy(*_: object) -> None:
    def work() -> None:
        while True:
            hashlib.pbkdf2_hmac("sha256", b"x", b"y", 10_000)  # without the interpreter lock
    threads = [threading.Thread(target=work) for _ in range({threads})]
    for thread in threads:
        thread.start()
    threads[0].join()

child._Server._answer = busy
child.main(int(sys.argv[1]))
"""


def busy(threads: int, *, seconds: float) -> Script:
    """The real child, whose renders never end. They may take `seconds` of CPU time."""
    text = textwrap.dedent(_BUSY).format(threads=threads, share=seconds / LIMITS.seconds)
    return Script(command().python, command().path, text)


@pytest.mark.parametrize("threads", [1, 8])
def test_a_render_that_has_spent_its_cpu_time_ends_before_its_deadline(threads: int) -> None:
    counted = Counted(busy(threads, seconds=0.5))
    try:
        render = IsolatedRenderer(counted.pool, LIMITS, NO_WATERMARKS.__getitem__)
        with pytest.raises(RenderTimeout):
            render(b"original", Transform(40, 30, "webp"), fallback=None)
        assert counted.events["timeout"] == 1
        assert not counted.events.keys() & {"killed", "crash", "invalid"}
    finally:
        counted.pool.close()
