"""Builds and signs the URLs of thumbnails."""

import time
from dataclasses import replace

from django.urls import NoReverseMatch, reverse

from thumbs.errors import BadFilter, TargetTooLong
from thumbs.http import messages
from thumbs.problems import nearest
from thumbs.request import grammar
from thumbs.request.grammar import Address
from thumbs.request.resolve import StoragePolicy, resolve
from thumbs.site.private_views import private_mount
from thumbs.wiring.process import current

_MAX_LIFETIME = 100 * 366 * 86400.0  # seconds


class UnknownStorage(LookupError):
    """No storage has this name. The message names the nearest one."""


def thumb_url(
    storage: str, path: str, size: str, *, filters: str = "", name: str | None = None, lifetime: float | None = None
) -> str:
    """The URL of a thumbnail: percent-encoded, signed if the storage has a secret.

    It begins with the configuration's `url_prefix`, else with the path of the include; for a private storage with that
    of the view that serves it. `size` and `filters` are spelled as in a URL (`400x300`, `format(webp);quality(70)`).
    `name` is the download name. After `lifetime` seconds, the URL is answered with 410. Raises `UnknownStorage`, or the
    `ThumbError` that the URL would be answered with.
    """
    target = grammar.compose(size, filters or None, path, name, presets=_policy_of(storage).presets)
    if lifetime is not None:
        if not 0 < lifetime < _MAX_LIFETIME:
            raise BadFilter("A lifetime is a number of seconds, more than 0 and less than a hundred years.")
        target = replace(target, expires=int(time.time() + lifetime))
    path = signed(storage, grammar.build(target))
    quoted = messages.quoted_path(path)
    if len(quoted) + 1 > messages.MAX_TARGET_BYTES:
        raise TargetTooLong
    resolve(f"/{path}".encode(), (), {storage: _policy_of(storage)})  # raises what it would be answered with
    return mount_of(storage) + quoted


def signed(storage: str, target: str) -> str:
    """`{storage}/thumbs/[{signature}/]{target}`, not yet percent-encoded. Raises `UnknownStorage`."""
    signer = _policy_of(storage).signer
    signature = f"{signer.sign(Address(storage, None, target).message)}/" if signer else ""
    return f"{storage}/thumbs/{signature}{target}"


def _policy_of(storage: str) -> StoragePolicy:
    policies = current().policies
    if storage not in policies:
        raise UnknownStorage(f"No storage is called {storage!r}. {nearest(storage, list(policies))}")
    return policies[storage]


def mount_of(storage: str) -> str:
    """The start of the URLs of this storage: of a private one, the path of the view that serves it."""
    found = private_mount(storage) if _policy_of(storage).private else None
    return mount() if found is None else found


def mount() -> str:
    """The start of every URL, before `{storage}/thumbs/…`: the `url_prefix`, else the path of the include, else `/`."""
    configured = current().read.document.url_prefix
    if configured is not None:
        return configured
    probe = "x/thumbs/x"
    try:
        return reverse("thumbs:thumbnail", kwargs={"path": probe}).removesuffix(probe)
    except NoReverseMatch:  # no include: a wrapper serves the thumbnails
        return "/"
