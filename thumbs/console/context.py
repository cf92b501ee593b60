"""What the templates of the console show: figures and charts as texts, originals with their thumbnails."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thumbs.console.charts import Bar, Ring, bar, layers, ring
from thumbs.console.figures import Disk, Figures
from thumbs.errors import StorageFailed, StorageTimeout, ThumbError
from thumbs.site import browsing
from thumbs.site.humanize import count_of, duration, file_size
from thumbs.sources.listing import Unlistable
from thumbs.toolkit.links import thumb_url
from thumbs.wiring import build
from thumbs.wiring.process import current

if TYPE_CHECKING:  # prometheus-client is an extra
    from thumbs.observability.metrics import Totals

_THUMBNAILS = (("96x72", "format(webp)"), ("96x72", ""))
_STAGES = ("fetch", "render", "encode")


@dataclass(frozen=True, slots=True)
class Card:
    """One storage on the page."""

    figures: Figures
    usage: Bar | None
    ratio: Ring | None
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Requests:
    """The chart of all requests. `scope` says what it covers."""

    scope: str
    bars: tuple[Bar, ...]
    errors: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of originals, each with the URL of a thumbnail, empty where the storage offers none that fits."""

    storage: str
    prefix: str
    number: int
    originals: tuple[tuple[str, str], ...]
    more: bool
    error: str

    @property
    def shown_number(self) -> int:
        return self.number + 1

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.more else None


def card(figures: Figures) -> Card:
    disk = figures.disk
    if disk is None:
        return Card(figures, None, None, ())
    ratio = disk.stats.hit_ratio
    cap = f"of {file_size(disk.cap)}" if disk.cap else "without a cap"
    usage = bar("usage", disk.bytes, disk.cap or disk.bytes or 1, count=f"{file_size(disk.bytes)} {cap}")
    return Card(figures, usage if disk.cap else None, None if ratio is None else ring(ratio), tuple(_facts(disk)))


def _facts(disk: Disk) -> Iterator[tuple[str, str]]:
    stats = disk.stats
    yield "Entries", f"{disk.entries:,}"
    yield "On disk", file_size(disk.bytes) + (f" of {file_size(disk.cap)}" if disk.cap else ", without a cap")
    lookups = stats.hits + stats.stores
    if stats.hit_ratio is None:
        yield "Hits", "no lookups yet"
    else:
        yield "Hits", f"{stats.hits:,} of {lookups:,} lookups, by all processes since the directory was made"
    if disk.oldest is not None and disk.newest is not None:
        of_part = ", of a sample" if disk.sampled else ""
        ages = f"last used {duration(disk.oldest)} to {duration(disk.newest)} ago"
        yield "Age", f"{ages}; {disk.expired:,} expired{of_part}"
    if not stats.swept_at:
        yield "Last sweep", "never; the command run_cache_janitor sweeps"
    else:
        removed = f"{stats.expired:,} expired, {stats.evicted:,} over the cap, {stats.orphans:,} orphans removed"
        yield "Last sweep", f"{duration(disk.now - stats.swept_at)} ago: {removed}"


def totals() -> "Totals | None":
    """The counts of the metrics; None where the configuration has none."""
    return build.metrics().totals() if current().read.document.metrics else None


def requests(counted: "Totals | None") -> Requests | None:
    """The chart of requests; None without metrics."""
    if counted is None:
        return None
    scope = (
        "All processes that share PROMETHEUS_MULTIPROC_DIR, since it was emptied, for all storages."
        if counted.shared
        else "Only the process that answered this page, since it started, for all storages."
    )
    errors = tuple((f"{storage}: {code}", f"{count:,}") for (storage, code), count in sorted(counted.errors.items()))
    return Requests(scope, tuple(layers(counted)), errors)


def cost(disk: Disk | None, counted: "Totals | None") -> str:
    """What it costs to clear a cache: what has to be made again, as one sentence or two."""
    if disk is None:
        return (
            "How many thumbnails it holds is not known here. Each one that is wanted again is read from the storage "
            "and rendered anew."
        )
    what = f"{count_of(disk.entries, 'entry', 'entries')}, {file_size(disk.bytes)} of disk"
    sentence = f"{what}. Each one that is wanted again is read and rendered anew."
    mean = _mean_seconds(counted)
    if mean is None or not disk.entries:
        return sentence
    work = f"about {duration(mean * disk.entries)} of work, at the {mean:.3f} s that one took on average"
    return f"{sentence} For all of them, that is {work}."


def _mean_seconds(counted: "Totals | None") -> float | None:
    """Seconds from the read of an original to the encoded thumbnail; None before the first one."""
    if counted is None or not counted.steps.get("render"):
        return None
    return sum(counted.seconds[stage] / counted.steps[stage] for stage in _STAGES if counted.steps.get(stage))


def listing(storage: str, prefix: str, number: int) -> Listing:
    """A page of the originals of a known storage. A failure is a sentence."""
    error, more = "", False
    keys: tuple[str, ...] = ()
    try:
        found = browsing.originals(storage, prefix, number=number)
    except StorageTimeout:
        error = "The storage did not list its originals in time. Type the key instead."
    except Unlistable:
        error = "This storage cannot list its originals. Type the key instead."
    except StorageFailed:
        error = "The storage could not be listed. Type the key instead."
    else:
        keys, more = found.keys, found.more
    return Listing(storage, prefix, number, tuple((key, _thumbnail(storage, key)) for key in keys), more, error)


def _thumbnail(storage: str, key: str) -> str:
    sizes = sorted(current().policies[storage].sizes or ())
    for size, filters in (*_THUMBNAILS, *((size, "") for size in sizes)):
        try:
            return thumb_url(storage, key, size, filters=filters)
        except ThumbError:
            continue
    return ""
