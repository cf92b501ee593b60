"""Renders in child processes: what becomes of a call when its child does not do what it should."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.pictures import encoded, noise, quarters, scene
from tests.support.processes import children, lives
from tests.support.render_children import Counted, command, endless, script, setup
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import (
    Preempted,
    RendererUnavailable,
    RenderFailed,
    RenderTimeout,
    SourceBroken,
    SourceUnsupported,
    ThumbError,
)
from thumbs.image.transforms import Transform, Trim, Watermark
from thumbs.render.isolation import pool as pools
from thumbs.render.isolation.process import Child, Command
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits

LIMITS = RenderLimits(seconds=30)
AT_ONCE = RenderLimits(seconds=0.3)
NO_WATERMARKS: dict[str, bytes] = {}
PNG = b"\x89PNG\r\n\x1a\n"
SMALL = Transform(40, 30, "webp", 80)

Make = Callable[..., Counted]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes pools of children, and ends the children."""
    made: list[Counted] = []

    def start(started: Command | None = None, **options: object) -> Counted:
        made.append(Counted(started or command(), **options))
        return made[-1]

    yield start
    for each in made:
        each.pool.close()


@pytest.fixture(scope="module")
def photo() -> bytes:
    return encoded(scene(900, 600), "JPEG", quality=85)


def renderer(counted: Counted, limits: RenderLimits = LIMITS) -> IsolatedRenderer:
    return IsolatedRenderer(counted.pool, limits, NO_WATERMARKS.__getitem__)


# --------------------------------------------------------------------------------------------------- calls that succeed


def test_a_child_makes_the_bytes_that_a_thread_makes(make: Make, photo: bytes) -> None:
    isolated = renderer(make())
    for transform in (
        SMALL,
        Transform(300, 200, "jpeg", 80, blur=2),
        Transform(100, None, "png"),
        Transform(64, 64, "avif", 60),
    ):
        assert isolated(photo, transform, fallback=None).body == Renderer().render(photo, transform, LIMITS).body


def test_a_proxy_is_made_and_used_in_children(make: Make) -> None:
    original = encoded(scene(3200, 2400), "JPEG", quality=85)
    isolated, bound = renderer(make()), Renderer()
    packed = isolated.make_proxy(original)
    assert packed == bound.make_proxy(original, LIMITS)
    picture = isolated.render_proxy(packed, SMALL, fallback=None)
    expected = bound.render_proxy(packed, SMALL, LIMITS)
    assert picture is not None
    assert expected is not None
    assert picture.body == expected.body
    assert isolated.render_proxy(packed, Transform(3000, 2000, "jpeg", 80), fallback=None) is None
    assert isolated.make_proxy(encoded(scene(100, 100), "PNG")) == b""


def test_the_parent_loads_no_libvips() -> None:
    program = (
        "import sys\n"
        "from thumbs.render.isolation.pool import ChildPool\n"
        "from thumbs.render.isolation.renderer import IsolatedRenderer\n"
        "print(sorted(name for name in sys.modules if name.startswith(('pyvips', 'django', 'cffi'))))\n"
    )
    assert _printed(program) == "[]"


def test_a_child_loads_neither_django_nor_what_else_a_server_needs() -> None:
    program = (
        "import sys\n"
        "import thumbs.render.isolation.child, thumbs.render.renderer\n"
        "names = ('django', 'boto3', 'gunicorn', 'asyncio', 'prometheus_client', 'ssl', 'sqlite3')\n"
        "rooms = ('conf', 'cache', 'wiring', 'pipeline', 'sources', 'request', 'site', 'server')\n"
        "print([n for n in sys.modules if n in names or n.startswith(tuple(f'thumbs.{r}' for r in rooms))])\n"
    )
    assert _printed(program) == "[]"


def test_a_watermark_is_sent_to_a_child_once(make: Make, photo: bytes) -> None:
    read: list[str] = []
    logo = encoded(noise(20, 10), "PNG")

    def watermark(name: str) -> bytes:
        read.append(name)
        return logo

    counted = make()
    isolated = IsolatedRenderer(counted.pool, LIMITS, watermark)
    transform = Transform(200, 100, "png", watermark=Watermark("logo"))
    first = isolated(photo, transform, fallback=None).body
    assert isolated(photo, transform, fallback=None).body == first
    assert first != isolated(photo, Transform(200, 100, "png"), fallback=None).body
    assert [child.watermarks for child in counted.pool.idle if child.calls] == [{"logo"}]


