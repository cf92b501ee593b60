"""Where a URLconf includes `thumbs.urls`: looked up once, or once for each language where the place depends on it."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern
from django.utils.functional import Promise
from django.utils.translation import get_language

from thumbs.site import links


class Mounts:
    """The path of the include in a URLconf, for the script name of the thread that makes it."""

    def __init__(self, urlconf: object) -> None:
        self._by_language: dict[str | None, str] | None = {} if _depends_on_language(urlconf) else None
        self._only = "" if self._by_language is not None else links.mount()

    def now(self) -> str:
        """The path for the thread's language."""
        if self._by_language is None:
            return self._only
        language = get_language()
        mount = self._by_language.get(language)
        if mount is None:
            mount = self._by_language[language] = links.mount()
        return mount


def _depends_on_language(urlconf: object) -> bool:
    return any(_is_translated(found) for found in _below(get_resolver(urlconf)))  # type: ignore[arg-type]


def _below(resolver: URLResolver) -> Iterator[URLResolver | URLPattern]:
    yield resolver
    for found in resolver.url_patterns:
        if isinstance(found, URLResolver):
            yield from _below(found)
        else:
            yield found


def _is_translated(found: URLResolver | URLPattern) -> bool:
    """Whether the pattern is `i18n_patterns`' prefix, or its text is translated when it is used."""
    pattern = found.pattern
    text = vars(pattern).get("_route", vars(pattern).get("_regex"))
    return isinstance(pattern, LocalePrefixPattern) or isinstance(text, Promise)
