"""What a child does with each call, and how it locks itself down. It runs in this process, and nothing is locked."""

import ctypes
import io
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

import thumbs.render.renderer
import thumbs.render.watermarks
from thumbs.errors import RenderFailed, SizeOverLimit, SourceOverMemory, ThumbError
from thumbs.image.description import Description
from thumbs.image.encoding import Encoding
from thumbs.image.transforms import Transform
from thumbs.render.isolation import child, descriptions, lockdown, priority, wire
from thumbs.render.isolation.wire import Answer, Call, Hello, Outcome, Setup, Work
from thumbs.render.values import Picture, RenderLimits

LIMITS = RenderLimits(seconds=10.0)
TRANSFORM, FALLBACK = Transform(format="webp"), Transform(format="jpeg")
WORK = Work(LIMITS, TRANSFORM, FALLBACK)
SETUP = Setup(frozenset({"jpeg"}), 2, Encoding(), 1000, frozenset({"landlock", "seccomp"}), niceness=7)
PICTURE = Picture(b"picture", "webp", 0.25)
DESCRIPTION = Description("webp", (6, 4), 1, 1, has_alpha=True, color_space="srgb", output=(3, 2))


@dataclass
class FakeRenderer:
    """`error` is raised by each call; `small` is what a proxy gives. The clock moves by a second in each call."""

    error: BaseException | None = None
    small: Picture | None = PICTURE
    calls: list[tuple[object, ...]] = field(default_factory=list)
    now: float = 50.0

    def _done(self, *call: object) -> None:
        self.calls.append(call)
        self.now += 1.0
        if self.error is not None:
            raise self.error

    def render(self, data: bytes, transform: Transform, limits: RenderLimits, *, fallback: object) -> Picture:
        self._done("render", data, transform, limits, fallback)
        return PICTURE

    def describe(self, data: bytes, transform: Transform, limits: RenderLimits) -> Description:
        self._done("describe", data, transform, limits)
        return DESCRIPTION

    def make_proxy(self, data: bytes, limits: RenderLimits) -> bytes:
        self._done("make proxy", data, limits)
        return b"proxy"

    def render_proxy(self, data: bytes, transform: Transform, limits: RenderLimits, *, fallback: object) -> object:
        self._done("render proxy", data, transform, limits, fallback)
        return self.small


@dataclass
class Site:
    """A server with a fake renderer, its parent's end of the channel, and the timers that it sets."""

    server: child._Server
    parent: socket.socket
    renderer: FakeRenderer = field(default_factory=FakeRenderer)
    timers: list[tuple[int, float]] = field(default_factory=list)

    def ask(self, *calls: tuple[Call, Work, bytes]) -> list[Answer]:
        """Send the calls and the end of the channel; then the server runs, and its answers are read."""
        for call, work, data in calls:
            wire.send_call(self.parent, call, work, data, time.monotonic() + 30)
        self.parent.shutdown(socket.SHUT_WR)
        with pytest.raises(EOFError):
            self.server.run()
        return [wire.receive_answer(self.parent, time.monotonic() + 30) for _ in calls]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    parent, own = socket.socketpair()
    with parent, own:
        made = Site(child._Server(own, SETUP), parent)
        monkeypatch.setattr(made.server, "_renderer", made.renderer)
        monkeypatch.setattr(signal, "setitimer", lambda which, seconds: made.timers.append((which, seconds)))
        monkeypatch.setattr(child, "time", SimpleNamespace(perf_counter=lambda: made.renderer.now))
        yield made


# -------------------------------------------------------------------------------------------------------- calls


@pytest.mark.parametrize(
    ("call", "answer", "done"),
    [
        (
            Call.RENDER,
            Answer(Outcome.PICTURE, "webp", 1.0, 0.25, b"picture"),
            ("render", b"data", TRANSFORM, LIMITS, FALLBACK),
        ),
        (Call.MAKE_PROXY, Answer(Outcome.BYTES, "", 1.0, 0.0, b"proxy"), ("make proxy", b"data", LIMITS)),
        (
            Call.DESCRIBE,
            Answer(Outcome.BYTES, "", 1.0, 0.0, descriptions.pack(DESCRIPTION)),
            ("describe", b"data", TRANSFORM, LIMITS),
        ),
        (
            Call.RENDER_PROXY,
            Answer(Outcome.PICTURE, "webp", 1.0, 0.25, b"picture"),
            ("render proxy", b"data", TRANSFORM, LIMITS, FALLBACK),
        ),
    ],
)
def test_a_call_is_done_and_answered(site: Site, call: Call, answer: Answer, done: tuple[object, ...]) -> None:
    assert site.ask((call, WORK, b"data")) == [answer]
    assert site.renderer.calls == [done]


