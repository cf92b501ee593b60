"""What all URLs of one storage, size and filters have in common, computed once. A URL adds a key and a signature."""

import re
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlsplit

from thumbs.errors import TargetTooLong, ThumbError
from thumbs.http import messages
from thumbs.image import geometry
from thumbs.image.formats import format_of_extension
from thumbs.image.outputs import content_type_of
from thumbs.image.transforms import AUTO, ORIGINAL, Attention, Compass, Fit, Focus, Transform, Upscale
from thumbs.request import grammar
from thumbs.request.download_names import named_again
from thumbs.request.filters import build_filters
from thumbs.request.grammar import Address, Target
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import with_defaults, without_name
from thumbs.toolkit import cropped_focus

Size = tuple[int, int]
_MOST_PIXELS = 1 << 31  # of a side that a row may have: more is not the size of a picture
# Keys that mean one thing everywhere and need no percent-encoding: nearly all. Others take the way of `grammar`.
_PLAIN = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]*(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*")
_PLAIN_LENGTH = grammar.MAX_SEGMENT_BYTES
# Values that stand for those of a row while the text around them is made.
_ANY_FOCUS, _ANY_FOCUS_TEXT = Focus(0.123457, 0.765432), "0.123457,0.765432"
_ANY_VERSION = "~version~"
_USUAL = {".jpg": "jpeg", ".png": "png"}  # what `format_of_extension` says of most keys


class Extras(NamedTuple):
    """What a URL has of its row: a focal point and a version in the syntax of URLs, a download name, Unix seconds.

    `focus` is a point of the whole picture; `size` is its upright size, where the row has it.
    """

    focus: str | None = None
    version: str | None = None
    name: str | None = None
    expires: int | None = None
    size: Size | None = None


NO_EXTRAS = Extras()


class Outcome(NamedTuple):
    """What an original of one kind becomes. `size` is known without the original's, else None."""

    transform: Transform
    content_type: str | None
    size: Size | None


class Prepared:
    """URLs of one storage and one transform. `pinned`: the gravity was asked for, so no focal point replaces it."""

    __slots__ = (
        "_needs_key",
        "_outcomes",
        "_pieces",
        "_size",
        "_start",
        "pinned",
        "policy",
        "takes_focus",
        "transform",
    )

    def __init__(self, policy: StoragePolicy, transform: Transform, *, pinned: bool = False) -> None:
        self.policy = policy
        self.transform = transform
        self.pinned = pinned
        # Where a storage offers presets only, it offers none with another gravity.
        self.takes_focus = not pinned and not policy.presets_only and crops(transform)
        self._start = f"{policy.name}/thumbs/"
        self._size = known_size(transform)
        self._needs_key = transform.format in (None, AUTO)
        self._outcomes: dict[str, Outcome | ThumbError] = {}
        self._pieces: dict[tuple[bool, bool], tuple[str, ...]] = {}

    def url(self, mount: str, key: str, extras: Extras = NO_EXTRAS) -> tuple[str, str | None]:
        """The URL below `mount` of the original at `key`, and its media type, None where `Accept` decides it.

        The URL is percent-encoded, and signed if the storage has a secret. Raises the `ThumbError` that it would be
        answered with.
        """
        _, version, name, expires, _ = extras
        if self.policy.naming is not None:
            key = self.policy.path_of(key)
        if (
            name is None
            and expires is None
            and len(key) <= _PLAIN_LENGTH
            and self.policy.naming is None
            and _PLAIN.fullmatch(key)
            and "/as/" not in key
        ):
            content_type = self.outcome(key).content_type
            text = self._text(self._focus(extras), version)
            path = self._signed(text + key)
        else:
            path, content_type = self._by_grammar(key, extras)
        if len(mount) + len(path) > messages.MAX_TARGET_BYTES:
            _require_short(mount, path)
        return mount + path, content_type

    def outcome(self, key: str) -> Outcome:
        """What the original at `key` becomes; only the extension matters. Raises `ThumbError`."""
        if self.policy.naming is not None:
            key = self.policy.file_name(key)
        kind = (_USUAL.get(key[-4:]) or format_of_extension(key) or "") if self._needs_key else ""
        found = self._outcomes.get(kind)
        if found is None:
            found = self._outcomes[kind] = self._find_outcome(key, self.transform)
        if isinstance(found, ThumbError):
            raise type(found)(found.detail)  # another one: each gets its own traceback
        return found

    def size(self, source: Size | None) -> Size | None:
        """The size of the thumbnail of a source of this size; None when it cannot be known."""
        return self._size or (None if source is None else sized(self.transform, source))

    def _find_outcome(self, key: str, requested: Transform, *, named: bool = False) -> Outcome | ThumbError:
        """`named`: the format of `requested` is that of a download name."""
        try:
            transform, _ = with_defaults(requested, key, (), self.policy)
            unnamed = without_name(requested, key, self.policy) if named else None
            self.policy.check(requested, transform, unnamed)
        except ThumbError as error:
            return error
        unknown = requested.format in (AUTO, ORIGINAL)
        content_type = None if unknown else content_type_of(str(transform.format))
        return Outcome(transform, content_type, self._size)

    def _focus(self, extras: Extras) -> str | None:
        """The row's point as the engine takes it: gravity follows the crop. None where the gravity stays."""
        focus, crop = extras.focus, self.transform.crop
        if focus is None or not self.takes_focus:
            return None
        return focus if crop is None else cropped_focus.within(focus, crop, extras.size)

    def _text(self, focus: str | None, version: str | None) -> str:
        """The target up to the key."""
        kind = (focus is not None, version is not None)
        pieces = self._pieces.get(kind)
        if pieces is None:
            pieces = self._pieces[kind] = self._make_pieces(*kind)
        if len(pieces) == 1:
            return pieces[0]
        if focus is None:
            return f"{pieces[0]}{version}{pieces[1]}"
        return (
            f"{pieces[0]}{focus}{pieces[1]}"
            if version is None
            else f"{pieces[0]}{focus}{pieces[1]}{version}{pieces[2]}"
        )

    def _make_pieces(self, focus: bool, version: bool) -> tuple[str, ...]:
        transform = self.transform
        if focus:
            transform = replace(transform, gravity=_ANY_FOCUS)
        if version:
            transform = replace(transform, version=_ANY_VERSION)
        filters = build_filters(transform)
        start = f"{transform.width or ''}x{transform.height or ''}/" + (f"filters:{filters}/" if filters else "")
        marks = ([_ANY_FOCUS_TEXT] if focus else []) + ([_ANY_VERSION] if version else [])
        return tuple(re.split("|".join(map(re.escape, marks)), start)) if marks else (start,)

    def _signed(self, target: str) -> str:
        """With the storage and the signature before it; all of it needs no percent-encoding."""
        signer = self.policy.signer
        if signer is None:
            return self._start + target
        return f"{self._start}{signer.sign(f'/{self._start}{target}')}/{target}"

    def _by_grammar(self, key: str, extras: Extras) -> tuple[str, str | None]:
        """The path for any key and any extras, and the media type. Raises as `url` does."""
        self.policy.key_of(key)
        transform = self.transform
        focus = self._focus(extras)
        if focus is not None:
            x, _, y = focus.partition(",")
            transform = replace(transform, gravity=Focus(float(x), float(y)))
        if extras.version is not None:
            transform = replace(transform, version=extras.version)
        name = extras.name
        if name is None and grammar.looks_named(key):
            named = named_again(Target(key, transform), str(self.outcome(key).transform.format))
            name, transform = named.name, named.transform
        if name is not None and transform.format is None:
            transform = replace(transform, format=grammar.format_of_name(name))
        target = grammar.build(Target(key, transform, name, extras.expires))
        content_type = self._content_type(key, transform)
        signer = self.policy.signer
        signature = f"{signer.sign(Address(self.policy.name, None, target).message)}/" if signer else ""
        return messages.quoted_path(f"{self._start}{signature}{target}"), content_type

    def _content_type(self, key: str, requested: Transform) -> str | None:
        """The media type of a transform that may have the format of a download name. Raises as `outcome` does."""
        if requested.format == self.transform.format:
            return self.outcome(key).content_type
        found = self._find_outcome(self.policy.file_name(key), requested, named=True)
        if isinstance(found, ThumbError):
            raise found
        return found.content_type


def _require_short(mount: str, path: str) -> None:
    """Raise `TargetTooLong` for what the server refuses: it counts the path, and not a host before it."""
    if len(urlsplit(mount).path) + len(path) > messages.MAX_TARGET_BYTES:
        raise TargetTooLong


def crops(transform: Transform) -> bool:
    """Whether gravity decides which part of the picture is seen, so that a focal point can."""
    return transform.fit is Fit.COVER and None not in transform.target


def known_size(transform: Transform) -> Size | None:
    """The size of the thumbnail where it does not depend on that of the source, else None."""
    width, height = transform.target
    if width is None or height is None or transform.swap or isinstance(transform.upscale, Upscale):
        return None
    if transform.fit is not Fit.FILL and not (transform.upscales and transform.fit in (Fit.COVER, Fit.STRETCH)):
        return None
    return geometry.plan((width, height), replace(transform, crop=None, gravity=Compass.CENTER)).output


def sized(transform: Transform, source: Size) -> Size | None:
    """The size of the thumbnail of an upright source of this size; None where the pixels or an error decide."""
    if transform.trim is not None or min(source) < 1 or max(source) > _MOST_PIXELS:
        return None
    if isinstance(transform.gravity, Attention):
        transform = replace(transform, gravity=Compass.CENTER)
    try:
        return geometry.plan(source, transform).output
    except ThumbError:  # the crop lies outside
        return None
