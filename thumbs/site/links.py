"""URLs of thumbnails, built and signed for this site."""

import time
from dataclasses import replace

from django.urls import NoReverseMatch, reverse

from thumbs.errors import BadFilter, TargetTooLong
from thumbs.http import messages
from thumbs.problems import nearest
from thumbs.request import grammar
from thumbs.request.grammar import Address
from thumbs.request.resolve import StoragePolicy, resolve
from thumbs.wiring.process import thumbnailer, url_prefix

_LONGEST_LIFETIME = 100 * 366 * 86400.0


class UnknownStorage(LookupError):
    """No storage has this name; the message holds the nearest."""


def thumb_url(
    storage: str, path: str, size: str, *, filters: str = "", name: str | None = None, lifetime: float | None = None
) -> str:
    """The URL of a thumbnail: from this site's root on, percent-encoded, signed where the storage wants it.

    `size` and `filters` are spelled as in a URL (`400x300`, `format(webp);quality(70)`), `name` is the download name,
    `lifetime` the seconds after which the URL is answered with 410. Raises `UnknownStorage`, or the `ThumbError`
    that the URL would be answered with.
    """
    target = grammar.compose(size, filters or None, path, name, presets=_policy_of(storage).presets)
    if lifetime is not None:
        if not 0 < lifetime < _LONGEST_LIFETIME:
            raise BadFilter("A lifetime is a number of seconds, more than 0 and less than a hundred years.")
        target = replace(target, expires=int(time.time() + lifetime))
    path = signed(storage, grammar.build(target))
    quoted = messages.quoted_path(path)
    if len(quoted) + 1 > messages.MAX_TARGET_BYTES:
        raise TargetTooLong
    resolve(f"/{path}".encode(), (), {storage: _policy_of(storage)})  # raises what the URL would be answered with
    return mount() + quoted


def signed(storage: str, target: str) -> str:
    """`{storage}/thumbs/[{signature}/]{target}`, not yet percent-encoded. Raises `UnknownStorage`."""
    signer = _policy_of(storage).signer
    signature = f"{signer.sign(Address(storage, None, target).message)}/" if signer else ""
    return f"{storage}/thumbs/{signature}{target}"


def _policy_of(storage: str) -> StoragePolicy:
    storages = thumbnailer().storages
    if storage not in storages:
        raise UnknownStorage(f"No storage is called {storage!r}. {nearest(storage, list(storages))}")
    return storages[storage].policy


def mount() -> str:
    """What stands before `{storage}/thumbs/…`: the configuration's `url_prefix`, or the path of the include."""
    configured = url_prefix()
    if configured is not None:
        return configured
    probe = "x/thumbs/x"
    try:
        return reverse("thumbs:thumbnail", kwargs={"path": probe}).removesuffix(probe)
    except NoReverseMatch:  # the site serves them through a front alone
        return "/"
