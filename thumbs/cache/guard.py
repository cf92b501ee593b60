"""What keeps the failures of a cache layer from those who ask it."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from thumbs.cache.layer import Layer, QuickLayer

logger = logging.getLogger("thumbs.cache")
REST_SECONDS = 5.0  # how long a layer that failed is left alone

A = TypeVarTuple("A")
T = TypeVar("T")


class Guard:
    """Keeps a layer's failures from the request, and rests the layer after one."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.get_now = layer.get_now if isinstance(layer, QuickLayer) else None
        self._rests_until: float | None = None

    @property
    def resting(self) -> bool:
        return self._rests_until is not None

    def attempt(self, act: Callable[[*A], T], *args: *A) -> T | None:
        """What `act` returns; None when it fails, cannot do without blocking, or while the layer rests."""
        if self._rests_until is not None and time.monotonic() < self._rests_until:
            return None
        try:
            result = act(*args)
        except BlockingIOError:
            return None
        except Exception as error:  # a cache may break in any way, and none of them is the client's fault
            if self._rests_until is None:
                logger.warning("cache layer %s fails and is left out for now: %r", self.layer.name, error)
            self._rests_until = time.monotonic() + REST_SECONDS
            return None
        if self._rests_until is not None:
            self._rests_until = None
            logger.warning("cache layer %s works again", self.layer.name)
        return result
