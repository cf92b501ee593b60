"""What a call in a pool of children returns and raises, by what the child answers. The children are no processes."""

import logging
import threading

import pytest

from tests.support.fake_child import NOTHING, PICTURE, WEBP, FakeChild, FakeSite, fake_site
from thumbs.errors import (
    Preempted,
    RendererUnavailable,
    RenderFailed,
    RenderTimeout,
    SizeOverLimit,
    SourceBroken,
    SourceOverMemory,
    ThumbError,
)
from thumbs.image.transforms import Transform
from thumbs.render.isolation.pool import MAX_CALLS, ChildPool
from thumbs.render.isolation.process import ChildLost, Loss
from thumbs.render.isolation.wire import Answer, Call, Outcome, Work
from thumbs.render.values import RenderLimits

AVIF = b"\0\0\0\x1cftypavif\0\0\0\0avif"
WORK = Work(RenderLimits(seconds=10.0), Transform(format="webp"), Transform(format="jpeg"))
LOGO = ("logo", b"logo's file")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> FakeSite:
    return fake_site(monkeypatch)


def render(pool: ChildPool, watermark: tuple[str, bytes] | None = None) -> Answer:
    return pool.run(Call.RENDER, WORK, b"original", watermark)


def used(site: FakeSite, pool: ChildPool) -> FakeChild:
    """The child of the first call, which was good; the next call gets it too."""
    assert render(pool) == PICTURE
    return site.children[0]


# ------------------------------------------------------------------------------------------------------ answers


def test_a_call_goes_to_a_child_and_its_answer_comes_back(site: FakeSite) -> None:
    assert render(site.pool()) == PICTURE
    assert site.children[0].asked == [(Call.RENDER, WORK, b"original")]


def picture(name: str, body: bytes, outcome: Outcome = Outcome.PICTURE) -> Answer:
    return Answer(outcome, name, 0.5, 0.25, body)


FALLBACK = picture("jpeg", b"\xff\xd8\xff\xe0")
TOO_SMALL = picture("", b"", Outcome.TOO_SMALL)
PROXY = picture("", b"proxy", Outcome.BYTES)
ONE_FORMAT = Work(WORK.limits, WORK.transform)


@pytest.mark.parametrize(
    ("call", "work", "answer"),
    [
        (Call.RENDER, WORK, PICTURE),
        (Call.RENDER, WORK, FALLBACK),
        (Call.RENDER, ONE_FORMAT, PICTURE),
        (Call.RENDER_PROXY, WORK, PICTURE),
        (Call.RENDER_PROXY, WORK, TOO_SMALL),
        (Call.MAKE_PROXY, WORK, PROXY),
        (Call.MAKE_PROXY, WORK, NOTHING),
    ],
)
def test_an_answer_of_the_right_kind_is_returned_and_the_child_kept(
    site: FakeSite, call: Call, work: Work, answer: Answer
) -> None:
    site.prepare = lambda child: child.replies.append(answer)
    pool = site.pool()
    assert pool.run(call, work, b"") == answer
    assert site.alive == [0, 1]
    assert site.events == {"started": 2}


@pytest.mark.parametrize(
    ("call", "work", "answer"),
    [
        (Call.RENDER, WORK, NOTHING),
        (Call.RENDER, WORK, TOO_SMALL),
        (Call.RENDER, WORK, picture("avif", AVIF)),
        (Call.RENDER, WORK, picture("webp", AVIF)),
        (Call.RENDER, WORK, picture("jpeg", WEBP)),
        (Call.RENDER, WORK, picture("webp", b"<html>")),
        (Call.RENDER, ONE_FORMAT, FALLBACK),
        (Call.RENDER_PROXY, WORK, NOTHING),
        (Call.MAKE_PROXY, WORK, PICTURE),
        (Call.MAKE_PROXY, WORK, TOO_SMALL),
    ],
)
def test_an_answer_of_another_kind_fails_the_call_and_ends_the_child(
    site: FakeSite, caplog: pytest.LogCaptureFixture, call: Call, work: Work, answer: Answer
) -> None:
    site.prepare = lambda child: child.replies.append(answer)
    pool = site.pool()
    with pytest.raises(RenderFailed):
        pool.run(call, work, b"")
    assert site.children[0].ends == 1
    assert site.events["invalid"] == 1
    assert site.events["retired"] == 0
    assert "an answer that is none to its call" in caplog.text


# ----------------------------------------------------------------------------------------------------- failures


