"""Children for tests of their parent: real ones, and small ones that do not do what a child does."""

import sys
import textwrap
from collections import Counter
from dataclasses import dataclass

from thumbs.image.encoding import Encoding
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.render.isolation.pool import ChildPool
from thumbs.render.isolation.process import Command
from thumbs.render.isolation.wire import LAYER_BITS, Setup

MEMORY = 600 * 1024 * 1024
_HEAD = """
import os, signal, socket, sys, time
from thumbs.render.isolation import wire
from thumbs.render.isolation.wire import Answer, Call, Hello, Outcome

channel = socket.socket(fileno=int(sys.argv[1]))
wire.receive_setup(channel)
"""
_READY = """
wire.send_hello(channel, Hello(3, 0))
call, work, data = wire.receive_call(channel)
"""


@dataclass(frozen=True, slots=True)
class Script(Command):
    """A child that runs `text` in the place of the real one's program."""

    text: str = ""

    def line(self, descriptor: int) -> list[str]:
        return [
            self.python,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path[:] = {list(self.path)!r}\n{self.text}",
            str(descriptor),
        ]


def command() -> Command:
    return Command.of_this_process(sys.executable)


def script(text: str, *, ready: bool = True) -> Script:
    """A child that says that it is ready, reads one call, and then runs `text`."""
    program = _HEAD + (_READY if ready else "") + textwrap.dedent(text)
    return Script(sys.executable, command().path, program)


def endless() -> Script:
    """The real child, whose renders never end."""
    program = """
        import sys
        from thumbs.render.isolation import child

        def never(*_: object) -> None:
            while True:
                pass

        child._Server._answer = never
        child.main(int(sys.argv[1]))
    """
    return Script(sys.executable, command().path, textwrap.dedent(program))


def stalled() -> Script:
    """The real child, whose renders never end either: they compute for a moment, and wait."""
    program = """
        import sys, time
        from thumbs.render.isolation import child

        def never(*_: object) -> None:
            end = time.process_time() + 0.2
            while time.process_time() < end:
                pass
            while True:
                time.sleep(60)

        child._Server._answer = never
        child.main(int(sys.argv[1]))
    """
    return Script(sys.executable, command().path, textwrap.dedent(program))


def setup(*, inputs: tuple[str, ...] = DEFAULT_INPUTS, memory: int = MEMORY) -> Setup:
    return Setup(frozenset(inputs), 1, Encoding(), memory, frozenset(LAYER_BITS))


class Counted:
    """A pool whose events are counted. Close it at the end."""

    def __init__(self, started: Command, **options: object) -> None:
        self.events: Counter[str] = Counter()
        places = options.pop("places", 1)
        self.pool = ChildPool(
            started,
            setup(**options),  # type: ignore[arg-type]
            places=places,  # type: ignore[arg-type]
            count=lambda event: self.events.update([event]),
        )
