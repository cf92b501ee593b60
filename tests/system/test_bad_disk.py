"""A disk that is full, read-only or without inodes: an OSError for the caller, and nothing stays that is not whole."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ON_A_BAD_DISK = """
import errno, os, subprocess, sys
from pathlib import Path
from thumbs.cache.filestore.flock import lock, unlock
from thumbs.cache.filestore.store import FileStore

def mount(options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", root], check=True)

def refused(number, size=0):
    try:
        store.set(f"g{number}/x", bytes(size), expires=None)
    except OSError as error:
        return error.errno

root = Path(sys.argv[1])
store = FileStore(root, max_bytes=None)

mount("size=2m,mode=700")
assert store.set("good/x", b"good", expires=None)
codes = {refused(number, 100_000) for number in range(40)}
assert codes == {None, errno.ENOSPC}, codes
assert store.get("good/x").payload == b"good"
assert not list(root.rglob("*.tmp"))
assert store.usage().entries == len(list(root.rglob("*.entry")))
assert store.delete_group("g0") == 1
assert store.set("g0/x", bytes(50_000), expires=None)

subprocess.run(["mount", "-o", "remount,ro", root], check=True)
assert refused("new") == errno.EROFS
assert store.get("good/x").payload == b"good"
entry = next(iter(root.rglob("*.entry")))
assert store.get("missing/x") is None
subprocess.run(["mount", "-o", "remount,rw", root], check=True)
assert store.set("new/x", b"new", expires=None)
subprocess.run(["umount", root], check=True)

mount("nr_inodes=40,mode=700")
codes = {refused(number) for number in range(40)}
assert codes == {None, errno.ENOSPC}, codes
assert not list(root.rglob("*.tmp"))
assert store.usage().entries == len(list(root.rglob("*.entry"))) > 5
assert store.sweep().orphans == 0
print("well")
"""


AT_A_LIMIT = """
import resource, sys
from pathlib import Path
from thumbs.cache.filestore.trust import PrivateDirectory, PrivateFile
from thumbs.cache.purge.journal import PurgeJournal

def opened():
    return PurgeJournal(PrivateFile(PrivateDirectory(path.parent), path.name), keep=1000)

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

path = Path(sys.argv[1]) / "journal"
opened().append("first")
content = path.read_bytes()
limit(len(content) + 20)
try:
    opened().append("second" * 10)
except OSError as error:
    print(error.strerror)
assert path.read_bytes() == content
limit(resource.RLIM_INFINITY)
opened().append("third")
later = opened()
print(*[later.is_purged(group, 1) for group in ("first", "second" * 10, "third")])
"""


def test_a_purge_beyond_the_limit_of_a_files_size_fails_and_loses_no_other(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", AT_A_LIMIT, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("File too large\nTrue False True\n", "")


def run_in_a_namespace(program: str, path: Path) -> None:
    """Run `program`, which may mount a disk at `path` and prints "well" at its end."""
    namespace = [shutil.which("unshare") or "unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs a mount namespace of its own")
    done = subprocess.run(
        [*namespace, sys.executable, "-W", "error", "-c", program, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("well\n", "")


def test_a_full_or_read_only_disk_is_an_os_error_and_leaves_no_temporary(tmp_path: Path) -> None:
    run_in_a_namespace(ON_A_BAD_DISK, tmp_path)


ON_A_FULL_DISK = """
import errno, os, subprocess, sys, time
from pathlib import Path
from thumbs.cache.adapters import DiskLayer, MemoryLayer
from thumbs.cache.entry import Entry
from thumbs.cache.filestore.directory import JOURNAL
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.filestore.trust import PrivateDirectory, PrivateFile
from thumbs.cache.layers import Layers
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.cache.sieve import Sieve

root = Path(sys.argv[1])
store = FileStore(root, max_bytes=None)

def process():
    journal = PurgeJournal(PrivateFile(PrivateDirectory(root), JOURNAL), keep=1000)
    return Layers([MemoryLayer(Sieve(max_bytes=10**7, max_items=100)), DiskLayer(store)], purges=journal)

def fill():
    now = time.time()
    entry = Entry(bytes(100_000), "image/webp", '"tag"', None, 1, now, now + 500)
    for number in range(5):
        for layers in (here, there):
            layers.put(f"g{number}/x", entry)
    try:
        with (root / "lost+found").open("wb", buffering=0) as rest:
            while True:
                rest.write(bytes(4096))
    except OSError as error:
        assert error.errno == errno.ENOSPC
    return len(list(root.rglob("*.entry")))

subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", root], check=True)
here, there = process(), process()
assert fill() == 5
here.purge("g1")
assert len(list(root.rglob("*.entry"))) == 4
assert process().purged_since("g1/x", 1)
for path in (root / JOURNAL, root / "lost+found"):
    path.unlink()
assert fill() == 5
here.clear()
assert not list(root.rglob("*.entry"))
assert not here.failing
assert all(layers.purged_since("g2/x", 1) for layers in (here, process()))
print("well")
"""


def test_a_full_disk_is_cleared_although_the_journal_has_no_room(tmp_path: Path) -> None:
    run_in_a_namespace(ON_A_FULL_DISK, tmp_path)
