"""System checks of private storages: each is served by a view that asks a check, and by nothing else."""

from collections.abc import Iterator

from django.core import checks
from django.urls import Resolver404, resolve

from thumbs.checks.config import TAG, message
from thumbs.conf.document import StorageConf
from thumbs.problems import Problem, nearest
from thumbs.site.private_views import MARK, PrivateView, private_views
from thumbs.wiring.process import configuration

UNSERVED = "thumbs.E022"
NOT_PRIVATE = "thumbs.E024"
_ADD = 'Add path("private/<path:path>", thumbs.views.private(check)) to the URLconf; docs/django.md shows a check.'
_STANDALONE = "The standalone server and the wrappers serve no private storage."


@checks.register(TAG)
def check_private(**_: object) -> list[checks.CheckMessage]:
    """Whether each private storage has a view that serves it, and each such view a private storage."""
    loaded = configuration()
    if loaded.unusable:
        return []
    try:
        views = private_views()
    except Exception:  # Django reports it
        return []
    storages = [conf for conf in loaded.storages if conf.private]
    problems = [*_unserved(storages, views), *_without_private(loaded.storages, views)]
    return [message(problem) for problem in problems]


def _unserved(storages: list[StorageConf], views: tuple[PrivateView, ...]) -> Iterator[Problem]:
    for conf in storages:
        where = f"storages[{conf.name}].private"
        view = next((view for view in views if view.serves(conf.name)), None)
        if view is None:
            sentence = "is true, but no view that checks requests serves this storage: every request is 404."
            yield Problem(UNSERVED, where, sentence, f"{_ADD} {_STANDALONE}")
            continue
        mount = view.mount()
        if mount is None:
            sentence = (
                "is true, but no URL leads to its view: the pattern needs <path:path>, no other argument, and a name "
            )
            yield Problem(UNSERVED, where, f"{sentence}if it is in a namespace.", _ADD)
        elif not _leads_to_view(f"{mount}{conf.name}/thumbs/x/x"):
            sentence = f"is true, but another pattern comes first for the URLs of its view, {mount}{conf.name}/…"
            yield Problem(UNSERVED, where, f"{sentence}.", "Move it above that pattern, or give it a path of its own.")


def _leads_to_view(path: str) -> bool:
    try:
        return hasattr(resolve(path).func, MARK)
    except Resolver404:
        return False


def _without_private(storages: tuple[StorageConf, ...], views: tuple[PrivateView, ...]) -> Iterator[Problem]:
    """Views that serve nothing. The pictures that such a view was meant to protect are public."""
    private = [conf.name for conf in storages if conf.private]
    for view in views:
        if view.storages is None and not private:
            sentence = "is the check of a view, but no storage is private: the include and the wrappers serve them all."
            yield Problem(NOT_PRIVATE, "thumbs.views.private", sentence, 'Set "private": true for its storage.')
        for name in sorted(set(view.storages or ()) - set(private)):
            known = nearest(name, [conf.name for conf in storages])
            hint = f'Set "private": true for it. {known}'
            yield Problem(NOT_PRIVATE, "thumbs.views.private", f"names {name!r}, which is no private storage.", hint)
