"""All mistakes of a URL, or of a spec and options, each with its place. For developers, never for clients.

Every text that `grammar` or `resolve` refuses has at least one, and a text that they accept has none.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from thumbs.errors import SignatureRefused
from thumbs.http.messages import quoted_path
from thumbs.image.formats import format_of_extension
from thumbs.problems import closest, nearest
from thumbs.request.grammar import MAX_SEGMENT_BYTES, PREFIXES, SIZE, Address, Preset, split_name
from thumbs.request.mistakes.filters import Parts, read_filters
from thumbs.request.mistakes.keys import key_mistakes, name_mistakes
from thumbs.request.mistakes.located import NOT_UTF_8, Mistake, Span
from thumbs.request.mistakes.offers import offer_mistakes
from thumbs.request.mistakes.sizes import SIZES, Sides, near_size, sides_of
from thumbs.request.mistakes.specs import option_text, spec_mistakes, spec_text
from thumbs.request.mistakes.wanted import Wanted
from thumbs.request.policy import StoragePolicy
from thumbs.request.signing import Signer

__all__ = ["Mistake", "option_text", "path_mistakes", "spec_mistakes", "spec_text", "target_mistakes"]

_AFTER_STORAGE = "After the storage comes /thumbs/: /{storage}/thumbs/{size}/[filters:…/]{path}."
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]+")


def path_mistakes(path: str, policies: Mapping[str, StoragePolicy], *, now: float | None = None) -> tuple[Mistake, ...]:
    """The mistakes of a decoded path, from `/{storage}/thumbs/` on. Bytes that are not UTF-8 are surrogate escapes.

    With `now`, in Unix seconds, a URL that has expired has one too. If the storage is unknown, the rest is judged by
    the one with the nearest name.
    """
    whole = Span(0, path)
    mistakes = [] if path.startswith("/") else [whole.first().mistake("A path begins with a slash.", "/")]
    storage, after = whole.at(len(path) - len(path.removeprefix("/"))).partition("/")
    name = storage.text
    if name not in policies:
        near = closest(name, policies)
        mistakes.append(
            storage.mistake(f"There is no storage of this name.{'' if near else f' {nearest(name, policies)}'}", near)
        )
    policy = policies.get(name) or policies.get(closest(name, policies))
    if not after.text:
        return _in_order([*mistakes, after.mistake(_AFTER_STORAGE)])
    middle, rest = after.partition("/")
    if middle.text != "thumbs":
        near = closest(middle.text.lower(), ["thumbs"])
        mistakes.append(
            middle.mistake(_AFTER_STORAGE, near) if near else middle.first().mistake(_AFTER_STORAGE, "thumbs/")
        )
        rest = rest if near else after
    if not rest.text:
        mistakes.append(rest.mistake("Here comes what to make of which original: {size}/[filters:…/]{path}."))
        return _in_order(mistakes)
    target, wrong = _without_signature(rest, policy, name if name in policies else None)
    return _in_order([*mistakes, *wrong, *_of_target(target, policy, None, now)])


def target_mistakes(
    target: str,
    policy: StoragePolicy | None = None,
    *,
    presets: Mapping[str, Preset] | None = None,
    now: float | None = None,
) -> tuple[Mistake, ...]:
    """The mistakes of a decoded target, what comes after `/{storage}/thumbs/` and the signature.

    Without a policy, only what is the same for all storages is checked, and the names of presets if they are given.
    """
    return _in_order(_of_target(Span(0, target), policy, presets, now))


def _in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=lambda mistake: mistake.offset))


# ------------------------------------------------------------------------------------ signature


def _without_signature(rest: Span, policy: StoragePolicy | None, storage: str | None) -> tuple[Span, list[Mistake]]:
    """The target in `rest`, the path after `/thumbs/`, and what is wrong with the signature before it, or its absence.

    `storage` is None when its name is wrong: no signature can be right then.
    """
    first, after = rest.partition("/")
    second = after.partition("/")[0]
    if SIZE.fullmatch(first.text):
        missing = policy is not None and policy.signer is not None
        return rest, [_missing(rest)] if missing else []
    has_signature = SIZE.fullmatch(second.text) is not None and not first.text.startswith(PREFIXES)
    if policy is None:
        return after if has_signature else rest, []
    if policy.signer is None:
        sentence = "URLs of this storage are not signed: between /thumbs/ and the size stands nothing."
        return (after, [first.mistake(sentence)]) if has_signature else (rest, [])
    mistake = None if storage is None else _signature_mistake(first, Address(storage, None, after.text), policy.signer)
    if mistake is None and storage is not None:
        return after, []
    if has_signature or (_SIGNATURE.fullmatch(first.text) and len(first.text) == policy.signer.length):
        return after, [mistake] if mistake else []
    return rest, [_missing(rest)]


def _missing(rest: Span) -> Mistake:
    return rest.first().mistake(
        "URLs of this storage are signed, and here the signature is missing. `manage.py thumb_url` makes it."
    )


def _signature_mistake(signature: Span, address: Address, signer: Signer) -> Mistake | None:
    """Why a signature is wrong; never the right one."""
    if NOT_UTF_8.search(signature.text):
        return signature.mistake("These bytes are not UTF-8.")
    message = address.message
    if NOT_UTF_8.search(message):  # its own mistake
        return None
    if _is_right(signer, message, signature.text):
        return None
    others = {
        quoted_path(message): "It is that of the percent-encoded path, and the decoded one is signed.",
        message.removeprefix("/"): "It is that of the path without its first slash.",
        address.target: "It is that of what follows the signature, and /{storage}/thumbs/ before that is signed too.",
        f"/{address.target}": "It is that of what follows the signature, and /{storage}/thumbs/ is signed too.",
    }
    why = next(
        (why for other, why in others.items() if other != message and _is_right(signer, other, signature.text)), ""
    )
    if not why and len(signature.text) != signer.length:
        why = f"It has {len(signature.text)} characters, and those of this storage have {signer.length}."
    elif not why and not _SIGNATURE.fullmatch(signature.text):
        why = "A signature has only letters, digits, hyphens and underscores: base64url without padding."
    elif not why:
        why = (
            "It was made for another path or with another secret. What is signed is /{storage}/thumbs/ and all that "
            "follows the signature, percent-decoded. `manage.py thumb_url` makes a right one."
        )
    return signature.mistake(f"The signature is wrong. {why}")


def _is_right(signer: Signer, message: str, signature: str) -> bool:
    try:
        signer.verify(message, signature)
    except SignatureRefused:
        return False
    return True


# --------------------------------------------------------------------------------------- target


class _Head(NamedTuple):
    """The parts of a target before the path: `spelled` are the filters with their prefix, `rest` is what follows."""

    size: Span
    sides: Sides | None
    spelled: Span | None
    rest: Span


def _of_target(
    target: Span, policy: StoragePolicy | None, presets: Mapping[str, Preset] | None, now: float | None
) -> list[Mistake]:
    head, mistakes = _head_of(target)
    parts = Parts()
    if head.spelled is not None:
        parts, wrong = read_filters(head.spelled.partition(":")[1])
        mistakes += wrong
    path, named = split_name(head.rest.text)
    key = head.rest.at(0, len(path))
    name = None if named is None else head.rest.at(len(path) + len("/as/"))
    before = target.text[: head.rest.offset - target.offset].removesuffix("/")
    wanted = Wanted(
        target.at(0, len(before)),
        head.size,
        head.sides,
        parts,
        key=key,
        name=name,
        presets=presets if policy is None else policy.presets,
        policy=policy,
        now=now,
    )
    most = MAX_SEGMENT_BYTES if policy is None else policy.max_segment_bytes
    wrong = list(key_mistakes(key, max_segment_bytes=most))
    mistakes += wrong or _naming_mistakes(key, policy)
    if name is not None:
        file_name = key.text if policy is None else policy.file_name(key.text)
        mistakes += name_mistakes(name, file_name=file_name, output=wanted.transform.format)
    return [*mistakes, *offer_mistakes(wanted)]


def _naming_mistakes(key: Span, policy: StoragePolicy | None) -> list[Mistake]:
    """Why a path names no original that the storage reads, where paths name URLs."""
    if policy is None or policy.naming is None:
        return []
    try:
        policy.naming.canonical(key.text)
    except ValueError as error:
        return [key.mistake(f"This path must name {error}.")]
    return []


def _head_of(target: Span) -> tuple[_Head, list[Mistake]]:
    first, after = target.partition("/")
    second, behind = after.partition("/")
    if first.text.startswith(PREFIXES):
        if SIZE.fullmatch(second.text):
            both = target.at(0, second.end - target.offset)
            swapped = both.mistake("The size comes before the filters.", f"{second.text}/{first.text}")
            return _Head(second, sides_of(second.text), first, behind), [swapped]
        missing = target.first().mistake(f"The size is missing here. {SIZES}", "x/")
        return _Head(target.first(), None, first, after), [missing]
    spelled, rest = (second, behind) if second.text.startswith(PREFIXES) else (None, after)
    if SIZE.fullmatch(first.text):
        return _Head(first, sides_of(first.text), spelled, rest), []
    near = near_size(first.text)
    if not near and spelled is None and not _is_like_size(first.text):
        return _Head(target.first(), None, None, target), [first.mistake(SIZES, f"x/{first.text}")]
    return _Head(first, sides_of(near), spelled, rest), [first.mistake(SIZES, near)]


def _is_like_size(text: str) -> bool:
    """Whether a segment is rather a wrong size than the beginning of a path without a size before it."""
    return any(char.isdigit() for char in text) and format_of_extension(text) is None
