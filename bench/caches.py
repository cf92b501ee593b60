"""`python -m bench.caches DIRECTORY` prints the tables of docs/caching.md: times of the disk cache, and hit ratios of
the memory cache.

DIRECTORY must be empty, and is empty afterwards. A million entries take about five gigabytes and ten minutes.
"""

import functools
import random
import shutil
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import median

from django.conf import settings
from django.core.cache.backends.filebased import FileBasedCache

from bench.table import markdown
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.sieve import ENTRY_BYTES, GROUP_BYTES, Sieve

_ENTRIES = (1_000, 10_000, 100_000, 1_000_000)
_DJANGO_ENTRIES = 10_000  # at most: it lists its directory at each `set`
_SAMPLES = 2_000
_PAYLOAD = bytes(1_000)
_THUMBNAILS_PER_ORIGINAL = 6
_PICTURES, _REQUESTS = 20_000, 200_000
_MEAN_BYTES = 32_000
Table = tuple[list[str], list[list[str]]]  # header, rows


class Lru:
    """The reference for SIEVE: least recently used, with the same cap and the same cost per entry."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self.costs: OrderedDict[str, int] = OrderedDict()

    def get(self, key: str) -> bool:
        if key in self.costs:
            self.costs.move_to_end(key)
            return True
        return False

    def set(self, key: str, size: int) -> None:
        cost = size + ENTRY_BYTES + GROUP_BYTES + sys.getsizeof(key)
        while self.costs and self.bytes + cost > self.max_bytes:
            self.bytes -= self.costs.popitem(last=False)[1]
        self.costs[key] = cost
        self.bytes += cost


def zipf_with_scans(requests: int, *, pictures: int, skew: float, seed: int) -> list[str]:
    """Keys requested with probability ~ 1 / rank^skew; every 20,000 requests, a crawler requests 4,000 others once."""
    chance = random.Random(seed)
    weights = [1 / rank**skew for rank in range(1, pictures + 1)]
    trace = [f"p/{number}" for number in chance.choices(range(pictures), weights, k=requests)]
    for start in range(20_000, requests, 20_000):
        trace[start:start] = [f"scan/{start + number}" for number in range(4000)]
    return trace


@functools.cache
def _size_of(key: str) -> int:
    return random.Random(key).randrange(4_000, 2 * _MEAN_BYTES - 4_000)


def hit_ratios(trace: Iterable[str], *, max_bytes: int) -> tuple[float, float]:
    """The hit ratios of SIEVE and of LRU; pictures have 4 to 60 kB."""
    sieve, lru = Sieve(max_bytes=max_bytes, max_items=1 << 40), Lru(max_bytes)
    count = sieve_hits = lru_hits = 0
    for key in trace:
        count += 1
        size = _size_of(key)
        if sieve.get(key) is None:
            sieve.set(key, key, size=size, expires=None)
        else:
            sieve_hits += 1
        if lru.get(key):
            lru_hits += 1
        else:
            lru.set(key, size)
    return sieve_hits / count, lru_hits / count


def main(directory: Path) -> None:
    if any(directory.iterdir()):
        raise SystemExit(f"{directory} is not empty")
    settings.configure()
    sys.stdout.write(f"{markdown(*_policies())}\n\n")
    sys.stdout.write(f"{markdown(*_scale(directory))}\n")


def _policies() -> Table:
    rows = []
    for skew in (0.7, 0.9, 1.1):
        trace = zipf_with_scans(_REQUESTS, pictures=_PICTURES, skew=skew, seed=1)
        for share in (0.01, 0.05, 0.2):
            sieve, lru = hit_ratios(trace, max_bytes=int(share * _PICTURES * _MEAN_BYTES))
            rows.append([f"Zipf {skew}", f"{share:.0%}", f"{sieve:.1%}", f"{lru:.1%}"])
    return ["popularity", "cache, of all pictures", "SIEVE", "LRU"], rows


def _scale(directory: Path) -> Table:
    rows = []
    root = directory / "mage"
    store = FileStore(root, max_bytes=None)
    number = 0
    for entries in _ENTRIES:
        while number < entries:
            _store(store, number)
            number += 1
        fresh = range(entries, entries + _SAMPLES)
        sets = _microseconds(partial(_store, store), fresh)
        gets = _microseconds(lambda number: store.get(_key(number)), fresh)
        purges = _microseconds(lambda number: store.delete_group(_group(number)), fresh[::_THUMBNAILS_PER_ORIGINAL])
        full = FileStore(root, max_bytes=store.usage().bytes)
        more = range(2 * _ENTRIES[-1], 2 * _ENTRIES[-1] + _SAMPLES)
        evicting = _microseconds(partial(_store, full), more)
        rows.append([f"{entries:,}", sets, evicting, gets, purges, _django_set(directory, entries)])
        sys.stderr.write(f"{rows[-1]}\n")
    shutil.rmtree(root)
    return ["entries", "set", "set, at the cap", "get", "purge of an original", "Django's `set`"], rows


def _django_set(directory: Path, entries: int) -> str:
    if entries > _DJANGO_ENTRIES:
        return "–"
    root = directory / "django"
    cache = FileBasedCache(str(root), {"OPTIONS": {"MAX_ENTRIES": 2 * entries}})
    root.mkdir(exist_ok=True)
    for number in range(entries):
        (root / f"{number}.djcache").write_bytes(_PAYLOAD)
    time_per_set = _microseconds(lambda number: cache.set(str(number), _PAYLOAD), range(_SAMPLES // 10))
    shutil.rmtree(root)
    return time_per_set


def _store(store: FileStore, number: int) -> None:
    store.set(_key(number), _PAYLOAD, expires=None)


def _key(number: int) -> str:
    return f"{_group(number)}/n{number}"


def _group(number: int) -> str:
    return f"g{number // _THUMBNAILS_PER_ORIGINAL:016x}"


def _microseconds(act: Callable[[int], object], numbers: Iterable[int]) -> str:
    took = []
    for number in numbers:
        began = time.perf_counter()
        act(number)
        took.append((time.perf_counter() - began) * 1e6)
    return f"{median(took):,.0f} µs"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
