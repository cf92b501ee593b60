"""Children that were taken over: what they say, hold back or refuse to end by, and what becomes of the next request."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import children, lives
from tests.support.render_children import Counted, command, script
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import RendererUnavailable, RenderFailed, SourceBroken
from thumbs.image.formats import sniff
from thumbs.image.transforms import Transform, Watermark
from thumbs.render.isolation import pool as pools
from thumbs.render.isolation import process
from thumbs.render.isolation.process import Command
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.isolation.wire import Answer, Call, Work
from thumbs.render.values import RenderLimits

LIMITS = RenderLimits(seconds=30)
AT_ONCE = RenderLimits(seconds=0.3)
SMALL = Transform(40, 30, "webp", 80)
ANSWER = "wire.send_answer(channel, Answer(Outcome.PICTURE, 'webp', {seconds}, 0, b'RIFF....WEBP' + data))"

Make = Callable[..., Counted]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes pools of children, and ends the children."""
    made: list[Counted] = []

    def start(started: Command) -> Counted:
        made.append(Counted(started))
        return made[-1]

    yield start
    for each in made:
        each.pool.close()


def rendered(counted: Counted, data: bytes, limits: RenderLimits = LIMITS, transform: Transform = SMALL) -> bytes:
    render = IsolatedRenderer(counted.pool, limits, {"logo": b"logo"}.__getitem__)
    return render(data, transform, fallback=None).body


# ------------------------------------------------------------------------------------------------------ what it says


def test_an_answer_to_no_call_never_becomes_the_answer_to_the_next_one(make: Make) -> None:
    counted = make(script(f"for _ in range(2): {ANSWER.format(seconds=0)}\ntime.sleep(3600)"))
    assert rendered(counted, b"first").endswith(b"first")
    (child,) = (each for each in counted.pool.idle if each.calls)
    eventually(lambda: child.stray() is not None)
    assert rendered(counted, b"second").endswith(b"second")
    assert counted.events["invalid"] == 1
    assert child.has_ended()


def test_a_channel_that_was_closed_between_calls_costs_no_request(make: Make) -> None:
    counted = make(script(f"{ANSWER.format(seconds=0)}\nchannel.close()\ntime.sleep(3600)"))
    assert rendered(counted, b"first").endswith(b"first")
    (child,) = (each for each in counted.pool.idle if each.calls)
    eventually(lambda: child.stray() is not None)
    assert rendered(counted, b"second").endswith(b"second")
    assert child.has_ended()


def test_a_child_cannot_say_that_it_took_longer_than_its_parent_waited(make: Make) -> None:
    """The metrics add these seconds up."""
    counted = make(script(ANSWER.format(seconds=1e300).replace("1e+300, 0", "1e300, 1e300")))
    answer = counted.pool.run(Call.RENDER, Work(LIMITS, SMALL), b"original")
    assert 0 <= answer.encode_seconds <= answer.seconds <= WAIT_SECONDS


def test_a_child_that_takes_no_watermark_is_not_asked_again(make: Make) -> None:
    refusing = "wire.send_answer(channel, wire.failed(wire.RenderFailed()))\ntime.sleep(3600)"
    counted = make(script(refusing))
    with pytest.raises(RenderFailed):
        rendered(counted, b"original", transform=Transform(40, 30, "webp", 80, watermark=Watermark("logo")))
    assert counted.events["invalid"] == 1
    assert [child.calls for child in counted.pool.idle] == [0]


def test_the_time_of_a_render_includes_that_of_its_watermark(make: Make) -> None:
    """The child answers the second call with the seconds that it was given."""
    text = (
        "wire.send_answer(channel, Answer(Outcome.BYTES, '', 0, 0, b''))\n"
        "_, second, _ = wire.receive_call(channel)\n"
        "data = repr(second.limits.seconds).encode()\n"
    )
    counted = make(script(text + ANSWER.format(seconds=0)))
    body = rendered(counted, b"original", transform=Transform(40, 30, "webp", 80, watermark=Watermark("logo")))
    assert 0 < float(body.removeprefix(b"RIFF....WEBP")) < LIMITS.seconds