def test_a_watermark_that_cannot_be_read_fails_the_render(make: Make, photo: bytes) -> None:
    counted = make()
    with pytest.raises(RenderFailed):
        renderer(counted)(photo, Transform(200, 100, "png", watermark=Watermark("logo")), fallback=None)
    assert not counted.events


def test_an_original_that_is_no_picture_leaves_the_child_as_it_is(make: Make, photo: bytes) -> None:
    counted = make()
    isolated = renderer(counted)
    for _ in range(3):
        with pytest.raises(SourceUnsupported):
            isolated(b"no picture", SMALL, fallback=None)
    with pytest.raises(SourceBroken):
        isolated(photo[:1000], SMALL, fallback=None)
    assert isolated(photo, SMALL, fallback=None).format == "webp"
    assert counted.events == {"started": 2}, "one for the calls, and a spare one"


# ------------------------------------------------------------------------------------------------- calls that take long


def test_a_render_that_takes_too_long_is_over_at_its_deadline_and_the_next_one_finds_a_child(
    make: Make, photo: bytes
) -> None:
    counted = make()
    slow = Transform(5000, 5000, "png", blur=100)
    with pytest.raises(RenderTimeout):
        renderer(counted, AT_ONCE)(photo, slow, fallback=None)
    assert renderer(counted)(photo, SMALL, fallback=None).format == "webp"


@pytest.mark.parametrize(
    "text",
    [
        "time.sleep(3600)",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); time.sleep(3600)",
        "signal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
        "channel.sendall(bytes(10)); time.sleep(3600)",
        "channel.shutdown(socket.SHUT_RD); time.sleep(3600)",
        "os.kill(os.getpid(), signal.SIGSTOP)",
    ],
    ids=["sleeps", "blocks signals", "computes", "drips", "reads nothing", "stops"],
)
def test_a_child_that_does_not_answer_is_killed_at_the_deadline(make: Make, text: str) -> None:
    counted = make(script(text))
    with pytest.raises(RenderTimeout):
        renderer(counted, AT_ONCE)(b"original", SMALL, fallback=None)
    assert counted.events["timeout"] == 1
    assert _calls_left(counted) == [0]


