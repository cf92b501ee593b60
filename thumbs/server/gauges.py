"""The gauges of workers that have ended: nothing waits or runs there, so they must not be added up any more."""

from contextlib import suppress


def forget(pid: int) -> None:
    """Remove the files of the gauges of the process `pid`. Runs in gunicorn's main process."""
    with suppress(Exception):  # without prometheus-client, or without its directory
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - only where it is installed

        mark_process_dead(pid)  # type: ignore[no-untyped-call]
