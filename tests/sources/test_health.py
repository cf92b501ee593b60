"""What an error of one original says of its storage, and what background probes find."""

import errno
import logging
import threading
from collections.abc import Callable
from functools import partial

import pytest

from tests.support.clock import Clock
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import (
    ServerExhausted,
    SourceDenied,
    SourceMissing,
    StorageDenied,
    StorageFailed,
    StorageTimeout,
    ThumbError,
)
from thumbs.sources.health import INTERVAL_SECONDS, State, StorageHealth
from thumbs.sources.source import Original, Version


class Bucket:
    """A storage that answers with `listing` to its probe, and with what `keys` has to a read. Others are missing."""

    def __init__(self) -> None:
        self.listing: Exception | None = None
        self.keys: dict[str, Exception | bytes] = {"tom.jpg": b"cat"}
        self.empty = False
        self.probes = 0
        self.gate = threading.Event()
        self.gate.set()

    def read(self, path: str) -> Original:
        return Original(self._found(path), Version("v1", None))

    def version(self, path: str) -> Version:
        self._found(path)
        return Version("v1", None)

    def ready(self) -> None:
        raise AssertionError("it can be probed")

    def probe(self) -> None:
        self.probes += 1
        assert self.gate.wait(WAIT_SECONDS)
        if self.listing is not None:
            raise self.listing

    def is_empty(self) -> bool:
        return self.empty

    def _found(self, path: str) -> bytes:
        found = self.keys.get(path, SourceMissing())
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


def error_of(health: StorageHealth, call: Callable[[str], object], path: str) -> type[ThumbError]:
    with pytest.raises(ThumbError) as caught:
        health.checked(call, path)
    return type(caught.value)


def test_what_can_be_read_is_returned(bucket: Bucket) -> None:
    health = StorageHealth("photos", bucket)
    assert health.checked(bucket.read, "tom.jpg").data == b"cat"
    assert health.state is State.REACHABLE
    assert bucket.probes == 0


def test_one_denied_original_of_a_storage_that_answers_its_probe_is_denied_alone(bucket: Bucket) -> None:
    bucket.keys["secret.jpg"] = SourceDenied()
    health = StorageHealth("photos", bucket)
    assert [error_of(health, bucket.read, "secret.jpg") for _ in range(3)] == [SourceDenied] * 3
    assert bucket.probes == 1  # its result holds for a while
    assert health.state is State.REACHABLE


def test_a_storage_whose_probe_is_denied_as_well_has_failed(bucket: Bucket) -> None:
    bucket.keys["secret.jpg"] = bucket.listing = SourceDenied()
    health = StorageHealth("photos", bucket)
    assert error_of(health, bucket.version, "secret.jpg") is StorageDenied
    assert health.state is State.DENIED