def test_a_child_whose_parent_is_stopped_ends_by_its_own_timer() -> None:
    """The kernel counts the time, so that a parent which cannot run leaves no child at work."""
    program = (
        "import os, signal, sys, threading\n"
        "from tests.support.processes import cpu_ticks\n"
        "from tests.support.render_children import setup, stalled\n"
        "from tests.support.waiting import eventually\n"
        "from thumbs.render.isolation.process import Child\n"
        "from thumbs.render.isolation.wire import Call, Work\n"
        "from thumbs.render.values import RenderLimits\n"
        "child, spare = (Child(stalled(), setup()) for _ in range(2))\n"
        "child.hello(), spare.hello()\n"
        "begun = cpu_ticks(child.pid)\n"
        "work = Work(RenderLimits(seconds=10))\n"  # on a busy machine it is long until one sees that it computes
        "threading.Thread(target=child.ask, args=(Call.RENDER, work, b'original'), daemon=True).start()\n"
        "eventually(lambda: cpu_ticks(child.pid) > begun)\n"  # it has read the call, and renders
        "os.kill(os.getpid(), signal.SIGSTOP)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program])
    try:
        _, status = os.waitpid(parent.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        # The spare child waits for its parent, the other one has ended.
        eventually(lambda: sum(lives(pid) for pid in children(parent.pid)) == 1)
    finally:
        spare = children(parent.pid)
        parent.kill()
        parent.wait(WAIT_SECONDS)
    eventually(lambda: not any(lives(pid) for pid in spare))


# ----------------------------------------------------------------------------------------------- children that are lost


@pytest.mark.parametrize(
    ("text", "error", "event"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", SourceBroken, "crash"),
        ("os.abort()", SourceBroken, "crash"),
        ("sys.exit(3)", SourceBroken, "crash"),
        ("os.kill(os.getpid(), signal.SIGKILL)", RendererUnavailable, "killed"),
        ("os.kill(os.getpid(), signal.SIGALRM)", RenderTimeout, "timeout"),
        ("channel.sendall(bytes(4096)); time.sleep(3600)", RenderFailed, "invalid"),
        ("wire.send_answer(channel, Answer(Outcome.BYTES, '', 0, 0, b'proxy'))", RenderFailed, "invalid"),
        ("wire.send_answer(channel, Answer(Outcome.TOO_SMALL, '', 0, 0, b''))", RenderFailed, "invalid"),
        (
            "wire.send_answer(channel, Answer(Outcome.PICTURE, 'png', 0, 0, b'\\x89PNG\\r\\n\\x1a\\n'))",
            RenderFailed,
            "invalid",
        ),
        ("wire.send_answer(channel, Answer(Outcome.PICTURE, 'webp', 0, 0, b'<svg>'))", RenderFailed, "invalid"),
    ],
    ids=[
        *("segmentation fault", "abort", "exit", "killed by the kernel", "ended by its timer", "says nonsense"),
        *("gives a proxy", "finds the proxy too small", "gives another format", "gives another format by another name"),
    ],
)
def test_a_child_that_gives_no_answer_is_one_failed_request(
    make: Make, text: str, error: type[ThumbError], event: str
) -> None:
    counted = make(script(text))
    with pytest.raises(ThumbError) as raised:
        renderer(counted)(b"original", SMALL, fallback=None)
    assert type(raised.value) is error
    assert counted.events[event] == 1
    assert _calls_left(counted) == [0], "the child is gone, and another one is ready"


def test_a_child_that_was_killed_while_it_waited_costs_no_request(make: Make, photo: bytes) -> None:
    counted = make()
    renderer(counted)(photo, SMALL, fallback=None)
    for child in counted.pool.idle:
        os.kill(child.pid, signal.SIGKILL)
        eventually(child.has_ended)
    assert renderer(counted)(photo, SMALL, fallback=None).format == "webp"


def test_a_child_is_replaced_after_many_calls(make: Make, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "MAX_CALLS", 3)
    counted = make()
    seen = set()
    for _ in range(7):
        renderer(counted)(photo, SMALL, fallback=None)
        seen |= {child.pid for child in counted.pool.idle if child.calls}
    assert counted.events["retired"] == 2
    assert len(seen) == 3
    eventually(lambda: sum(lives(pid) for pid in seen) <= 2)


def test_what_a_child_writes_is_logged_and_cut(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    counted = make(script("os.write(2, b'warning \\x1b[31m' * 100_000); sys.exit(1)"))
    with caplog.at_level(logging.DEBUG, "thumbs"), pytest.raises(SourceBroken):
        renderer(counted)(b"original", SMALL, fallback=None)
    lines = [record.getMessage() for record in caplog.records if "wrote" in record.getMessage()]
    assert len(lines) == 1
    assert "\x1b" not in lines[0]
    assert lines[0].count("warning") <= 1024 / len(b"warning \x1b[31m") + 1


def test_a_render_that_is_preempted_ends_at_once_and_blames_nothing(make: Make) -> None:
    counted = make(endless())
    raised: list[BaseException] = []

    def run() -> None:
        try:
            renderer(counted)(b"original", SMALL, fallback=None)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert thread.ident is not None
    eventually(lambda: counted.pool.preempt(thread.ident or 0))
    thread.join(WAIT_SECONDS)
    assert [type(error) for error in raised] == [Preempted]
    assert not counted.events.keys() & {"killed", "crash", "timeout"}
    assert not counted.pool.preempt(thread.ident), "there is nothing to end any more"


# --------------------------------------------------------------------------------------------------------------- memory


def test_a_render_that_takes_more_than_its_memory_is_the_fault_of_its_original(make: Make) -> None:
    """A picture that is trimmed is held in memory whole: 75 MB here, of which 64 are allowed."""
    counted = make(memory=64 * 1024 * 1024)
    large = encoded(quarters(5000, 5000), "JPEG")
    with pytest.raises(SourceBroken):
        renderer(counted)(large, Transform(1000, 1000, "png", trim=Trim(1)), fallback=None)
    assert counted.events["started"] == 2
    small = encoded(scene(300, 200), "JPEG")
    assert renderer(counted)(small, SMALL, fallback=None).format == "webp"


def test_the_limit_is_what_a_render_may_add(make: Make, photo: bytes) -> None:
    """What libraries hold before the first render does not count."""
    assert renderer(make(memory=64 * 1024 * 1024))(photo, SMALL, fallback=None).format == "webp"


def test_where_the_machine_refuses_memory_the_request_can_be_repeated(tmp_path: Path) -> None:
    """Under a limit on the address space of the whole server, as `ulimit -v` sets it."""
    (tmp_path / "photo.jpg").write_bytes(encoded(scene(5000, 5000), "JPEG"))
    program = (
        "import resource, sys\n"
        "from collections import Counter\n"
        "from tests.support.render_children import Counted, command, setup\n"
        "from thumbs.errors import ThumbError\n"
        "from thumbs.render.isolation.process import Child\n"
        "from thumbs.image.transforms import Transform, Trim\n"
        "from thumbs.render.isolation.renderer import IsolatedRenderer\n"
        "from thumbs.render.values import RenderLimits\n"
        "counted = Counted(command())\n"
        "render = IsolatedRenderer(counted.pool, RenderLimits(seconds=30), {}.__getitem__)\n"
        "data = open(sys.argv[1], 'rb').read()\n"
        "limit = Child(command(), setup()).hello().address_space + 30_000_000\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "outcomes = Counter()\n"
        "for _ in range(5):\n"
        "    try:\n"
        "        render(data, Transform(2000, 2000, 'png', trim=Trim(1)), fallback=None)\n"
        "        outcomes[200] += 1\n"
        "    except ThumbError as error:\n"
        "        outcomes[error.status] += 1\n"
        "print(*outcomes)\n"
    )
    outcomes = set(_printed(program, str(tmp_path / "photo.jpg")).split())
    assert "503" in outcomes
    assert outcomes <= {"200", "503"}, "the original is not to blame"


# ------------------------------------------------------------------------------------------- children that do not start


def test_a_child_that_cannot_be_started_is_said_once(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    counted = make(script("", ready=False))
    for _ in range(3):
        with pytest.raises(RendererUnavailable):
            renderer(counted)(b"original", SMALL, fallback=None)
    assert counted.pool.unavailable.since is not None
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "before it was ready" in errors[0]
    assert counted.events["started"] <= 3, "a child that cannot start is not started for each request"


def test_an_interpreter_that_is_missing_is_said_and_the_request_can_be_repeated(
    make: Make, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    counted = make(Command(str(tmp_path / "python"), ()))
    with pytest.raises(RendererUnavailable):
        renderer(counted)(b"original", SMALL, fallback=None)
    assert "cannot be started: No such file or directory" in caplog.text


def test_a_child_that_has_just_been_started_leaves_signals_to_its_parent() -> None:
    """A server that is stopped with its whole group of processes needs its children for the requests that it has."""
    child = Child(command(), setup())
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            os.kill(child.pid, number)
        assert child.hello().address_space > 0
    finally:
        child.end()


# --------------------------------------------------------------------------------------------------- what a child holds


def test_a_child_knows_no_secret_of_the_environment(make: Make, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("UPLOADS_SECRET", "hush")
    counted = make()
    renderer(counted)(photo, SMALL, fallback=None)
    for child in counted.pool.idle:
        assert b"hush" not in Path(f"/proc/{child.pid}/environ").read_bytes()


def test_a_forked_copy_of_the_parent_does_not_keep_its_children(make: Make, photo: bytes) -> None:
    counted = make()
    renderer(counted)(photo, SMALL, fallback=None)
    pids = [child.pid for child in counted.pool.idle]
    copy = os.fork()
    if copy == 0:  # pragma: no cover - another process
        time.sleep(3600)
        os._exit(0)
    try:
        for child in list(counted.pool.idle):
            child.close()
        eventually(lambda: not any(lives(pid) for pid in pids))
    finally:
        os.kill(copy, signal.SIGKILL)
        os.waitpid(copy, 0)


def test_children_start_where_the_standard_streams_are_closed(photo: bytes, tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "for descriptor in (0, 1, 2): os.close(descriptor)\n"
        "from tests.support.render_children import Counted, command\n"
        "from thumbs.render.isolation.renderer import IsolatedRenderer\n"
        "from thumbs.render.values import RenderLimits\n"
        "from thumbs.image.transforms import Transform\n"
        "render = IsolatedRenderer(Counted(command()).pool, RenderLimits(seconds=30), {}.__getitem__)\n"
        "data = open(sys.argv[1], 'rb').read()\n"
        "bodies = [render(data, Transform(40, 30, 'webp', 80), fallback=None).body for _ in range(3)]\n"
        "open(sys.argv[2], 'wb').write(bodies[0])\n"
    )
    (tmp_path / "photo.jpg").write_bytes(photo)
    _printed(program, str(tmp_path / "photo.jpg"), str(tmp_path / "made"))
    assert (tmp_path / "made").read_bytes() == Renderer().render(photo, SMALL, LIMITS).body


def _calls_left(counted: Counted) -> list[int]:
    return [child.calls for child in counted.pool.idle]


def _printed(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, timeout=WAIT_SECONDS
    )
    return done.stdout.strip()
