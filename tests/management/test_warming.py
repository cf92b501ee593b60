"""The warmer: the largest variant first, stale thumbnails until they are renewed, and why one is not stored."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tests.support.fake_pipeline import FakeServer, open_server
from thumbs.errors import BadPath, SourceMissing
from thumbs.management import warming
from thumbs.management.warming import CACHED, FAILED, MADE, Variant, Warmer

__all__ = ["open_server"]

Open = Callable[..., FakeServer]


@pytest.fixture(autouse=True)
def _links(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thumbnailer of the test is not that of the process, which signs the URLs of a site."""
    monkeypatch.setattr(warming, "signed", lambda storage, target: f"{storage}/thumbs/{target}")


def warmer(server: FakeServer, *sizes: str, jobs: int = 1) -> Warmer:
    return Warmer(server.thumbnailer, "photos", [Variant(size) for size in sizes], jobs=jobs)


def outcomes(made: Warmer, *paths: str) -> list[tuple[str, str, str, str]]:
    return [(each.path, str(each.variant), each.outcome, each.reason) for each in made.warm(paths)]


def test_the_largest_variant_of_each_original_is_made_first(open_server: Open) -> None:
    server = open_server()
    made = warmer(server, "9x9", "400x", "40x30", "x")
    assert outcomes(made, "a.jpg") == [
        *(("a.jpg", size, MADE, "") for size in ("400x", "x", "40x30", "9x9")),
    ]
    assert [transform.width for transform in server.renderer.rendered] == [400, None, 40, 9]
    assert {outcome for _, _, outcome, _ in outcomes(made, "a.jpg")} == {CACHED}
    assert len(server.renderer.rendered) == 4


def test_failures_have_the_sentence_of_the_answer(open_server: Open) -> None:
    made = warmer(open_server(), "9x9", jobs=2)
    assert sorted(outcomes(made, "none.jpg", "../a.jpg")) == [
        ("../a.jpg", "9x9", FAILED, BadPath.sentence),
        ("none.jpg", "9x9", FAILED, SourceMissing.sentence),
    ]


def test_paths_are_read_only_as_far_as_they_are_worked_on(open_server: Open) -> None:
    read: list[int] = []

    def paths() -> object:
        for number in range(1000):
            read.append(number)
            yield "a.jpg"

    results = warmer(open_server(), "9x9", jobs=2).warm(paths())  # type: ignore[arg-type]
    next(results)
    assert len(read) == 4
    results.close()
    assert len(read) == 4


def test_an_error_of_the_paths_is_passed_on(open_server: Open) -> None:
    def paths() -> object:
        yield "a.jpg"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(warmer(open_server(), "9x9").warm(paths()))  # type: ignore[arg-type]


def test_what_no_layer_stores_is_a_failure(open_server: Open) -> None:
    made = warmer(open_server(cache=[]), "9x9")
    reason = "It was made, but no cache stores it: it is too large, or the cache fails."
    assert outcomes(made, "a.jpg") == [("a.jpg", "9x9", FAILED, reason)]


# ------------------------------------------------------------------------------------------ stale thumbnails


class Time(SimpleNamespace):
    """A clock that moves only when the warmer waits."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.after(self.now)


def test_a_stale_thumbnail_that_is_not_renewed_in_the_time_of_a_request_is_a_failure(
    open_server: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = open_server(stale=1000.0, seconds=3.0)
    made = warmer(server, "9x9")
    assert outcomes(made, "a.jpg") == [("a.jpg", "9x9", MADE, "")]
    server.clock.now += 400
    server.source.gate.shut()  # its renewal hangs
    time = Time(after=lambda _: None)
    monkeypatch.setattr(warming, "time", time)
    assert outcomes(made, "a.jpg") == [("a.jpg", "9x9", FAILED, "It is stale, and was not renewed.")]
    assert time.now == pytest.approx(3.0, abs=0.06)


def test_a_stale_thumbnail_that_is_renewed_meanwhile_is_made(
    open_server: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = open_server(stale=1000.0, seconds=3.0)
    made = warmer(server, "9x9")
    assert outcomes(made, "a.jpg") == [("a.jpg", "9x9", MADE, "")]
    server.clock.now += 400
    server.source.gate.shut()

    def after(now: float) -> None:
        if now > 1.0:
            server.clock.now -= 400  # as fresh as a renewed one

    monkeypatch.setattr(warming, "time", Time(after=after))
    assert outcomes(made, "a.jpg") == [("a.jpg", "9x9", MADE, "")]