def test_the_log_names_the_cause_of_a_denial(bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    bucket.keys["secret.jpg"] = bucket.listing = SourceDenied()
    bucket.listing.__cause__ = OSError("AccessDenied")
    health = StorageHealth("photos", bucket)
    with caplog.at_level(logging.WARNING, "thumbs"):
        error_of(health, bucket.version, "secret.jpg")
    [message] = caplog.messages
    assert message.startswith("storage photos denies access, also to its probe: OSError('AccessDenied')")


@pytest.mark.parametrize("found", [b"probe", SourceMissing()])
def test_where_listing_is_denied_the_probe_key_decides(bucket: Bucket, found: Exception | bytes) -> None:
    bucket.keys |= {"secret.jpg": SourceDenied(), "probe.jpg": found}
    bucket.listing = SourceDenied()
    health = StorageHealth("photos", bucket, probe_key="probe.jpg")
    assert error_of(health, bucket.read, "secret.jpg") is SourceDenied


def test_a_denied_probe_key_is_a_denied_storage(bucket: Bucket) -> None:
    bucket.keys |= {"secret.jpg": SourceDenied(), "probe.jpg": SourceDenied()}
    bucket.listing = SourceDenied()
    assert error_of(StorageHealth("photos", bucket, probe_key="probe.jpg"), bucket.read, "secret.jpg") is StorageDenied


def test_without_a_probe_key_the_last_original_that_was_read_decides(bucket: Bucket, clock: Clock) -> None:
    bucket.keys["secret.jpg"] = bucket.listing = SourceDenied()
    health = StorageHealth("photos", bucket, clock=clock)
    health.checked(bucket.read, "tom.jpg")
    assert error_of(health, bucket.read, "secret.jpg") is SourceDenied
    bucket.keys["tom.jpg"] = SourceDenied()  # the right to read was withdrawn
    clock.now += INTERVAL_SECONDS
    assert error_of(health, bucket.read, "secret.jpg") is StorageDenied


def test_a_missing_original_is_missing_unless_the_storage_is_empty_and_its_caches_are_not(bucket: Bucket) -> None:
    for empty, cached, expected in (
        (False, False, SourceMissing),
        (False, True, SourceMissing),
        (True, False, SourceMissing),
        (True, True, StorageFailed),
    ):
        bucket.empty = empty
        health = StorageHealth("photos", bucket, holds_entries=partial(bool, cached))
        assert error_of(health, bucket.version, "none.jpg") is expected


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_process_that_is_out_of_descriptors_or_memory_says_so(bucket: Bucket, number: int) -> None:
    failure = StorageFailed()
    failure.__cause__ = RuntimeError("a client's own error")
    failure.__cause__.__context__ = OSError(number, "no more")
    bucket.keys["tom.jpg"] = failure
    assert error_of(StorageHealth("photos", bucket), bucket.read, "tom.jpg") is ServerExhausted


def test_a_probe_that_gets_no_thread_says_nothing_of_the_storage(bucket: Bucket) -> None:
    health = StorageHealth("photos", bucket)
    health.checked(bucket.read, "tom.jpg")
    bucket.listing = bucket.keys["tom.jpg"] = ServerExhausted()
    assert error_of(health, bucket.read, "tom.jpg") is ServerExhausted
    ended = health._start_probe()
    assert ended is not None
    assert ended.wait(WAIT_SECONDS)
    assert health.state is State.REACHABLE


@pytest.mark.parametrize("failure", [StorageFailed(), StorageTimeout()])
def test_other_failures_stay_what_they_are_and_a_probe_is_due_at_once(bucket: Bucket, failure: ThumbError) -> None:
    health = StorageHealth("photos", bucket)
    health.checked(bucket.read, "tom.jpg")
    bucket.keys["tom.jpg"] = failure
    assert error_of(health, bucket.read, "tom.jpg") is type(failure)
    health.probe_if_due()
    eventually(lambda: bucket.probes == 1)


def test_a_read_that_succeeds_makes_a_probe_unnecessary(bucket: Bucket, clock: Clock) -> None:
    health = StorageHealth("photos", bucket, clock=clock)
    for _ in range(3):
        health.checked(bucket.read, "tom.jpg")
        clock.now += INTERVAL_SECONDS - 0.1
        health.probe_if_due()
    assert bucket.probes == 0
    clock.now += 0.1
    health.probe_if_due()
    eventually(lambda: bucket.probes == 1)


def test_a_change_is_logged_and_reported_once(bucket: Bucket, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    told: list[bool] = []
    health = StorageHealth("photos", bucket, report=told.append, clock=clock)

    def ended(count: int) -> bool:
        return bucket.probes == count and health._probe is None

    def probed(times: int) -> None:
        before = bucket.probes
        for number in range(times):
            clock.now += INTERVAL_SECONDS
            health.probe_if_due()
            eventually(partial(ended, before + number + 1))

    with caplog.at_level(logging.WARNING, "thumbs"):
        probed(2)
        bucket.listing = OSError(5, "Input/output error")
        probed(3)
        bucket.listing = None
        probed(2)
    assert told == [True, False, True]
    assert caplog.messages == [
        "storage photos cannot be reached: OSError(5, 'Input/output error')",
        "storage photos can be reached again",
    ]


def test_a_failure_is_logged_with_its_cause_though_another_thread_asks_meanwhile(
    bucket: Bucket, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Interrupted(StorageHealth):
        """Whose other thread asks as soon as a failure is known."""

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if name == "_state" and value is State.FAILED:
                asking.start()
                asking.join(0.2)  # it may have to wait

    health = Interrupted("photos", bucket, clock=clock)
    asking = threading.Thread(target=health._tell)
    with caplog.at_level(logging.WARNING, "thumbs"):
        health._found(State.FAILED, OSError(5, "Input/output error"))
        asking.join(WAIT_SECONDS)
    assert caplog.messages == ["storage photos cannot be reached: OSError(5, 'Input/output error')"]


def test_a_probe_that_hangs_counts_as_failed_and_is_not_joined_by_others(bucket: Bucket, clock: Clock) -> None:
    bucket.gate.clear()
    told: list[bool] = []
    health = StorageHealth("photos", bucket, report=told.append, clock=clock)
    try:
        for _ in range(3):
            health.probe_if_due()
            clock.now += INTERVAL_SECONDS
            health.probe_if_due()
            assert health.state is State.FAILED
        eventually(lambda: bucket.probes > 0)
        assert (bucket.probes, told) == (1, [False])
    finally:
        bucket.gate.set()
    eventually(lambda: health.state is State.REACHABLE)
