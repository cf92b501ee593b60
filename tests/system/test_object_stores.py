"""The contract of object stores: what the layer needs of each, on real servers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import object_layers
from tests.support.bucket_front import bucket_front
from tests.support.cache_layers import KEY, entry
from tests.support.clock import NOW, Clock
from tests.support.object_layers import SECONDS, bucket_store, object_layer, s3_storage
from tests.support.source_fixtures import Put
from thumbs.cache.objects.alone import SharingObjectLayer
from thumbs.errors import StorageFailed
from thumbs.sources.object_store import ObjectStore
from thumbs.sources.reading import Deadline
from thumbs.sources.storages.object_stores import store_of


@pytest.fixture(params=object_layers.KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    with object_layers.opened(str(request.param), request, tmp_path) as open_store:
        made = open_store()
        assert made is not None
        yield made
        made.close()


def soon() -> Deadline:
    return Deadline(SECONDS)


def test_a_store_keeps_lists_and_removes_objects(store: ObjectStore) -> None:
    keys = ["a/1", "a/2", "a~b/1", "ab/1"]
    for key in keys:
        store.put(key, key.encode(), soon())
    store.put("a/1", b"", soon())
    assert [store.get(key, soon()) for key in (*keys, "a", "a/", "nothing")] == [
        *(b"", b"a/2", b"a~b/1", b"ab/1"),
        *(None, None, None),
    ]
    assert store.page("a/", "", soon()) == ["a/1", "a/2"]
    assert store.page("a", "", soon()) == sorted(keys)
    assert store.page("a", "a/1", soon()) == sorted(keys)[1:]
    assert store.page("a", "a/1zzz", soon()) == sorted(keys)[1:]
    assert store.page("a/", "a/2", soon()) == []
    assert store.page("nothing/", "", soon()) == []
    store.delete(["a/1", "a/2", "nothing"], soon())
    store.delete([], soon())
    assert store.page("a", "", soon()) == ["ab/1", "a~b/1"]


def test_of_all_that_write_a_new_object_at_once_one_does(store: ObjectStore, request: pytest.FixtureRequest) -> None:
    if request.node.callspec.params["store"] in ("google", "google below"):
        pytest.skip("the emulator ignores conditions; `google-conditions` does not")
    for number in range(3):
        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(lambda turn, n=number: store.put_new(f"lease/{n}", b"%d" % turn, soon()), range(8)))
        assert sorted(got) == [False] * 7 + [True]
        assert store.get(f"lease/{number}", soon()) == b"%d" % got.index(True)
    store.delete(["lease/0"], soon())
    assert store.put_new("lease/0", b"again", soon())


def test_a_bucket_that_is_not_there_is_a_failure_and_no_miss(moto: str) -> None:
    store = bucket_store(moto, "no-such-bucket")
    for call in (
        lambda: store.get("key", soon()),
        lambda: store.put("key", b"data", soon()),
        lambda: store.put_new("key", b"data", soon()),
        lambda: store.page("", "", soon()),
        lambda: store.delete(["key"], soon()),
    ):
        with pytest.raises(StorageFailed):
            call()
    store.close()


@pytest.mark.parametrize("kind", ["s3", "storage-s3"])
def test_a_store_that_wants_the_md5_of_deletions_is_emptied(moto: str, bucket: tuple[str, Put], kind: str) -> None:
    with bucket_front(moto) as front:
        front.wants_md5 = True
        name = bucket[0]
        store = bucket_store(front.url, name) if kind == "s3" else store_of(s3_storage(front.url, name, ""))
        layer = object_layer(lambda: store, Clock(), kind=SharingObjectLayer)
        assert isinstance(layer, SharingObjectLayer)
        assert store is not None
        assert layer.lease(KEY)
        layer.end_lease(KEY)
        layer.put(KEY, entry(), NOW + 300)
        layer.put(f"{KEY}-other", entry(), NOW + 300)
        layer.delete(KEY)
        layer.clear()
        (left,) = store.page("", "", soon())
        assert "purged" in left
        layer.close()