def test_a_failure_is_raised_and_the_child_kept(site: FakeSite) -> None:
    pool = site.pool()
    used(site, pool).replies.append(SizeOverLimit())
    with pytest.raises(SizeOverLimit):
        render(pool)
    assert site.alive == [0, 1]
    assert site.peaks == []


@pytest.mark.parametrize("error", [SourceBroken, RenderFailed])
def test_a_doubtful_failure_of_a_child_that_has_not_grown_is_raised_and_the_child_kept(
    site: FakeSite, error: type[ThumbError]
) -> None:
    pool = site.pool()
    child = used(site, pool)
    child.replies.append(error())
    child.base, child.peak = 5000, 5250
    with pytest.raises(error):
        render(pool)
    assert site.peaks == [5250]
    assert site.alive == [0, 1]
    assert child.calls == 2


@pytest.mark.parametrize(
    ("error", "peak", "expected"),
    [
        (SourceBroken, 251, SourceBroken),
        (SourceBroken, 501, SourceOverMemory),
        (RenderFailed, 251, SourceOverMemory),
        (SourceOverMemory, 0, SourceOverMemory),
    ],
)
def test_a_failure_of_a_new_child_that_may_come_from_memory_retires_it(
    site: FakeSite, error: type[ThumbError], peak: int, expected: type[ThumbError]
) -> None:
    def prepare(child: FakeChild) -> None:
        child.replies.append(error())
        child.peak = peak

    site.prepare = prepare
    with pytest.raises(expected) as caught:
        render(site.pool())
    assert type(caught.value) is expected
    assert site.children[0].ends == 1
    assert site.events["retired"] == 1
    assert [child.calls for child in site.children] == [1, 0]


def test_a_doubtful_failure_of_a_large_child_is_tried_again_in_a_new_one_in_the_time_that_is_left(
    site: FakeSite,
) -> None:
    def fail(_: FakeChild) -> Answer:
        site.now += 4.0
        return Answer(Outcome.FAILED + 2, "", 0.0, 0.0, b"")  # SourceBroken

    pool = site.pool()
    child = used(site, pool)
    child.replies.append(fail)
    child.peak = 251
    assert render(pool) == PICTURE
    assert site.events["retired"] == 1
    assert child.ends == 1
    ((call, work, data),) = site.children[1].asked
    assert (call, data, work.transform, work.fallback) == (Call.RENDER, b"original", WORK.transform, WORK.fallback)
    assert work.limits.seconds == pytest.approx(6.0)


def test_a_crash_of_a_used_child_is_tried_again_in_a_new_one(site: FakeSite) -> None:
    pool = site.pool()
    used(site, pool).replies.append(Loss.CRASH)
    assert render(pool) == PICTURE
    assert site.events["crash"] == 1


def test_the_second_try_is_the_last_and_never_in_a_used_child(site: FakeSite) -> None:
    pool = site.pool()
    used(site, pool).replies.append(Loss.CRASH)
    pool.idle[0].calls = 1  # the spare
    site.prepare = lambda child: child.replies.append(Loss.CRASH)
    with pytest.raises(SourceBroken):
        render(pool)
    assert site.events["crash"] == 2
    assert not site.children[1].asked


def test_the_watermark_is_sent_again_to_the_child_of_the_second_try(site: FakeSite) -> None:
    pool = site.pool()
    used(site, pool).replies += [NOTHING, Loss.CRASH]
    render(pool, LOGO)
    assert [call for call, _, _ in site.children[1].asked] == [Call.WATERMARK, Call.RENDER]


def test_a_failure_on_a_machine_that_is_short_of_memory_is_no_verdict(site: FakeSite) -> None:
    pool = site.pool()
    child = used(site, pool)
    child.replies.append(SourceBroken())
    child.peak, site.is_short = 77, True
    with pytest.raises(RendererUnavailable):
        render(pool)
    assert site.peaks == [77]
    assert site.events == {"started": 2, "memory": 1}
    assert child.ends == 1


# ------------------------------------------------------------------------------------------------------- losses


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (Loss.TIMEOUT, RenderTimeout),
        (Loss.KILLED, RendererUnavailable),
        (Loss.CRASH, SourceBroken),
        (Loss.INVALID, RenderFailed),
    ],
)
def test_the_loss_of_a_new_child_is_counted_and_raised(site: FakeSite, loss: Loss, expected: type[ThumbError]) -> None:
    site.prepare = lambda child: child.replies.append(loss)
    with pytest.raises(expected) as caught:
        render(site.pool())
    assert type(caught.value) is expected
    assert site.events == {"started": 2, loss.name.lower(): 1}
    assert site.alive == [1]


