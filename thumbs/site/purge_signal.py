"""The signal after a purge. What a receiver raises is logged, and neither the purge nor other receivers lose by it."""

import logging

from django.dispatch import Signal

logger = logging.getLogger("thumbs")

# Sent with `storage` (a name), `path` (the key of the original) and `count` (the entries that were freed).
purged = Signal()


def send_purged(storage: str, path: str, count: int) -> None:
    """Send `purged`. Raises nothing."""
    try:
        outcomes = purged.send_robust(None, storage=storage, path=path, count=count)
    except Exception:  # such as that of an asynchronous receiver in the thread of an event loop
        logger.exception("the receivers of thumbs.signals.purged could not be called")
        return
    for receiver, error in outcomes:
        if isinstance(error, Exception):  # Django has logged its traceback
            name = getattr(receiver, "__qualname__", None) or type(receiver).__qualname__
            logger.error("the receiver %s of thumbs.signals.purged failed: %s", name, type(error).__name__)