def test_a_proxy_that_is_too_small_says_so(site: Site) -> None:
    site.renderer.small = None
    assert site.ask((Call.RENDER_PROXY, WORK, b"")) == [Answer(Outcome.TOO_SMALL, "", 1.0, 0.0, b"")]


def test_calls_are_answered_one_after_another(site: Site) -> None:
    answers = site.ask((Call.RENDER, WORK, b"a"), (Call.MAKE_PROXY, WORK, b"b"))
    assert [answer.body for answer in answers] == [b"picture", b"proxy"]


def test_a_watermark_is_kept_for_later_renders(site: Site) -> None:
    assert site.ask((Call.WATERMARK, Work(LIMITS, name="logo"), b"file")) == [Answer(Outcome.BYTES, "", 0.0, 0.0, b"")]
    assert site.server._files == {"logo": b"file"}
    assert site.renderer.calls == []


@pytest.mark.parametrize("call", [Call.RENDER, Call.RENDER_PROXY])
def test_a_render_without_a_transform_fails(site: Site, call: Call) -> None:
    (answer,) = site.ask((call, Work(LIMITS), b""))
    assert type(answer.failure()) is RenderFailed
    assert site.renderer.calls == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (SizeOverLimit(), SizeOverLimit),
        (MemoryError(), SourceOverMemory),
        (ValueError("a mistake"), RenderFailed),
    ],
)
def test_an_error_is_answered_with_the_time_that_it_took(
    site: Site, capfd: pytest.CaptureFixture[str], error: Exception, expected: type[ThumbError]
) -> None:
    site.renderer.error = error
    (answer,) = site.ask((Call.RENDER, WORK, b""))
    assert type(answer.failure()) is expected
    assert answer.seconds == 1.0
    assert ("a mistake" in capfd.readouterr().err) is (expected is RenderFailed)


