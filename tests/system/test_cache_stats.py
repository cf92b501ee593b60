"""The hit ratio in a ledger is that of all processes together."""

import subprocess
import sys
from pathlib import Path

from tests.support import servers
from tests.support.waiting import WAIT_SECONDS
from thumbs.cache.filestore.directory import LEDGER
from thumbs.cache.filestore.ledger import stats_of
from thumbs.cache.filestore.store import FileStore

_READ_A_HUNDRED_TIMES = """
import sys, time
from thumbs.cache.filestore.store import FileStore
store = FileStore(sys.argv[1], max_bytes=None)
for number in range(98):
    assert store.get("a/b") is not None
assert store.get("a/none") is None
time.sleep(1.1)  # a process tells the ledger once a second
assert store.get_now("a/b") is not None and store.get("a/b") is not None
"""


def test_hits_are_counted_over_all_processes(tmp_path: Path) -> None:
    FileStore(tmp_path / "cache", max_bytes=None).set("a/b", b"data", expires=None)
    command = [sys.executable, "-c", _READ_A_HUNDRED_TIMES, str(tmp_path / "cache")]
    readers = [subprocess.Popen(command, cwd=servers.ROOT) for _ in range(4)]
    assert [reader.wait(WAIT_SECONDS) for reader in readers] == [0] * 4
    stats = stats_of(str(tmp_path / "cache" / LEDGER))
    assert (stats.hits, stats.stores, stats.hit_ratio) == (400, 1, 400 / 401)
