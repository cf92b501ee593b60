"""What gunicorn's main process does for the metrics when a worker has ended."""

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Counter


def forget(pid: int) -> None:
    """Delete the files of `pid`: nothing waits or runs there. What it has counted is kept with that of others."""
    with suppress(Exception):  # without prometheus-client or its directory, or on a full disk
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - only where it is installed

        from thumbs.observability.shared_counts import SharedCounts  # noqa: PLC0415 - as above

        mark_process_dead(pid)  # type: ignore[no-untyped-call]
        SharedCounts(None).add_to_ended(pid)


def count_exit(*, stopped: bool) -> None:
    """Count a worker that has ended: `stopped` as it was told to, else killed or failed."""
    with suppress(Exception):  # as above
        from thumbs.observability.metrics import LOST, STOPPED  # noqa: PLC0415 - as above

        _exits().labels(STOPPED if stopped else LOST).inc()


@cache
def _exits() -> "Counter":
    """Raises ValueError where the processes share no directory for their counts."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - as above
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - as above

    from thumbs.observability.metrics import worker_exits  # noqa: PLC0415 - as above

    MultiProcessCollector(CollectorRegistry())  # type: ignore[no-untyped-call]
    return worker_exits(CollectorRegistry())
