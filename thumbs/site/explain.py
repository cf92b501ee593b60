"""Explains a thumbnail URL: its parts, what it makes, and its mistakes. For operators; never sent to a client."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from thumbs.errors import BadPath, BadRequest, Expired, StorageUnknown, TargetTooLong, ThumbError
from thumbs.front import Mount
from thumbs.http import messages
from thumbs.http.targets import decoded_path
from thumbs.image.formats import auto_output
from thumbs.image.outputs import JSON
from thumbs.image.transforms import AUTO
from thumbs.problems import nearest
from thumbs.request import filters, grammar
from thumbs.request.download_names import named_again
from thumbs.request.grammar import Address, Target
from thumbs.request.mistakes.located import Mistake
from thumbs.request.mistakes.paths import path_mistakes
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, resolve, thumb_of
from thumbs.site.dialect_urls import DialectUrl, explain_dialect
from thumbs.site.links import mount, mount_of
from thumbs.site.printed import printed, target_of
from thumbs.site.private_views import private_views
from thumbs.sources.source import Explained
from thumbs.wiring.process import thumbnailer

_NO_URL = "no URL of our own grammar"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Lines of (part, meaning), up to the first error, and the error that the URL is answered with.

    `url` is the URL as it can be shown: without its signature, and percent-encoded where it is not printable. The
    mistakes are parts of `url`, all of them, in order. Of a URL of another image server, `path` is what it becomes, a
    decoded path from `/{storage}/thumbs/` on without a signature; empty where it becomes nothing.
    """

    lines: tuple[tuple[str, str], ...]
    error: ThumbError | None = None
    url: str = ""
    mistakes: tuple[Mistake, ...] = ()
    path: str = ""


def explain(url: str) -> Explanation:
    """Explain `url`, with or without scheme and host, percent-encoded or not. A wrong URL raises nothing."""
    translated = explain_dialect(url, _path_of(mount()))
    if translated is not None:
        return explain_translated(translated)
    policies = _policies()
    shown = printed(url).without_signature({name for name, policy in policies.items() if policy.signer is None})
    lines: list[tuple[str, str]] = []
    try:
        _explain(url, lines)
    except ThumbError as error:
        too_long = [Mistake(0, shown.text, error.detail)] if isinstance(error, TargetTooLong) else []
        mistakes = [shown.located(mistake) for mistake in _mistakes(shown.path, policies)]
        return Explanation(tuple(lines), error, shown.text, (*too_long, *mistakes))
    return Explanation(tuple(lines), None, shown.text)


def _policies() -> dict[str, StoragePolicy]:
    return {name: storage.policy for name, storage in thumbnailer().storages.items()}


def explain_translated(found: DialectUrl) -> Explanation:
    """Explain a URL of another image server, and what it becomes. A wrong URL raises nothing."""
    policies = {name: each for name, each in _policies().items() if not each.private}
    lines, path = [("dialect", found.kind)], ""
    try:
        asked = found.asked()
        if asked.ignored:
            lines.append(("ignored", ", ".join(asked.ignored)))
        name, target = found.settled(asked, policies)
        path = _own_path(name, target)
        lines.append(("storage", name))
        _explain_target(target, lines)
        thumb = thumb_of(target, policies[name].negotiable, policies[name])
        path = path or _named_path(thumb, target, policies[name])
        _explain_thumb(thumb, target, lines)
        lines.append(("becomes", _own_url(name, path)))
        _require_time(target)
    except ThumbError as error:
        return Explanation(tuple(lines), error, found.shown, path=path)
    return Explanation(tuple(lines), None, found.shown, path=path)


def _own_path(storage: str, target: Target) -> str:
    """The path of `target` in our own grammar; empty for a key whose end would be read as a download name."""
    try:
        return f"/{storage}/thumbs/{grammar.build(target)}"
    except BadPath:
        return ""


def _named_path(thumb: ThumbRequest, target: Target, policy: StoragePolicy) -> str:
    """The path of `target` with a download name; empty where the storage offers none for it."""
    try:
        named = named_again(target, str(thumb.transform.format))
        thumb_of(named, policy.negotiable, policy)
    except BadRequest:
        return ""
    return _own_path(policy.name, named)


def _own_url(storage: str, path: str) -> str:
    """The URL of a path of our own grammar, or why there is none.

    Its signature is that of the dialect; a signed storage has another one for our own spelling.
    """
    if not path:
        return f"{_NO_URL} that names this key: its end would be read as a download name"
    url = mount_of(storage) + messages.quoted_path(path[1:])
    if len(_path_of(url)) > messages.MAX_TARGET_BYTES:
        return f"{_NO_URL}: it would be longer than {messages.MAX_TARGET_BYTES:,} bytes"
    return url


def _explain(url: str, lines: list[tuple[str, str]]) -> None:
    target_bytes = target_of(url)
    if len(target_bytes) > messages.MAX_TARGET_BYTES:
        raise TargetTooLong
    decoded = decoded_path(target_bytes)
    found = (Mount(_path_of(each)).find(decoded) for each in (mount(), *_private_mounts()))
    path = next((each for each in found if each is not None), None)
    if path is None:
        raise BadRequest(_beginning())
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
    _explain_thumb(resolve(path, storage.policy.negotiable, {name: storage.policy}), target, lines)
    lines.append(("canonical", _canonical(address, target)))
    _require_time(target)


def _explain_thumb(thumb: ThumbRequest, target: Target, lines: list[tuple[str, str]]) -> None:
    storage = thumbnailer().storages[thumb.storage]
    if isinstance(storage.source, Explained):
        lines.append(("original", storage.source.explain(thumb.path)))
    lines.append(("output", output_of(thumb, target, storage.policy)))
    lines.append(("layers", " → ".join((*storage.layers.names, "storage"))))
    lines.append(("cache key", thumb.key))


def output_of(thumb: ThumbRequest, target: Target, policy: StoragePolicy) -> str:
    """What the thumbnail of `target` is: its format and quality, or what decides them."""
    transform = thumb.transform
    own = auto_output(policy.file_name(target.path))
    by_accept = f"by Accept: {', '.join((*policy.negotiable, ''))}or {own}"
    output = by_accept if target.transform.format == AUTO else str(transform.format)
    if output == JSON:
        output = ", ".join(("data about the original and the size of its thumbnail", *transform.data))
    return output + (f", quality {transform.quality}" if transform.quality else "")


def _require_time(target: Target) -> None:
    if target.expires is not None and target.expires <= time.time():
        raise Expired


def _private_mounts() -> Iterator[str]:
    return (found for view in private_views() if (found := view.mount()) is not None)


def _path_of(prefix: str) -> str:
    """The path of `prefix`, which may have a scheme and a host."""
    return urlsplit(prefix).path or "/"


def _beginning() -> str:
    return f"Thumbnail URLs here begin with {mount()}{{storage}}/thumbs/."


def _mistakes(path: str, policies: Mapping[str, StoragePolicy]) -> list[Mistake]:
    """The mistakes of a whole decoded path, the prefix included."""
    prefix = _path_of(mount())
    before, mistakes = len(prefix) - 1, []
    if not path.startswith(prefix):
        before = path.rfind("/", 0, max(0, path.find("/thumbs/")))
        if before < 0:
            return [Mistake(0, path, _beginning())]
        mistakes = [Mistake(0, path[: before + 1], _beginning(), prefix)]
    inner = path_mistakes(path[before:], policies, now=time.time())
    return mistakes + [replace(mistake, offset=mistake.offset + before) for mistake in inner]


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
