"""The request for a storage's fallback, which is shown where another original is missing."""

from dataclasses import replace

from thumbs.http import cache_control
from thumbs.image.outputs import JSON
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, group_of

_FALLBACK_SECONDS = 60  # for which caches keep the picture that stands for a missing one


def with_fallback(thumb: ThumbRequest, policy: StoragePolicy) -> ThumbRequest | None:
    """The request for the storage's fallback in place of a missing original; None where there is none.

    Its answer is a 404 that is kept for a minute, as the original may come. Data about another original would be wrong,
    so they have no fallback.
    """
    if policy.fallback is None or thumb.path == policy.fallback or not policy.keepable:
        return None
    if thumb.transform.format == JSON:
        return None
    made = thumb.key.partition("/")[2]
    return replace(
        thumb,
        path=policy.fallback,
        key=f"{group_of(thumb.storage, policy.fallback, policy.namespace)}/{made}",
        identity=f"{group_of(thumb.storage, policy.fallback)}/{made}",
        headers=tuple(
            (name, cache_control.with_max_age(value, _FALLBACK_SECONDS)) if name == b"Cache-Control" else (name, value)
            for name, value in thumb.headers
        ),
    )