@pytest.mark.parametrize("loss", [Loss.TIMEOUT, Loss.KILLED, Loss.INVALID])
def test_another_loss_of_a_used_child_is_not_tried_again(site: FakeSite, loss: Loss) -> None:
    pool = site.pool()
    used(site, pool).replies.append(loss)
    with pytest.raises(ThumbError):
        render(pool)
    assert not site.children[1].asked


def test_a_crash_on_a_machine_that_is_short_of_memory_is_no_verdict(site: FakeSite) -> None:
    def prepare(child: FakeChild) -> None:
        child.replies.append(Loss.CRASH)
        child.peak = 88

    site.prepare, site.is_short = prepare, True
    with pytest.raises(RendererUnavailable):
        render(site.pool())
    assert site.peaks == [88]


# -------------------------------------------------------------------------------------------------- preemption


def test_a_call_that_is_preempted_says_so_and_its_child_is_gone(site: FakeSite) -> None:
    pool = site.pool()

    def preempted(_: FakeChild) -> Answer:
        assert pool.preempt(threading.get_ident()) is True
        raise ChildLost(Loss.KILLED, 0)

    used(site, pool).replies.append(preempted)
    with pytest.raises(Preempted):
        render(pool)
    assert site.alive == [1]
    assert site.events == {"started": 2}


def test_a_child_that_answered_before_it_was_preempted_is_not_kept(site: FakeSite) -> None:
    pool = site.pool()

    def preempted(_: FakeChild) -> Answer:
        assert pool.preempt(threading.get_ident())
        return PICTURE

    used(site, pool).replies.append(preempted)
    assert render(pool) == PICTURE
    assert site.alive == [1]


def test_a_thread_without_a_call_cannot_be_preempted(site: FakeSite) -> None:
    pool = site.pool()
    assert pool.preempt(threading.get_ident()) is False
    render(pool)
    assert pool.preempt(threading.get_ident()) is False
    assert site.alive == [0, 1]


def test_a_child_that_works_no_more_cannot_be_preempted(site: FakeSite) -> None:
    pool = site.pool()
    found: list[bool] = []

    def idle(child: FakeChild) -> Answer:
        child.working = False
        found.append(pool.preempt(threading.get_ident()))
        return PICTURE

    used(site, pool).replies.append(idle)
    render(pool)
    assert found == [False]


# -------------------------------------------------------------------------------------------------- watermarks


def test_a_watermark_is_sent_to_a_child_once_and_before_the_render(site: FakeSite) -> None:
    pool = site.pool()
    for _ in range(2):
        assert render(pool, LOGO) == PICTURE
    asked = site.children[0].asked
    assert [call for call, _, _ in asked] == [Call.WATERMARK, Call.RENDER, Call.RENDER]
    assert asked[0][1:] == (Work(WORK.limits, name="logo"), b"logo's file")
    assert site.children[0].watermarks == {"logo"}


def test_the_time_for_a_watermark_is_part_of_that_for_the_render(site: FakeSite) -> None:
    def slow(_: FakeChild) -> Answer:
        site.now += 3.0
        return NOTHING

    site.prepare = lambda child: child.replies.append(slow)
    render(site.pool(), LOGO)
    assert site.children[0].asked[1][1].limits.seconds == pytest.approx(7.0)


@pytest.mark.parametrize("reply", [TOO_SMALL, PICTURE, RenderFailed()])
def test_a_child_that_does_not_take_a_watermark_is_ended(site: FakeSite, reply: Answer | ThumbError) -> None:
    site.prepare = lambda child: child.replies.append(reply)
    with pytest.raises(RenderFailed):
        render(site.pool(), LOGO)
    assert site.children[0].ends == 1
    assert site.children[0].watermarks == set()
    assert site.events["invalid"] == 1


# ------------------------------------------------------------------------------------- the age of a child, its log


@pytest.mark.parametrize(("calls", "is_kept"), [(MAX_CALLS - 2, True), (MAX_CALLS - 1, False)])
def test_a_child_is_retired_after_its_last_call(site: FakeSite, calls: int, is_kept: bool) -> None:
    pool = site.pool()
    child = used(site, pool)
    child.calls = calls
    assert render(pool) == PICTURE
    assert child.ends == (0 if is_kept else 1)
    assert site.events["retired"] == (0 if is_kept else 1)


def test_what_a_child_writes_is_logged_at_debug(site: FakeSite, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "thumbs")
    pool = site.pool()
    used(site, pool)
    assert not caplog.records
    site.children[0].written = "a\nwarning"
    render(pool)
    assert caplog.messages == [r"a render process wrote: 'a\nwarning'"]
    assert caplog.records[0].levelno == logging.DEBUG
