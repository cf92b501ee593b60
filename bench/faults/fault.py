"""What a fault is: what it does to the site, and what it excuses."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from bench.faults.site import Site

# Runs for so many seconds and returns what was done. Everything works again when it returns.
Act = Callable[[Site, float, random.Random], str]


@dataclass(frozen=True, slots=True)
class Fault:
    """`cached` and `new` are the statuses besides 200 that requests may get for pictures that caches had, or had not.

    `is_direct`: clients connect to the servers, without nginx. `is_of_storage`: the original cannot be read, so that
    stale copies must be served.
    """

    name: str
    act: Act
    new: frozenset[int] = frozenset()
    cached: frozenset[int] = frozenset()
    is_direct: bool = False
    is_of_storage: bool = False
    needs_mount: bool = False
