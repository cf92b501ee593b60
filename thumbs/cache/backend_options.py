"""What a site writes in `CACHES`: an option that is not a number is refused, never guessed."""

from collections.abc import Mapping

from django.core.cache.backends.base import InvalidCacheBackendError


def number_option(params: Mapping[str, object], *names: str) -> int | None:
    """The first of the OPTIONS `names` that is given, a number from 1 on; None when none is.

    Django's own spelling of an option directly in the alias, in lower case, is taken too.
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
