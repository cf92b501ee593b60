"""What a process that sends answers needs of the configuration: the limits for clients that do not read."""

from collections.abc import Callable
from typing import NamedTuple

from thumbs.conf.document import LimitsConf
from thumbs.wiring.build import metrics
from thumbs.wiring.process import configuration


def _uncounted(_: str) -> None:
    pass


class SendLimits(NamedTuple):
    """Limits for clients that take no bytes: `seconds` for each connection, `max_bytes` for all of a process.

    `dropped` counts a connection that was closed, by its reason; `refused` counts an answer that became 503.
    """

    seconds: float = LimitsConf().send_seconds
    max_bytes: int = LimitsConf().unsent_bytes
    dropped: Callable[[str], None] = _uncounted
    refused: Callable[[], None] = lambda: None


def send_limits() -> SendLimits:
    """The limits of `settings.THUMBS`. Raises what Django raises where its settings cannot be read."""
    document = configuration().document
    limits = document.limits
    if not document.metrics:
        return SendLimits(limits.send_seconds, limits.unsent_bytes)
    return SendLimits(limits.send_seconds, limits.unsent_bytes, metrics().dropped, metrics().refused)
