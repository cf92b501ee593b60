"""Values of the whole machine, which a scrape looks up: versions, disk caches, and the memory of all workers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes: the most that a disk cache may hold, None without a limit; and what is free in its file system."""

    limit: int | None
    free: int


class MachineCollector(Collector):
    """`rooms` by storage; `memory` in bytes by the kind of process."""

    def __init__(self, rooms: Mapping[str, Room], memory: Mapping[str, int]) -> None:
        self._rooms = rooms
        self._memory = memory

    def collect(self) -> Iterator[GaugeMetricFamily]:
        limits = GaugeMetricFamily("mage_cache_limit_bytes", "Bytes that the disk cache may hold.", labels=["storage"])
        free = GaugeMetricFamily(
            "mage_cache_free_bytes", "Bytes that are free in the file system of the disk cache.", labels=["storage"]
        )
        for storage, room in self._rooms.items():
            if room.limit is not None:
                limits.add_metric([storage], room.limit)
            free.add_metric([storage], room.free)
        yield from (limits, free)
        memory = GaugeMetricFamily(
            "mage_memory_bytes", "Anonymous memory of all workers and of their children.", labels=["process"]
        )
        for process, size in self._memory.items():
            memory.add_metric([process], size)
        yield memory


class CommonCollector(Collector):
    """Values of the whole machine. As Gauges they would be written to each process's file, and be summed."""

    def __init__(
        self,
        stores: Mapping[str, tuple[int, int]],
        build: Mapping[str, str],
        isolation: Mapping[str, bool],
        codecs: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._stores = stores
        self._build = build
        self._isolation = isolation
        self._codecs = codecs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        entries = GaugeMetricFamily("mage_cache_entries", "Entries in the disk cache.", labels=["storage"])
        sizes = GaugeMetricFamily("mage_cache_bytes", "Bytes of disk that the entries take.", labels=["storage"])
        for storage, (count, size) in self._stores.items():
            entries.add_metric([storage], count)
            sizes.add_metric([storage], size)
        yield from (entries, sizes)
        if self._isolation:
            layers = GaugeMetricFamily(
                "mage_isolation", "Whether this layer of isolation holds: 1 or 0.", labels=["layer"]
            )
            for layer, holds in self._isolation.items():
                layers.add_metric([layer], float(holds))
            yield layers
        if self._codecs:
            found = GaugeMetricFamily(
                "mage_codec", "What reads or writes each format; always 1.", labels=["format", "direction", "package"]
            )
            for name, ways in self._codecs.items():
                for direction, package in ways.items():
                    found.add_metric([name, direction, package], 1)
            yield found
        if self._build:
            built = GaugeMetricFamily(
                "mage_build_info", "Versions of the running software; always 1.", labels=list(self._build)
            )
            built.add_metric(list(self._build.values()), 1)
            yield built
