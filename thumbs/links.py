"""URLs of thumbnails, built and signed for this site."""

import time
from dataclasses import replace

from django.urls import NoReverseMatch, reverse

from thumbs import grammar, http
from thumbs.conf.keys import nearest
from thumbs.grammar import Address
from thumbs.orders import Terms
from thumbs.wiring import thumbnailer


class UnknownStorage(LookupError):
    """No storage has this name; the message holds the nearest."""


def thumb_url(
    storage: str, path: str, size: str, *, filters: str = "", name: str | None = None, lifetime: float | None = None
) -> str:
    """The URL of a thumbnail: from this site's root on, percent-encoded, signed where the storage wants it.

    `size` and `filters` are spelled as in a URL (`400x300`, `format(webp);quality(70)`), `name` is the download name,
    `lifetime` the seconds after which the URL is answered with 410. Raises `UnknownStorage`, or the `BadRequest` that
    the URL would be answered with.
    """
    target = grammar.compose(size, filters or None, path, name, presets=_terms_of(storage).presets)
    if lifetime is not None:
        target = replace(target, expires=int(time.time() + lifetime))
    return mount() + http.quoted_path(signed(storage, grammar.build(target)))


def signed(storage: str, target: str) -> str:
    """`{storage}/thumbs/[{signature}/]{target}`, not yet percent-encoded. Raises `UnknownStorage`."""
    signer = _terms_of(storage).signer
    signature = f"{signer.sign(Address(storage, None, target).message)}/" if signer else ""
    return f"{storage}/thumbs/{signature}{target}"


def _terms_of(storage: str) -> Terms:
    storages = thumbnailer().storages
    if storage not in storages:
        raise UnknownStorage(f"No storage is called {storage!r}. {nearest(storage, list(storages))}")
    return storages[storage].terms


def mount() -> str:
    """The path before `{storage}/thumbs/…` on this site."""
    probe = "x/thumbs/x"
    try:
        return reverse("thumbs:thumbnail", kwargs={"path": probe}).removesuffix(probe)
    except NoReverseMatch:  # the site serves them through a front alone
        return "/"