def test_a_traceback_that_cannot_be_written_is_no_failure(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise BlockingIOError

    monkeypatch.setattr(sys, "stderr", Full())
    site.renderer.error = ValueError()
    (answer,) = site.ask((Call.RENDER, WORK, b""))
    assert type(answer.failure()) is RenderFailed


def test_a_traceback_has_its_last_three_calls(capsys: pytest.CaptureFixture[str]) -> None:
    def deep(levels: int) -> None:
        if levels == 0:
            raise ValueError("deep")
        deep(levels - 1)

    try:
        deep(9)
    except ValueError:
        child._log_traceback()
    assert capsys.readouterr().err.count("  File ") == 3


def test_an_encoder_takes_no_longer_than_the_whole(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.renderer, "render", lambda *_, **__: Picture(b"x", "webp", 3.0))
    (answer,) = site.ask((Call.RENDER, WORK, b""))
    assert (answer.seconds, answer.encode_seconds) == (3.0, 3.0)


def test_the_kernel_ends_a_child_after_its_deadline_and_only_then(site: Site) -> None:
    site.ask((Call.RENDER, WORK, b""))
    assert site.timers == [
        (signal.ITIMER_REAL, pytest.approx(10.2)),
        (signal.ITIMER_PROF, pytest.approx(10.0 * 1.9 * 2)),
        (signal.ITIMER_REAL, 0),
        (signal.ITIMER_PROF, 0),
    ]


@pytest.mark.parametrize("is_idle", [True, False])
def test_memory_is_returned_after_a_second_without_a_call(
    site: Site, monkeypatch: pytest.MonkeyPatch, is_idle: bool
) -> None:
    done: list[tuple[object, ...]] = []

    class Poll:
        def register(self, channel: object, events: int) -> None:
            assert (channel, events) == (site.server._channel, select.POLLIN)

        def poll(self, *timeout: float) -> list[int]:
            done.append(("poll", *timeout))
            return [] if timeout and is_idle else [1]

    monkeypatch.setattr(select, "poll", Poll)
    monkeypatch.setattr(site.server, "_trim", lambda keep: done.append(("trim", keep)))
    site.ask()
    assert done == ([("poll", 1000.0), ("trim", 0), ("poll",)] if is_idle else [("poll", 1000.0)])


def test_without_glibc_nothing_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    server = child._Server(socket.socket(), SETUP)
    assert server._trim(0) is None
    server._channel.close()


def test_the_renderer_is_made_once_with_the_setup_and_the_watermarks_that_were_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[tuple[object, ...]] = []

    def make(*given: object) -> object:
        made.append(given)
        return object()

    monkeypatch.setattr(thumbs.render.renderer, "Renderer", make)
    monkeypatch.setattr(thumbs.render.watermarks, "Watermarks", lambda read, inputs: (read, inputs))
    with socket.socket() as channel:
        server = child._Server(channel, SETUP)
        assert made == []
        assert server.renderer() is server.renderer()
    ((inputs, concurrency, encoding, watermarks),) = made
    assert (inputs, concurrency, encoding) == (SETUP.inputs, 2, SETUP.encoding)
    read, formats = watermarks  # type: ignore[misc]
    server._files["logo"] = b"file"
    assert read("logo") == b"file"  # type: ignore[has-type]
    assert formats == SETUP.inputs  # type: ignore[has-type]


# ---------------------------------------------------------------------------------------------------- lock-down


@pytest.mark.parametrize("refused", [False, True])
def test_privileges_are_limited_as_far_as_the_system_lets(monkeypatch: pytest.MonkeyPatch, refused: bool) -> None:
    done: list[tuple[object, ...]] = []

    def record(*call: object) -> None:
        done.append(call)
        if refused:
            raise PermissionError

    monkeypatch.setattr(resource, "setrlimit", lambda *given: done.append(("limit", *given)))
    monkeypatch.setattr(priority, "lengthen_slice", lambda: done.append(("slice",)))
    monkeypatch.setattr(Path, "write_text", lambda path, text: record("write", str(path), text))
    child._limit_privileges()
    assert done == [
        ("limit", resource.RLIMIT_CORE, (0, 0)),
        ("slice",),
        ("write", "/proc/self/oom_score_adj", "500"),
    ]


@pytest.mark.parametrize(
    ("layers", "left_out", "bits"),
    [
        ({"landlock", "seccomp"}, set(), 3),
        ({"landlock"}, {"calls"}, 1),
        ({"seccomp"}, {"files", "fonts"}, 2),
        (set(), {"files", "fonts", "calls"}, 0),
    ],
)
def test_a_child_locks_itself_down_in_order_with_a_limit_above_what_it_has(
    monkeypatch: pytest.MonkeyPatch, layers: set[str], left_out: set[str], bits: int
) -> None:
    done: list[tuple[object, ...]] = []
    opened: list[int] = []
    inputs = frozenset({"jpeg"})

    def read(descriptor: int, _: int) -> bytes:
        opened.append(descriptor)
        assert os.readlink(f"/proc/self/fd/{descriptor}").endswith("/statm")  # noqa: PTH115
        assert not os.get_inheritable(descriptor)
        done.append(("read",))
        return b"90 80 70 60 0 50 0\n"

    for name, step in (("restrict_files", "files"), ("restrict_to_fonts", "fonts"), ("restrict_calls", "calls")):
        monkeypatch.setattr(lockdown, name, lambda given, step=step: done.append((step, given)))
    monkeypatch.setattr(lockdown, "import_renderer", lambda given: done.append(("import", given)))
    monkeypatch.setattr(lockdown, "warm_up", lambda *given: done.append(("warm", *given)))
    monkeypatch.setattr(priority, "lower", lambda by, threads: done.append(("nice", by, os.getpid() in threads)))
    monkeypatch.setattr(os, "read", read)
    monkeypatch.setattr(child, "_free_bytes", lambda: child._LEFT_FREE + 300)
    monkeypatch.setattr(resource, "setrlimit", lambda *given: done.append(("limit", *given)))
    setup = Setup(inputs, 2, Encoding(), 1000, frozenset(layers), niceness=7, outputs=frozenset({"jxl"}))
    page = resource.getpagesize()
    assert child._lock_down(setup) == Hello(bits, 90 * page)
    limit = 50 * page - 300 + 1000
    steps = [
        ("files", inputs),
        ("import", {"jpeg", "jxl"}),
        ("fonts", inputs),
        ("warm", inputs, 2, frozenset({"jxl"})),
        ("nice", 7, True),
        ("read",),
        ("limit", resource.RLIMIT_DATA, (limit, limit)),
        ("calls", inputs),
    ]
    assert done == [step for step in steps if step[0] not in left_out]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


@pytest.mark.parametrize("free", [0, 300, 50 * 1024 * 1024])
def test_a_render_may_add_all_of_its_memory_whatever_the_samples_have_left_free(
    monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    limits: list[tuple[int, int]] = []
    for name in ("restrict_files", "restrict_to_fonts", "restrict_calls", "import_renderer", "warm_up"):
        monkeypatch.setattr(lockdown, name, lambda *_: None)
    monkeypatch.setattr(priority, "lower", lambda *_: None)
    monkeypatch.setattr(os, "read", lambda *_: b"90 80 70 60 0 50 0\n")
    monkeypatch.setattr(child, "_free_bytes", lambda: free)
    monkeypatch.setattr(resource, "setrlimit", lambda _, given: limits.append(given))
    child._lock_down(Setup(frozenset({"jpeg"}), 1, Encoding(), 1000, frozenset()))
    allowed = 50 * resource.getpagesize() + 1000
    assert limits == [(allowed, allowed)]


def test_what_the_allocator_has_free_is_in_its_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    class Function:
        restype: object = None

        def __call__(self) -> SimpleNamespace:
            assert self.restype is child._AllocatorState
            return SimpleNamespace(fordblks=4242)

    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(mallinfo2=Function()))
    assert child._free_bytes() == 4242
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    assert child._free_bytes() == 0


# --------------------------------------------------------------------------------------------------------- main


class Ended(BaseException):
    """The process would have ended with this status."""


@pytest.fixture
def parent(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[socket.socket, int, list[tuple[object, ...]]]]:
    """The parent's end of a channel, the descriptor of the child's, and what `main` does."""
    mine, theirs = socket.socketpair()
    done: list[tuple[object, ...]] = []

    def end(status: int) -> None:
        raise Ended(status)

    def lock_down(setup: Setup) -> Hello:
        done.append(("lock", setup))
        return Hello(3, 4)

    monkeypatch.setattr(signal, "signal", lambda *given: done.append(given))
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *given: done.append(given))
    monkeypatch.setattr(child, "_limit_privileges", lambda: done.append(("limit",)))
    monkeypatch.setattr(child, "_lock_down", lock_down)
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(child, "socket", SimpleNamespace(socket=lambda fileno: {theirs.fileno(): theirs}[fileno]))
    with mine, theirs:
        yield mine, theirs.fileno(), done


