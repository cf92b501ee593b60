"""The contract of cache layers: every kind of layer keeps, finds and forgets entries alike."""

from collections.abc import Iterator

import pytest
from django.core.cache import caches

from tests.support import object_layers, remote_stores
from tests.support.cache_layers import KEY, bodies, disk, entry, memory
from tests.support.clock import NOW, Clock
from tests.support.object_layers import object_layer
from thumbs.cache.adapters import AliasLayer
from thumbs.cache.entry import INTERNAL, Entry
from thumbs.cache.layer import Layer
from thumbs.cache.layers import Layers

_KINDS = ("memory", "disk", "alias", *object_layers.KINDS)


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server, with a container for each test."""
    with remote_stores.azurite(tmp_path_factory.mktemp("azurite")) as connection:
        yield connection


@pytest.fixture(params=_KINDS)
def layer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Layer]:
    kind, directory = str(request.param), tmp_path_factory.mktemp("layer")
    if kind == "memory":
        yield memory(clock)
    elif kind == "disk":
        yield disk(directory / "cache", clock)
    elif kind == "alias":
        caches["default"].clear()
        yield AliasLayer(lambda: caches["default"], "photos", 1000, clock=clock)
    else:
        with object_layers.opened(kind, request, directory, azurite="azurite") as open_store:
            made = object_layer(open_store, clock)
            yield made
            made.close()


def layers_of(layer: Layer, clock: Clock) -> Layers:
    return Layers([layer], ttl=300, clock=clock)


def test_a_layer_gives_what_was_put_into_it_with_all_its_fields(layer: Layer, clock: Clock) -> None:
    made = entry(b"\x00\xffpicture" * 20_000, version=None)
    assert layer.get(KEY) is None
    layer.put(KEY, made, NOW + 300)
    found = layer.get(KEY)
    assert found is not None
    names = ("body", "content_type", "etag", "version", "modified", "created", "fresh_until", "headers")
    assert [getattr(found, name) for name in names] == [getattr(made, name) for name in names]


def test_a_layer_gives_the_entry_that_was_put_last(layer: Layer, clock: Clock) -> None:
    for body in (b"first", b"second"):
        layer.put(KEY, Entry(body, "image/webp", f'"{body.decode()}"', "v1", 1, clock.now, clock.now + 300), NOW + 300)
    assert bodies(layer.get(KEY)) == b"second"


def test_a_layer_forgets_one_entry_or_the_entries_of_one_original_or_all(layer: Layer, clock: Clock) -> None:
    keys = ["group/one", "group/two", "group2/one", "grou/one", "other/one"]
    for key in keys:
        layer.put(key, entry(key.encode()), NOW + 300)

    def left() -> list[str]:
        return [key for key in keys if layers_of(layer, clock).get(key) is not None]

    assert left() == keys
    layer.delete("group/one")
    layer.delete("group/nothing")
    assert left() == keys[1:]
    clock.now += 1
    layer.delete_group("group")
    layer.delete_group("nothing")
    assert left() == keys[2:]
    clock.now += 1
    layer.clear()
    assert left() == []
    assert layer.get("other/one") is None


def test_a_layer_takes_an_entry_that_was_made_after_its_purge(layer: Layer, clock: Clock) -> None:
    layer.put(KEY, entry(b"old"), NOW + 300)
    clock.now += 1
    layer.delete_group("group")
    clock.now += 100
    layer.put(KEY, entry(b"new", created=clock.now), clock.now + 300)
    assert bodies(layer.get(KEY)) == b"new"


def test_an_entry_is_found_by_no_other_key(layer: Layer, clock: Clock) -> None:
    layer.put(KEY, entry(), NOW + 300)
    for other in ("group/nam", "group/name2", "group/NAME", "name/group", "group/source", "group/"):
        assert layer.get(other) is None


def test_no_layer_serves_an_entry_past_its_lifetime(layer: Layer, clock: Clock) -> None:
    layers = layers_of(layer, clock)
    layer.put(KEY, entry(lives=300), NOW + 300)
    clock.now += 299
    assert bodies(layers.get(KEY)) == b"picture"
    clock.now += 1
    assert layers.get(KEY) is None


def test_a_layer_is_copied_upwards_from_with_the_time_left(layer: Layer, clock: Clock) -> None:
    layer.put(KEY, entry(lives=300), NOW + 300)
    above = memory(clock)
    Layers([above, layer] if layer.name != "memory" else [above], ttl=300, clock=clock).get(KEY)
    clock.now += 300
    assert above.get(KEY) is None


def test_an_original_is_never_found_under_the_key_of_a_thumbnail(layer: Layer, clock: Clock) -> None:
    if layer.name == "memory":
        pytest.skip("a process does not mistrust its own memory")
    original = Entry(b"original", INTERNAL, '""', "v1", 1, clock.now, clock.now + 300)
    layer.put(KEY, original, NOW + 300)
    assert layer.get(KEY) is None
