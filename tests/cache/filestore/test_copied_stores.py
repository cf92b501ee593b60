"""A store that is sent to another process works on the same directory, by the same caps."""

import pickle
from pathlib import Path

from thumbs.cache.filestore.store import FileStore


def test_a_copy_sees_the_entries_and_keeps_the_caps(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "cache", max_bytes=None, max_items=2)
    store.prepare()
    store.set("group/first", b"1", expires=None)
    copy: FileStore = pickle.loads(pickle.dumps(store))
    found = copy.get("group/first")
    assert found is not None
    assert bytes(found.payload) == b"1"
    for name in ("second", "third"):
        copy.set(f"group/{name}", b"2", expires=None)
    assert store.usage().entries == copy.usage().entries == 2
