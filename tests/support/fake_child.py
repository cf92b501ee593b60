"""A `Child` without a process: it answers as a test says, and records what a pool does with it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from thumbs.errors import ThumbError
from thumbs.image.encoding import Encoding
from thumbs.render.isolation import pool, starts, wire
from thumbs.render.isolation.pool import ChildPool
from thumbs.render.isolation.process import ChildLost, Command, Loss
from thumbs.render.isolation.wire import Answer, Call, Hello, Outcome, Setup, Work

WEBP = b"RIFF\0\0\0\0WEBPVP8 "
PICTURE = Answer(Outcome.PICTURE, "webp", 0.5, 0.25, WEBP)
NOTHING = Answer(Outcome.BYTES, "", 0.0, 0.0, b"")
COMMAND = Command("python", ())
SETUP = Setup(frozenset({"jpeg"}), 1, Encoding(), 1000, frozenset())
Reply = Answer | ThumbError | Loss | BaseException | Callable[["FakeChild"], Answer]


class FakeChild:
    """`replies` are its next answers. Without one it answers with a picture, or with nothing to other calls."""

    def __init__(self, site: "FakeSite", number: int) -> None:
        self.site, self.number = site, number
        self.calls = 0
        self.working = self.preempted = self.is_large = self.is_slow = False
        self.watermarks: set[str] = set()
        self.replies: list[Reply] = []
        self.asked: list[tuple[Call, Work, bytes]] = []
        self.layers = 3
        self.start_error: BaseException | None = None
        self.written = ""
        self.peak = self.base = 0
        self.loss: Loss | None = None  # while it is idle
        self.gone = False
        self.ends = 0

    def hello(self) -> Hello:
        if self.start_error is not None:
            raise self.start_error
        return Hello(self.layers, self.base)

    def ask(self, call: Call, work: Work, data: bytes, slow: Callable[[], None] = lambda: None) -> Answer:
        if self.is_slow:
            slow()
        assert not self.ends, "an ended child gets no call"
        self.calls += 1
        self.working = True
        self.asked.append((call, work, data))
        try:
            return self._reply(call)
        finally:
            self.working = False

    def _reply(self, call: Call) -> Answer:
        self.site.during()
        usual = PICTURE if call in (Call.RENDER, Call.RENDER_PROXY) else NOTHING
        reply = self.replies.pop(0) if self.replies else usual
        if isinstance(reply, Loss):
            raise ChildLost(reply, self.peak)
        if isinstance(reply, ThumbError):
            return wire.failed(reply)
        if isinstance(reply, BaseException):
            raise reply
        return reply if isinstance(reply, Answer) else reply(self)

    def grown(self, peak: int) -> int:
        return peak - self.base

    def peak_address_space(self) -> int:
        return self.peak

    def stderr(self) -> str:
        written, self.written = self.written, ""
        return written

    def preempt(self) -> bool:
        self.preempted = self.preempted or self.working
        return self.preempted

    def has_ended(self) -> bool:
        return self.gone

    def stray(self) -> Loss | None:
        return self.loss

    def end(self) -> None:
        self.ends += 1


@dataclass
class FakeSite:
    """What is outside a pool: the children that it starts, the clock, and the machine's memory."""

    now: float = 1000.0
    is_short: bool = False
    children: list[FakeChild] = field(default_factory=list)
    prepare: Callable[[FakeChild], None] = lambda _: None
    during: Callable[[], object] = lambda: None  # is called in each call of a child
    refusals: list[BaseException] = field(default_factory=list)  # instead of the next children
    events: Counter[str] = field(default_factory=Counter)
    peaks: list[int] = field(default_factory=list)  # that were judged

    def start(self, command: Command, setup: Setup) -> FakeChild:
        assert (command, setup) == (COMMAND, SETUP)
        if self.refusals:
            raise self.refusals.pop(0)
        child = FakeChild(self, len(self.children))
        self.children.append(child)
        self.prepare(child)
        return child

    def monotonic(self) -> float:
        return self.now

    def machine_is_short(self, peak: int) -> bool:
        self.peaks.append(peak)
        return self.is_short

    def pool(self, *, places: int = 1, wanted: int = 0) -> ChildPool:
        return ChildPool(COMMAND, SETUP, places=places, wanted=wanted, count=lambda name: self.events.update([name]))

    @property
    def alive(self) -> list[int]:
        """The numbers of the children that were not ended."""
        return [child.number for child in self.children if not child.ends]


def fake_site(monkeypatch: pytest.MonkeyPatch) -> FakeSite:
    """Pools that are made from here on start these children, and have this clock."""
    site = FakeSite()
    monkeypatch.setattr(pool, "Child", site.start)
    monkeypatch.setattr(pool, "machine_is_short", site.machine_is_short)
    for module in (pool, starts, wire):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=site.monotonic))
    return site
