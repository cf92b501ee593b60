"""Leases of machines that share a bucket of Google Cloud Storage: uploads under `ifGenerationMatch=0`."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import remote_stores
from tests.support.cache_layers import KEY, bodies, entry
from tests.support.clock import NOW, Clock
from tests.support.google_server import GoogleServer, google_server
from tests.support.object_layers import object_layer
from thumbs.cache.objects.alone import SharingObjectLayer
from thumbs.sources.storages.object_stores import store_of

_LEASE = f"mage/photos~leases/{KEY}"


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleServer]:
    with google_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        yield server


def machine(clock: Clock) -> SharingObjectLayer:
    layer = object_layer(lambda: store_of(remote_stores.google_storage("")), clock, scope="photos")
    assert isinstance(layer, SharingObjectLayer)
    return layer


def test_one_machine_has_the_lease_until_its_entry_is_written(google: GoogleServer, clock: Clock) -> None:
    machines = [machine(clock) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda each: each.lease(KEY), machines))
    assert sorted(got) == [False, False, False, True]
    assert {query.get("ifGenerationMatch") for query in google.uploads} == {"0"}
    holder = machines[got.index(True)]
    holder.put(KEY, entry(), NOW + 300)
    assert "ifGenerationMatch" not in google.uploads[-1]  # an entry takes the place of another one
    holder.end_lease(KEY)
    assert _LEASE not in google.objects
    later = machine(clock)
    assert bodies(later.get(KEY)) == b"picture"
    assert later.lease(KEY)


def test_the_lease_of_a_machine_that_crashed_is_taken_over(google: GoogleServer, clock: Clock) -> None:
    assert machine(clock).lease(KEY)
    held = google.objects[_LEASE]
    assert not machine(clock).lease(KEY)
    clock.now += 10 + 60
    assert machine(clock).lease(KEY)
    assert google.objects[_LEASE].generation > held.generation
