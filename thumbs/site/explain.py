"""Explains a thumbnail URL: its parts, what it makes, and its error. For operators; it is never sent to a client."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from thumbs.errors import BadRequest, Expired, StorageUnknown, TargetTooLong, ThumbError
from thumbs.front import Mount
from thumbs.http import messages
from thumbs.http.targets import decoded_path
from thumbs.image.transforms import AUTO
from thumbs.problems import nearest
from thumbs.request import filters, grammar
from thumbs.request.grammar import Address, Target
from thumbs.request.resolve import resolve
from thumbs.site.links import mount, mount_of
from thumbs.site.private_views import private_views
from thumbs.wiring.process import thumbnailer


@dataclass(frozen=True, slots=True)
class Explanation:
    """Lines of (part, meaning), up to the first error, and the error that the URL is answered with."""

    lines: tuple[tuple[str, str], ...]
    error: ThumbError | None = None


def explain(url: str) -> Explanation:
    """Explain `url`, with or without scheme and host, percent-encoded or not. A wrong URL raises nothing."""
    lines: list[tuple[str, str]] = []
    try:
        _explain(url, lines)
    except ThumbError as error:
        return Explanation(tuple(lines), error)
    return Explanation(tuple(lines))


def _explain(url: str, lines: list[tuple[str, str]]) -> None:
    target_bytes = _target(url)
    if len(target_bytes) > messages.MAX_TARGET_BYTES:
        raise TargetTooLong
    decoded = decoded_path(target_bytes)
    found = (Mount(_path_of(each)).find(decoded) for each in (mount(), *_private_mounts()))
    path = next((each for each in found if each is not None), None)
    if path is None:
        raise BadRequest(f"Thumbnail URLs here begin with {mount()}{{storage}}/thumbs/.")
    text = messages.decode_path(path)
    storages = thumbnailer().storages
    name, rest = grammar.split(text)
    if name not in storages:
        raise StorageUnknown(f"There is no storage {name!r}. {nearest(name, list(storages))}")
    storage = storages[name]
    lines.append(("storage", f"{name}, {'signed' if storage.policy.signer else 'unsigned'}"))
    address = grammar.address(name, rest, signed=storage.policy.signer is not None)
    if storage.policy.signer is not None:
        storage.policy.signer.verify(address.message, address.signature or "")
        lines.append(("signature", "good"))
    target = grammar.parse(address.target, storage.policy.presets)
    _explain_target(target, lines)
    thumb = resolve(path, ("avif", "webp"), {name: storage.policy})
    transform = thumb.transform
    output = "by Accept: avif, webp, or the source's own" if target.transform.format == AUTO else str(transform.format)
    lines.append(("output", output + (f", quality {transform.quality}" if transform.quality else "")))
    lines.append(("layers", " → ".join((*storage.layers.names, "storage"))))
    lines.append(("cache key", thumb.key))
    lines.append(("canonical", _canonical(address, target)))
    if thumb.expires is not None and thumb.expires <= time.time():
        raise Expired


def _private_mounts() -> Iterator[str]:
    return (found for view in private_views() if (found := view.mount()) is not None)


def _path_of(prefix: str) -> str:
    """The path of `prefix`, which may have a scheme and a host."""
    return urlsplit(prefix).path or "/"


def _target(url: str) -> bytes:
    """The request target that a client sends for `url`: no scheme, host or fragment."""
    scheme, separator, rest = url.partition("#")[0].partition("://")
    whole = f"{scheme}{separator}{rest}".removeprefix("/")
    path = rest.partition("/")[2] if separator and scheme.isalpha() else whole
    return b"/" + path.encode("utf-8", "surrogateescape")


def _explain_target(target: Target, lines: list[tuple[str, str]]) -> None:
    width, height = target.transform.target
    sides = (
        f"{width or 'as wide as the ratio makes it'} × {height or 'as high as the ratio makes it'}"
        if width or height
        else "the original's"
    )
    lines.append(("size", f"{sides} (pixels, dpr {target.transform.dpr:g} included)"))
    lines.append(("filters", filters.build_filters(target.transform) or "none: all defaults"))
    lines.append(("path", target.path))
    if target.name is not None:
        lines.append(("saved as", target.name))
    if target.expires is not None:
        lines.append(("expires", datetime.fromtimestamp(target.expires, UTC).isoformat()))


def _canonical(address: Address, target: Target) -> str:
    # No signature: explanations are pasted into chats and tickets, and `thumb_url` prints a signed URL.
    return mount_of(address.storage) + messages.quoted_path(f"{address.storage}/thumbs/{grammar.build(target)}")
