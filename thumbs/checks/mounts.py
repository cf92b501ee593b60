"""System checks of where URLs begin: whether the site serves them there, also under a script name."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse

from thumbs.checks.config import TAG, message
from thumbs.checks.middleware import included_view, is_thumbnail
from thumbs.checks.wrappers import Wrapper, all_wrappers
from thumbs.problems import Problem
from thumbs.wiring.process import configuration

NOWHERE = "thumbs.W008"
OTHER_PREFIX = "thumbs.W011"
_PROBE = "x/thumbs/x"


@checks.register(TAG)
def check_mounts(**_: object) -> list[checks.CheckMessage]:
    """Whether the URLs that Mage builds lead to thumbnails."""
    loaded = configuration()
    if loaded.unusable or all(conf.private for conf in loaded.storages):
        return []
    try:
        return [message(problem) for problem in _problems(loaded.document.url_prefix, all_wrappers())]
    except Exception:  # the URLconf is wrong, and Django reports it
        return []


def _problems(url_prefix: str | None, wrappers: list[Wrapper]) -> Iterator[Problem]:
    script = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
    included = _path_of_include()
    if url_prefix is None and included is None and not wrappers and not _is_served("/"):
        yield _nowhere()
        return
    start = url_prefix if url_prefix is not None else script + (included or "/")
    host, path = urlsplit(start)[1:3]
    if host:  # a CDN or another server, which may change the path
        return
    known = [wrapper for wrapper in wrappers if wrapper.prefix is not None]
    for wrapper in known:
        same = [each for each in wrappers if each.module == wrapper.module]
        if not any(each.prefix in (path, None) for each in same):
            yield _other_prefix(wrapper, path, included)
    if script and included is not None and path == included and path != script + included:
        sentence = f"is {path!r}, without FORCE_SCRIPT_NAME: the include serves {script + included!r}."
        yield Problem(OTHER_PREFIX, "url_prefix", sentence, f"Leave it out, or set it to {script + included!r}.")


def _nowhere() -> Problem:
    sentence = "has no place in this site: every URL of a thumbnail leads nowhere."
    if included_view() is not None:
        sentence = "is included where its URLs cannot be reversed, so they begin with '/', and lead nowhere."
    hint = (
        'Add path("img/", include("thumbs.urls")) to the URLconf, outside of other namespaces and without arguments; '
        "or wrap the application in ThumbsWSGI or ThumbsASGI, in the module that WSGI_APPLICATION or ASGI_APPLICATION "
        "names; "
        'or set "URL_PREFIX" in THUMBS to where another server serves them.'
    )
    return Problem(NOWHERE, "thumbs.urls", sentence, hint)


def _other_prefix(wrapper: Wrapper, path: str, included: str | None) -> Problem:
    sentence = f'{wrapper.name}(…, prefix="{wrapper.prefix}") serves no URL of a thumbnail: they begin with {path!r}.'
    hint = f'Set prefix="{path}" there, with the script name if there is one.'
    if included is None:
        hint = f'Set "URL_PREFIX": "{wrapper.prefix}" in THUMBS, or prefix="{path}" there.'
    return Problem(OTHER_PREFIX, wrapper.module, sentence, hint)


def _path_of_include() -> str | None:
    """The path of the include, without a script name; None if no URL of it can be made."""
    try:
        reversed_path = reverse("thumbs:thumbnail", kwargs={"path": _PROBE})
    except NoReverseMatch:
        return None
    return "/" + reversed_path.removeprefix(get_script_prefix()).removesuffix(_PROBE)


def _is_served(start: str) -> bool:
    """Whether the URLconf has our view at this path."""
    try:
        return is_thumbnail(resolve(start + _PROBE).func)
    except Resolver404:
        return False
