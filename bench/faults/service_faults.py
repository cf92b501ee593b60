"""Faults of the programs around Mage: memcached, Redis, and the S3 servers of originals and of the object layer."""

import random
import signal
import time
from collections.abc import Callable
from functools import partial

from bench.faults import bucket
from bench.faults.bucket import BucketFront
from bench.faults.fault import Fault
from bench.faults.services import Service
from bench.faults.site import Site


def _front(site: Site, seconds: float, _: random.Random, *, mode: str, chosen: Callable[[Site], BucketFront]) -> str:
    front = chosen(site)
    front.met, front.mode = 0, mode
    try:
        time.sleep(seconds)
    finally:
        front.mode = bucket.PASS
    return f"{seconds:g} s, {front.met:,} answers"


def _pause(site: Site, seconds: float, _: random.Random, *, chosen: Callable[[Site], Service]) -> str:
    service = chosen(site)
    service.send(signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        service.send(signal.SIGCONT)
    return f"{seconds:g} s"


def _kill_service(site: Site, seconds: float, _: random.Random, *, chosen: Callable[[Site], Service]) -> str:
    """Kill a service, start it in the middle of the time, with nothing in it, and kill it again."""
    service = chosen(site)
    for _number in range(2):
        service.kill()
        time.sleep(seconds / 3)
        service.start()
        time.sleep(seconds / 6)
    return "2 killed"


_MEMCACHED: Callable[[Site], Service] = lambda site: site.memcached  # noqa: E731
_REDIS: Callable[[Site], Service] = lambda site: site.redis  # noqa: E731
_MOTO: Callable[[Site], Service] = lambda site: site.moto  # noqa: E731
_OBJECTS: Callable[[Site], Service] = lambda site: site.objects  # noqa: E731
_originals = partial(_front, chosen=lambda site: site.front)
_thumbnails = partial(_front, chosen=lambda site: site.objects_front)

SERVICE_FAULTS = (
    Fault("s3-denied", partial(_originals, mode=bucket.DENY), new=frozenset({404, 502}), is_of_storage=True),
    Fault("s3-paused", partial(_pause, chosen=_MOTO), new=frozenset({502, 503, 504}), is_of_storage=True),
    Fault("s3-slow", partial(_originals, mode=bucket.SLOW)),
    Fault("s3-503", partial(_originals, mode=bucket.UNAVAILABLE), new=frozenset({502}), is_of_storage=True),
    Fault("objects-denied", partial(_thumbnails, mode=bucket.DENY)),
    Fault("objects-paused", partial(_pause, chosen=_OBJECTS)),
    Fault("objects-slow", partial(_thumbnails, mode=bucket.SLOW)),
    Fault("objects-unsteady", partial(_thumbnails, mode=bucket.UNSTEADY)),
    Fault("objects-503", partial(_thumbnails, mode=bucket.UNAVAILABLE)),
    Fault("objects-truncated", partial(_thumbnails, mode=bucket.TRUNCATED)),
    Fault("objects-foreign", partial(_thumbnails, mode=bucket.FOREIGN)),
    Fault("objects-swapped", partial(_thumbnails, mode=bucket.SWAPPED)),
    Fault("memcached-paused", partial(_pause, chosen=_MEMCACHED)),
    Fault("memcached-killed", partial(_kill_service, chosen=_MEMCACHED)),
    Fault("redis-paused", partial(_pause, chosen=_REDIS)),
    Fault("redis-killed", partial(_kill_service, chosen=_REDIS)),
)
