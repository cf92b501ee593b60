"""Whether a failure comes from a lack of memory: of the render's own, by its limit, or of the machine."""

import mmap
import resource

import pytest

from thumbs.errors import RenderFailed, SourceBroken, SourceOverLimit, SourceOverMemory, ThumbError
from thumbs.render.isolation.memory import is_large, judged, machine_is_short

MEMORY = 1000
MIB = 1024 * 1024


@pytest.mark.parametrize(("grown", "expected"), [(0, False), (250, False), (251, True), (1000, True)])
def test_a_child_is_large_above_a_quarter_of_its_memory(grown: int, expected: bool) -> None:
    assert is_large(grown, MEMORY) is expected


def test_the_quarter_is_of_whole_bytes() -> None:
    assert not is_large(250, 1003)


@pytest.mark.parametrize(
    ("error", "grown", "expected"),
    [
        (SourceBroken, 500, SourceBroken),
        (SourceBroken, 501, SourceOverMemory),
        (RenderFailed, 250, RenderFailed),
        (RenderFailed, 251, SourceOverMemory),
        (SourceOverMemory, 0, SourceOverMemory),
        (SourceOverLimit, 1000, SourceOverLimit),
    ],
)
def test_a_failure_of_a_child_that_has_grown_is_one_of_memory(
    error: type[ThumbError], grown: int, expected: type[ThumbError]
) -> None:
    given = error()
    found = judged(given, grown, MEMORY)
    assert type(found) is expected
    assert (found is given) is (error is expected)


def test_half_of_an_odd_number_of_bytes_is_rounded_down() -> None:
    assert type(judged(SourceBroken(), 500, 1001)) is SourceBroken


@pytest.mark.parametrize(("left", "expected"), [(128 * MIB - 1, True), (128 * MIB, False), (1024 * MIB, False)])
def test_a_machine_is_short_where_little_address_space_is_left(
    monkeypatch: pytest.MonkeyPatch, left: int, expected: bool
) -> None:
    peak = 4096 * MIB
    monkeypatch.setattr(resource, "getrlimit", lambda _: (peak + left, resource.RLIM_INFINITY))
    assert machine_is_short(peak) is expected


def test_the_limit_in_force_is_that_of_address_space(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {resource.RLIMIT_AS: (1, 1)}
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits[which])
    assert machine_is_short(0)


@pytest.mark.parametrize(("error", "expected"), [(OSError, True), (None, False)])
def test_without_a_limit_a_machine_is_short_when_it_refuses_memory(
    monkeypatch: pytest.MonkeyPatch, error: type[OSError] | None, expected: bool
) -> None:
    asked: list[tuple[int, int]] = []
    closed: list[bool] = []

    class Mapped:
        def __init__(self, descriptor: int, length: int) -> None:
            asked.append((descriptor, length))
            if error is not None:
                raise error

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    monkeypatch.setattr(mmap, "mmap", Mapped)
    assert machine_is_short(1 << 60) is expected
    assert asked == [(-1, 128 * MIB)]
    assert closed == ([] if error else [True])
