"""Where the URLconf has the views of `thumbs.views.private`, and which storages they serve."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, get_urlconf, reverse

# The attribute that marks such a view: the names of its storages, None for all private ones.
MARK = "thumbs_private_storages"
_PROBE = "x/thumbs/x"


@dataclass(frozen=True, slots=True)
class PrivateView:
    """A pattern of the URLconf. `target` is what `reverse` takes; None if that would have to be a name."""

    storages: Collection[str] | None
    target: str | Callable[..., Any] | None

    def serves(self, storage: str) -> bool:
        return self.storages is None or storage in self.storages

    def mount(self) -> str | None:
        """The start of its URLs, before `{storage}/thumbs/…`; None if it cannot be told."""
        if self.target is None:
            return None
        try:
            return reverse(self.target, kwargs={"path": _PROBE}).removesuffix(_PROBE)
        except NoReverseMatch:
            return None


def private_views() -> tuple[PrivateView, ...]:
    """Those of the URLconf. Raises whatever a wrong URLconf raises."""
    return _found(get_resolver(get_urlconf()))


def private_mount(storage: str) -> str | None:
    """The start of the URLs of a private storage: the path of the first view that serves it; None without one."""
    mounts = (view.mount() for view in private_views() if view.serves(storage))
    return next((mount for mount in mounts if mount is not None), None)


@lru_cache(maxsize=64)
def _found(resolver: URLResolver) -> tuple[PrivateView, ...]:
    return tuple(_below(resolver.url_patterns, ()))


def _below(patterns: Sequence[URLPattern | URLResolver], namespaces: tuple[str, ...]) -> Iterator[PrivateView]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _below(pattern.url_patterns, (*namespaces, *filter(None, [pattern.namespace])))
        elif hasattr(pattern.callback, MARK):
            name = ":".join((*namespaces, pattern.name)) if pattern.name else None
            # `reverse` finds a view by itself only outside of namespaces.
            yield PrivateView(getattr(pattern.callback, MARK), name or (None if namespaces else pattern.callback))
