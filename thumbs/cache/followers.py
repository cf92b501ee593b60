"""The followers of the feeds of a storage's layers, and what layers learn from them."""

import weakref
from collections.abc import Sequence
from functools import partial

from thumbs.cache.circuit_breaker import ProtectedLayer
from thumbs.cache.layer import AttachedLayer, FeedLayer, PolledLayer
from thumbs.cache.purge.follower import PurgeFollower
from thumbs.cache.purge.journal import PurgeJournal


def followers_of(layers: Sequence[ProtectedLayer], purges: PurgeJournal | None) -> list[PurgeFollower]:
    """A follower for each layer with a feed; each adds what it reads to `purges`. Starts nothing."""
    if purges is None:
        return []
    followers = [_follower(layer, layer.inner, purges) for layer in layers if isinstance(layer.inner, FeedLayer)]
    # Weak: a follower refers to its layer, and its thread ends with the last reference to it.
    references = [weakref.ref(follower) for follower in followers]

    def knows_purges() -> bool:
        found = [reference() for reference in references]
        return bool(found) and all(follower is not None and follower.is_current for follower in found)

    for layer in layers:
        if isinstance(layer.inner, AttachedLayer):
            layer.inner.attach(knows_purges, lambda key, moment: purges.is_purged(key.partition("/")[0], moment))
    return followers


def _follower(layer: ProtectedLayer, feed: FeedLayer, purges: PurgeJournal) -> PurgeFollower:
    """A feed in object storage is a listing, which may fail alone; another one fails with its layer."""
    every, read = (feed.poll_seconds, layer.read_feed) if isinstance(feed, PolledLayer) else (None, layer.read)
    merge = partial(purges.merge, late=every or 0.0)
    return PurgeFollower(lambda offset: read(feed.read_purges_since, offset), merge, every=every)
