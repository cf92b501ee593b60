"""Each call of a source goes through the health of its storage, also the one that asks and reads by one request."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.fake_pipeline import FakeServer, FakeSource, cached, request
from tests.support.waiting import eventually
from thumbs.errors import SourceDenied
from thumbs.sources.health import State, StorageHealth
from thumbs.sources.source import Original, Unchanged, Version


class Closing(FakeSource):
    """After `close`, it denies everything, also its probe."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def read(self, path: str) -> Original:
        self._called("read")
        return super().read(path)

    def version(self, path: str) -> Version:
        self._called("version")
        return super().version(path)

    def ready(self) -> None:
        self._called("ready")

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.closed:
            raise SourceDenied


class Asking(Closing):
    """It reads by one request, if the original has changed."""

    def read_if_changed(self, _: str, __: Version) -> Original | Unchanged:
        self._called("read_if_changed")
        return Unchanged()


@pytest.mark.parametrize(("source", "call"), [(Closing, "version"), (Asking, "read_if_changed")])
@pytest.mark.parametrize("keeps_sources", [False, True])
def test_a_storage_that_denies_its_probe_too_has_failed_and_copies_stay(
    open_server: Callable[..., FakeServer], source: type[Closing], call: str, keeps_sources: bool
) -> None:
    closing = source()
    server = open_server(source=closing, stale=600, keeps_sources=keeps_sources)
    storages = server.thumbnailer.storages
    assert isinstance(storages, dict)
    health = StorageHealth("photos", closing)
    storages["photos"] = replace(storages["photos"], health=health)
    made = server.thumbnailer.answer(request())
    assert (made.status, health.state) == (200, State.REACHABLE)

    server.clock.now += 301
    closing.close()
    assert cached(server.thumbnailer.answer(request())) == (200, "STALE")
    eventually(lambda: health.state is State.DENIED)
    assert call in closing.calls
    eventually(lambda: server.observer.failures == [("photos", "storage-denied")])
    assert server.thumbnailer.answer(request()).body == made.body
    assert server.thumbnailer.answer(request("90x90/other.jpg")).status == 502
