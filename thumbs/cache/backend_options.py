"""Options of the two cache backends in `CACHES`: one that is not a whole number is refused, never guessed."""

from collections.abc import Mapping

from django.core.cache.backends.base import InvalidCacheBackendError


def number_option(params: Mapping[str, object], *names: str) -> int | None:
    """The first of the OPTIONS `names` that is set, a whole number from 1 on; None when none is set.

    As in Django's own backends, an option may also stand beside OPTIONS, in lower case.
    Raises InvalidCacheBackendError.
    """
    options = params.get("OPTIONS") or {}
    if not isinstance(options, Mapping):
        raise InvalidCacheBackendError("OPTIONS of a cache must be a dictionary.")
    for name in names:
        value = options.get(name, params.get(name.lower()))
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InvalidCacheBackendError(f"{name} of a cache must be a whole number from 1 on, not {value!r}.")
        return value
    return None