def test_only_the_first_bytes_of_a_picture_are_searched_for_its_format(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search in a body of blanks would hold the interpreter's lock for seconds."""
    searched: list[int] = []

    def counting(data: bytes) -> str | None:
        searched.append(len(data))
        return sniff(data)

    monkeypatch.setattr("thumbs.render.isolation.answers.sniff", counting)
    counted = make(script("wire.send_answer(channel, Answer(Outcome.PICTURE, 'webp', 0, 0, b' ' * 10_000_000))"))
    with pytest.raises(RenderFailed):
        rendered(counted, b"original")
    assert max(searched) <= 1024


# ---------------------------------------------------------------------------------------------- what it does not end by


def test_a_child_that_closes_its_channel_and_stays_is_killed_at_the_deadline(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_CRASH_SECONDS", 3600.0)
    counted = make(script("channel.close()\ntime.sleep(3600)"))
    with pytest.raises(SourceBroken):
        rendered(counted, b"original", AT_ONCE)
    assert counted.events["crash"] == 1


def test_a_thread_that_blocks_signals_starts_children_that_do_not() -> None:
    """Else the timer of the kernel would never end a child: uWSGI blocks all signals in its threads."""
    masks: list[str] = []

    def start() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        counted = Counted(command())
        child = counted.pool._take()
        status = Path(f"/proc/{child.pid}/status").read_text().splitlines()
        masks.extend(line.split()[1] for line in status if line.startswith("SigBlk"))
        counted.pool._release(child, keep=True)
        counted.pool.close()

    thread = threading.Thread(target=start)
    thread.start()
    thread.join(WAIT_SECONDS)
    assert masks == ["0" * 16]


def test_a_timeout_is_one_where_the_server_collects_all_its_children() -> None:
    program = (
        "import signal\n"
        "from tests.support.render_children import Counted, endless\n"
        "from thumbs.errors import ThumbError\n"
        "from thumbs.image.transforms import Transform\n"
        "from thumbs.render.isolation import process\n"
        "from thumbs.render.isolation.renderer import IsolatedRenderer\n"
        "from thumbs.render.values import RenderLimits\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "process.PARENT_GRACE_SECONDS = 3600\n"  # the kernel's timer ends the child
        "counted = Counted(endless())\n"
        "render = IsolatedRenderer(counted.pool, RenderLimits(seconds=0.3), {}.__getitem__)\n"
        "try:\n"
        "    render(b'original', Transform(40, 30, 'webp'), fallback=None)\n"
        "except ThumbError as error:\n"
        "    print(error.code)\n"
        "counted.pool.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=False, text=True, timeout=WAIT_SECONDS
    )
    assert done.stdout.strip() == "render-timeout", done.stderr


def test_a_child_that_is_preempted_just_after_its_answer_is_not_used_again(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = process.Child.ask

    def asked(child: process.Child, call: Call, work: Work, data: bytes, slow: Callable[[], None]) -> Answer:
        answer = ask(child, call, work, data, slow)
        child.working = True
        assert child.preempt()
        child.working = False
        return answer

    monkeypatch.setattr(process.Child, "ask", asked)
    counted = make(script(f"{ANSWER.format(seconds=0)}\ntime.sleep(3600)"))
    assert rendered(counted, b"first").endswith(b"first")
    assert [child.calls for child in counted.pool.idle] == [0]


# --------------------------------------------------------------------------------------------------- what is left of it


def test_nothing_is_left_of_children_that_were_lost(make: Make) -> None:
    counted = make(script("os.kill(os.getpid(), signal.SIGSEGV)"))
    with pytest.raises(SourceBroken):
        rendered(counted, b"original")
    before, dead_before = descriptors(), dead_children()
    for _ in range(20):
        with pytest.raises(SourceBroken):
            rendered(counted, b"original")
    eventually(lambda: descriptors() <= before)  # a thread may be starting the next child just now
    assert dead_children() <= dead_before  # those of tests before this one, in the same process
    assert len(counted.pool.idle) == 1
    assert counted.pool._busy == {}


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_a_child_is_given_back_where_its_call_is_broken_off(
    make: Make, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def broken(*_: object) -> None:
        raise error

    for name in ("_keep_spare", "_send_watermark"):
        counted = make(script("time.sleep(3600)"))
        with monkeypatch.context() as patched:
            patched.setattr(counted.pool, name, broken)
            if name == "_keep_spare":
                patched.setattr(counted.pool, "_release", released := Released(counted.pool._release))
            with pytest.raises(error):
                rendered(counted, b"original", transform=Transform(40, 30, watermark=Watermark("logo")))
        assert counted.pool._busy == {}
    assert released.count == 1


class Released:
    """Counts the children that are given back; an error after that is of no interest here."""

    def __init__(self, release: Callable[..., None]) -> None:
        self._release = release
        self.count = 0

    def __call__(self, *arguments: object, **options: object) -> None:
        self.count += 1
        try:
            self._release(*arguments, **options)
        except (MemoryError, KeyboardInterrupt):
            return


@pytest.mark.parametrize("error", [MemoryError, RuntimeError, OSError])
def test_a_process_that_cannot_be_made_is_a_request_that_can_be_repeated(
    make: Make, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(pools, "Child", broken)
    with pytest.raises(RendererUnavailable):
        rendered(make(command()), b"original")


def dead_children() -> set[int]:
    """Children of this process that have ended and were not waited for."""
    return {pid for pid in children(os.getpid()) if not lives(pid)}


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
