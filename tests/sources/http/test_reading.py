"""What responses become: originals, or the error that clients get."""

from collections.abc import Iterator

import pytest

from tests.support.origin_behaviors import DATA, DRIPPING, LARGE, REFUSED, WHOLE
from tests.support.origins import LOOPBACK, Origin, response, running_origin, source_of
from thumbs.errors import SourceDenied, StorageFailed, StorageTimeout
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.source import HttpSource


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with running_origin() as origin:
        yield origin


@pytest.fixture
def source(origin: Origin) -> Iterator[HttpSource]:
    source = _source(origin)
    yield source
    source.close()


def _source(origin: Origin, *, deadline: float = 20.0) -> HttpSource:
    base = f"http://127.0.0.1:{origin.port}/"
    return source_of(HttpSettings(base_url=base, allowed_networks=LOOPBACK), deadline=deadline)


@pytest.mark.parametrize("name", WHOLE)
def test_an_original_is_read_whole(name: str, origin: Origin, source: HttpSource) -> None:
    origin.answers["/a"] = WHOLE[name]
    data = source.read("a").data
    assert data == (LARGE[:-1] if name == "at the limit" else DATA)
    assert source.read("a").data == data


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_whole_original_is_an_error(name: str, origin: Origin, source: HttpSource) -> None:
    origin.answers["/a"], wanted = REFUSED[name]
    with pytest.raises(wanted) as found:
        source.read("a")
    assert isinstance(found.value, SourceDenied) == (wanted is SourceDenied)
    # The next request is answered by a connection that has nothing of this one.
    origin.answers["/b"] = response(DATA)
    assert source.read("b").data == DATA


@pytest.mark.parametrize("name", DRIPPING)
def test_an_origin_that_never_ends_is_a_timeout(name: str, origin: Origin) -> None:
    origin.answers["/a"] = DRIPPING[name]
    source = _source(origin, deadline=0.5)
    with pytest.raises(StorageTimeout):
        source.read("a")
    source.close()


def test_a_failure_says_for_how_long_it_stands(origin: Origin, source: HttpSource) -> None:
    for asked, seconds in (("", 5), ("1", 5), ("30", 30), ("100000", 60), ("never", 5)):
        origin.answers["/a"] = response(b"", "503 Busy", Retry_After=asked)
        with pytest.raises(StorageFailed) as found:
            source.read("a")
        assert found.value.remembered == seconds


def test_a_request_is_the_same_for_every_client(origin: Origin, source: HttpSource) -> None:
    origin.answers["/a%20b%3Fc"] = response(DATA)
    origin.requests.clear()
    source.read("a b?c")
    fields = dict(origin.requests[0].fields)
    assert fields.pop("user-agent").startswith("mage/")
    assert fields == {
        "host": f"127.0.0.1:{origin.port}",
        "accept": "image/jpeg, image/png, image/*;q=0.9, */*;q=0.5",
        "accept-encoding": "identity",
        "cdn-loop": "mage",
    }
