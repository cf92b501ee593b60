"""What was purged is not served again by any machine with an object layer. `test_lifetimes` has the other endings."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.support.commands import local_storage
from tests.support.object_sites import Bucket, machine, objects
from tests.support.purging import purge
from tests.support.waiting import eventually


def test_an_object_that_is_written_after_its_purge_is_served_by_no_machine(
    moto: str, originals: Path, tmp_path: Path
) -> None:
    """A machine that is cut off from the bucket's feed, or was about to write, may put an object back."""
    root, bucket = tmp_path / "root", Bucket.made(moto)
    root.mkdir()
    shutil.copy(originals / "quarters.jpg", root / "purged.jpg")
    shutil.copy(originals / "quarters.jpg", root / "other.jpg")
    path = "kept/thumbs/90x60/purged.jpg"

    def storages(own: str) -> list[Mapping[str, object]]:
        cache = {
            "memory": {"enabled": True, "max_size_mb": 16},
            "disk": {"enabled": True, "dir": str(tmp_path / own / "caches")},
            "objects": objects(),
        }
        return [bucket.conf(), local_storage("kept", root, **cache)]

    with machine(tmp_path / "a", storages("a")) as one:
        assert one.get(path).status == 200
        eventually(lambda: len(bucket.keys("mage/kept/")) == 1)
        (key,) = bucket.keys("mage/kept/")
        data = bucket.read(key)
        (root / "purged.jpg").unlink()
        purge(tmp_path / "a", ["kept"], ["purged.jpg"])
        assert bucket.keys("mage/kept/") == []
        bucket.write(key, data)
        eventually(lambda: one.get(path).status == 404)
        for name in ("b", "c"):
            with machine(tmp_path / name, storages(name)) as later:
                assert {later.get(path).status for _ in range(3)} == {404}
        assert bucket.keys("mage/kept/") == [key]