def test_a_child_greets_serves_and_ends_with_its_parent(
    parent: tuple[socket.socket, int, list[tuple[object, ...]]],
) -> None:
    channel, descriptor, done = parent
    wire.send_setup(channel, SETUP)
    channel.shutdown(socket.SHUT_WR)
    with pytest.raises(Ended, match=r"^0$"):
        child.main(descriptor)
    assert wire.receive_hello(channel, time.monotonic() + 30) == Hello(3, 4)
    ignored = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTTIN", "SIGTTOU")
    assert done == [
        *((getattr(signal, name), signal.SIG_IGN) for name in ignored),
        (signal.SIGALRM, signal.SIG_DFL),
        (signal.SIGPROF, signal.SIG_DFL),
        (signal.SIG_SETMASK, ()),
        ("limit",),
        ("lock", SETUP),
    ]


def test_a_child_whose_parent_is_gone_before_its_setup_does_nothing(
    parent: tuple[socket.socket, int, list[tuple[object, ...]]],
) -> None:
    channel, descriptor, done = parent
    channel.close()
    child.main(descriptor)
    assert not [each for each in done if each[0] in ("limit", "lock")]


def test_a_child_whose_parent_is_gone_before_it_is_ready_ends(
    parent: tuple[socket.socket, int, list[tuple[object, ...]]],
) -> None:
    channel, descriptor, _ = parent
    wire.send_setup(channel, SETUP)
    channel.close()
    with pytest.raises(Ended, match=r"^0$"):
        child.main(descriptor)
