"""The order in which a child locks itself down, and which files and calls each step leaves."""

import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from thumbs.render.isolation import lockdown
from thumbs.render.isolation.lockdown import Layers
from thumbs.render.isolation.sandbox import landlock, seccomp
from thumbs.render.isolation.sandbox.kernel import MissingLayer
from thumbs.render.isolation.sandbox.syscalls import X86_64

IMPORTS, FONTS = (Path("/imports"),), (Path("/fonts"),)
STEPS = [
    ("files", {"svg"}),
    ("import", {"svg"}),
    ("fonts", {"svg"}),
    ("warm", {"svg"}, 3, ()),
    ("calls", {"svg"}),
]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The steps of the lock-down, which are only recorded."""
    done: list[tuple[object, ...]] = []
    names = {
        "restrict_files": "files",
        "import_renderer": "import",
        "restrict_to_fonts": "fonts",
        "warm_up": "warm",
        "restrict_calls": "calls",
    }
    for function, name in names.items():
        monkeypatch.setattr(lockdown, function, lambda *given, name=name: done.append((name, *given)))
    return done


@pytest.mark.parametrize(
    ("layers", "left_out"),
    [
        (None, set()),
        (Layers(), set()),
        (Layers(landlock=False), {"files", "fonts"}),
        (Layers(seccomp=False), {"calls"}),
        (Layers(landlock=False, seccomp=False), {"files", "fonts", "calls"}),
    ],
)
def test_the_steps_come_in_order_without_those_of_a_layer_that_is_off(
    steps: list[tuple[object, ...]], layers: Layers | None, left_out: set[str]
) -> None:
    lockdown.lock_down({"svg"}, concurrency=3, layers=layers)
    assert steps == [step for step in STEPS if step[0] not in left_out]


def test_one_thread_of_libvips_is_the_default(steps: list[tuple[object, ...]]) -> None:
    lockdown.lock_down({"svg"})
    assert ("warm", {"svg"}, 1, ()) in steps


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (Layers(), ()),
        (Layers(landlock=False), ("landlock",)),
        (Layers(seccomp=False), ("seccomp",)),
        (Layers(landlock=False, seccomp=False), ("landlock", "seccomp")),
    ],
)
def test_the_layers_that_are_off_are_missing(layers: Layers, expected: tuple[str, ...]) -> None:
    assert layers.missing == expected


@pytest.mark.parametrize("absent", [set(), {"landlock"}, {"seccomp"}, {"landlock", "seccomp"}])
def test_a_layer_that_the_kernel_lacks_is_missing(monkeypatch: pytest.MonkeyPatch, absent: set[str]) -> None:
    errors = {name: MissingLayer(name, "none") for name in ("landlock", "seccomp")}

    def answer(name: str) -> int:
        if name in absent:
            raise errors[name]
        return 1

    monkeypatch.setattr(landlock, "abi", lambda: answer("landlock"))
    monkeypatch.setattr(seccomp, "architecture", lambda: answer("seccomp"))
    assert lockdown.missing() == {name: errors[name] for name in absent}
    assert set(lockdown.supported().missing) == absent


@pytest.fixture
def readable(monkeypatch: pytest.MonkeyPatch) -> list[list[Path]]:
    """What each call of Landlock leaves readable."""
    calls: list[list[Path]] = []

    def record(paths: Iterable[Path]) -> None:
        calls.append(list(paths))

    monkeypatch.setattr(landlock, "restrict", record)
    monkeypatch.setattr(lockdown, "import_paths", lambda: iter(IMPORTS))
    monkeypatch.setattr(lockdown, "font_paths", lambda: FONTS)
    return calls


def test_fonts_are_readable_only_for_drawings(readable: list[list[Path]]) -> None:
    lockdown.restrict_files({"svg", "jpeg"})
    lockdown.restrict_to_fonts({"svg", "jpeg"})
    lockdown.restrict_files({"jpeg"})
    lockdown.restrict_to_fonts({"jpeg"})
    assert readable == [[*IMPORTS, *FONTS], [*FONTS], [*IMPORTS], []]


def test_samples_of_the_inputs_are_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[tuple[object, object]] = []
    fake = SimpleNamespace(render_samples=lambda inputs, **given: rendered.append((inputs, given)))
    monkeypatch.setitem(sys.modules, "thumbs.render.isolation.warming", fake)
    lockdown.warm_up({"jpeg"}, 4, {"jxl"})
    assert rendered == [({"jpeg"}, {"concurrency": 4, "outputs": {"jxl"}})]


@pytest.mark.parametrize(
    ("inputs", "is_newfstatat", "expected"),
    [
        ({"jpeg"}, True, (False, False)),
        ({"jpeg"}, False, (False, False)),
        ({"svg"}, True, (True, True)),
        ({"svg"}, False, (True, False)),
    ],
)
def test_the_calls_that_fonts_need_are_allowed_only_for_drawings(
    monkeypatch: pytest.MonkeyPatch, inputs: set[str], is_newfstatat: bool, expected: tuple[bool, bool]
) -> None:
    done: list[object] = []
    monkeypatch.setattr(lockdown, "fstat_is_newfstatat", lambda: is_newfstatat)
    monkeypatch.setattr(lockdown, "allowed_calls", lambda *, fonts, fstat_is_newfstatat: (fonts, fstat_is_newfstatat))
    monkeypatch.setattr(lockdown, "compile_filter", lambda calls, architecture: (calls, architecture))
    monkeypatch.setattr(lockdown, "forbid_dumps", lambda: done.append("no dumps"))
    monkeypatch.setattr(seccomp, "architecture", lambda: X86_64)
    monkeypatch.setattr(seccomp, "install", done.append)
    lockdown.restrict_calls(inputs)
    assert done == ["no dumps", (expected, X86_64)]
