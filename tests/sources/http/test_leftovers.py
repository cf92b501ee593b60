"""Many reads of all behaviors of origins from 16 threads: each has its own outcome, and nothing of it is left."""

import gc
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.origin_behaviors import DATA, DRIPPING, LARGE, REFUSED, WHOLE
from tests.support.origins import LOOPBACK, Origin, running_origin, source_of
from tests.support.strategies import examples
from tests.support.waiting import LONG_WAIT_SECONDS, eventually
from thumbs.errors import StorageTimeout, ThumbError
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.source import HttpSource
from thumbs.sources.http.wire import Wire

ALL = [*WHOLE, *REFUSED]
ENDLESS = {f"endless: {name}": answer for name, answer in DRIPPING.items()}
PATHS = {name: f"{number}" for number, name in enumerate((*ALL, *ENDLESS))}
# Much work for both sides; once will do.
HEAVY = ("chunks of one byte", "trailers without end", "extensions without end", "a gzip bomb", "at the limit")
LIGHT = [name for name in ALL if name not in HEAVY and not name.startswith("over the limit")]
THREADS = 16


@pytest.fixture
def origin() -> Iterator[Origin]:
    answers = {**WHOLE, **{name: answer for name, (answer, _) in REFUSED.items()}, **ENDLESS}
    with running_origin() as origin:
        origin.answers |= {f"/{PATHS[name]}": answer for name, answer in answers.items()}
        yield origin


def _source(origin: Origin, deadline: float) -> HttpSource:
    base = f"http://127.0.0.1:{origin.port}/"
    # As many connections as threads: no read waits for another one, which may be one of those without end.
    settings = HttpSettings(
        base_url=base,
        allowed_networks=LOOPBACK,
        max_conns_per_host=THREADS,
        request_timeout_sec=LONG_WAIT_SECONDS,
        response_header_timeout_sec=LONG_WAIT_SECONDS,
    )
    return source_of(settings, deadline=deadline)


def _outcome(source: HttpSource, name: str) -> object:
    try:
        data = source.read(PATHS[name]).data
    except ThumbError as error:
        expected = _expected(name)
        return expected if isinstance(expected, type) and isinstance(error, expected) else repr(error.__cause__)
    return len(data) if data in (DATA, LARGE[:-1]) else data


def _expected(name: str) -> object:
    if name in WHOLE:
        return len(LARGE) - 1 if name == "at the limit" else len(DATA)
    return REFUSED[name][1] if name in REFUSED else StorageTimeout


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _read(source: HttpSource, names: list[str]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda name: _outcome(source, name), names))
    wrong = {name: each for name, each in zip(names, found, strict=True) if each != _expected(name)}
    assert wrong == {}, wrong


def test_nothing_of_any_behavior_is_left(origin: Origin) -> None:
    assert (len(PATHS) - len(WHOLE) - len(REFUSED) - len(DRIPPING), len(PATHS) >= 60) == (0, True)
    threads, descriptors = threading.active_count(), _descriptors()
    patient, hasty = _source(origin, LONG_WAIT_SECONDS), _source(origin, 0.3)
    _read(patient, ALL)
    _read(patient, [LIGHT[number % len(LIGHT)] for number in range(examples(1000))])
    _read(hasty, [*ENDLESS])
    patient.close()
    hasty.close()
    eventually(lambda: _descriptors() <= descriptors)
    eventually(lambda: threading.active_count() <= threads)
    gc.collect()
    assert not [each for each in gc.get_objects() if type(each) is Wire and each._socket.fileno() >= 0]
