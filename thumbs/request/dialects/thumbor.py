"""URLs of thumbor 7 and imagor: a fixed order of segments, then filters, then the source.

    /{unsafe | hash}/[meta/][trim[:corner][:N]/][AxB:CxD/][[adaptive-][full-]fit-in/][[-]Wx[-]H/]
    [left|center|right/][top|middle|bottom/][smart/][filters:name(arguments):…/]source

thumbor matches the path as it was sent, imagor decodes it first; `Differences` has what else they do not share. What
both ignore is ignored.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from thumbs.errors import BadPath, SignatureRefused
from thumbs.request.dialects.dialect import Asked, Dialect, format_of_source, is_one_of, unquoted, unsupported
from thumbs.request.dialects.thumbor_filters import Differences, Filters, apply
from thumbs.request.dialects.thumbor_result import Geometry, fields_of

_TRIM = r"(?:(?P<trim>trim(?::(?P<corner>top-left|bottom-right))?(?::(?P<tolerance>[0-9]{1,3}))?)/)?"
_ALIGN = r"(?:(?P<halign>left|right|center)/)?(?:(?P<valign>top|bottom|middle)/)?(?:(?P<smart>smart)/)?"
_NUMBER, _SHARE = r"[0-9]{1,9}", r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})"


def _crop(number: str) -> str:
    return rf"(?:(?P<left>{number})x(?P<top>{number}):(?P<right>{number})x(?P<bottom>{number})/)?"


def _size(side: str) -> str:
    return rf"(?:(?P<flop>-)?(?P<width>{side})?x(?P<flip>-)?(?P<height>{side})?/)?"


_THUMBOR = re.compile(
    r"(?:debug/)?(?P<meta>meta/)?"
    + _TRIM
    + _crop(_NUMBER)
    + r"(?:(?P<adaptive>adaptive-)?(?P<full>full-)?(?P<fit>fit-in)/)?"
    + _size(rf"(?:{_NUMBER}|orig)")
    + _ALIGN
    + r"(?:filters:(?P<filters>.+?\))/)?"
    + r"(?P<source>.+)",
    re.DOTALL,
)
_IMAGOR = re.compile(
    r"/*(?P<meta>meta/)?"
    + _TRIM
    + _crop(_SHARE)
    + r"(?:(?P<adaptive>adaptive-)?(?P<full>full-)?(?P<fit>fit-in)/)?(?:(?P<stretch>stretch)/)?"
    + _size(_NUMBER)
    + rf"(?:(?P<pad_left>{_NUMBER})x(?P<pad_top>{_NUMBER})(?::(?P<pad_right>{_NUMBER})x(?P<pad_bottom>{_NUMBER}))?/)?"
    + _ALIGN
    + r"(?:filters:(?P<filters>(?:[^()/]|\((?:[^()]|\([^()]*\))*\))*)/)?"
    + r"(?P<source>.+)",
    re.DOTALL,
)
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
_NO_SOURCE = "The URL has no source."
_BASE64 = "b64:"

THUMBOR_DIFFERENCES = Differences(imagor=False, moving=("gif",))
IMAGOR_DIFFERENCES = Differences(imagor=True, moving=("gif", "webp"))


@dataclass(frozen=True, slots=True)
class _Read:
    """A verified path. `text` is what the pattern matches; `source_of` decodes the source in it."""

    text: str
    pattern: re.Pattern[str]
    differences: Differences
    source_of: Callable[[str], str]


def translate_thumbor(raw: str, dialect: Dialect) -> Asked:
    """What the path `raw` asks of thumbor, from its first slash on. Raises `BadRequest` or `SignatureRefused`."""
    first, _, rest = raw.partition("?")[0][1:].partition("/")
    if not (_is_unsafe(first, dialect) or _is_signed(dialect, unquote(first), rest)):
        raise SignatureRefused
    read = _Read(rest, _THUMBOR, THUMBOR_DIFFERENCES, lambda text: _loosely_unquoted(text).lstrip("/"))
    asked = _asked(read, dialect)
    return Asked(asked.source, asked.fields, ignored=asked.ignored)


def translate_imagor(raw: str, dialect: Dialect) -> Asked:
    """What the path `raw` asks of imagor, from its first slash on. Raises `BadRequest` or `SignatureRefused`.

    imagor reads the path as it was sent. Where the signature is not one of that, it reads the decoded path, in which a
    plus sign is a space. What is read is what was verified.
    """
    sent = raw.partition("?")[0].lstrip("/")
    decoded = unquoted(sent.replace("+", " "))
    (given, _, sent_rest), (first, _, rest) = sent.partition("/"), decoded.partition("/")
    is_unsafe = _is_unsafe(first, dialect)
    is_as_sent = not is_unsafe and _is_signed(dialect, given, sent_rest)
    if not (is_unsafe or is_as_sent or _is_signed(dialect, first, rest)):
        raise SignatureRefused

    def source_of(text: str) -> str:
        source = text.lstrip("/")
        if source.startswith(_BASE64):
            return _decoded(source.removeprefix(_BASE64))
        if not is_unsafe:  # decoded once more, also where the whole path was
            return _loosely_unquoted(source.replace("+", " "))
        return unquote(source) if _ESCAPE.search(source) else source

    return _asked(_Read(sent_rest if is_as_sent else rest, _IMAGOR, IMAGOR_DIFFERENCES, source_of), dialect)


def _is_unsafe(first: str, dialect: Dialect) -> bool:
    """Whether the URL says that it has no signature. Raises `SignatureRefused` where that is not allowed."""
    if first == "unsafe" and (dialect.unsafe or not dialect.keys):
        return True
    if not dialect.keys:
        raise SignatureRefused
    return False


def _is_signed(dialect: Dialect, given: str, message: str) -> bool:
    length = dialect.signature_length or None
    texts = [base64.urlsafe_b64encode(each).decode("ascii")[:length] for each in dialect.digests(message.encode())]
    return is_one_of(texts, given)


def _asked(read: _Read, dialect: Dialect) -> Asked:
    match = read.pattern.fullmatch(read.text)
    if match is None:
        raise BadPath(_NO_SOURCE)
    if match["meta"]:
        unsupported("meta/")
    parts = match.groupdict()
    filters = Filters(differences=read.differences, format=None)
    if parts.get("stretch"):
        filters.stretch = True
    for spelled in _filters_of(parts["filters"] or ""):
        apply(filters, spelled)
    source = read.source_of(parts["source"])
    own = format_of_source(source)
    fields = fields_of(Geometry.of(parts, alone=read.differences.imagor), filters, own, dialect.format)
    return Asked(source, fields, stem=filters.stem, expires=filters.expires, ignored=sorted(filters.ignored))


def _filters_of(text: str) -> list[str]:
    """Each filter as `name(arguments`. They are cut at `):`, for arguments may hold colons."""
    return [each.removesuffix(")") for each in text.split("):") if each] if text else []


def _loosely_unquoted(text: str) -> str:
    """`text` decoded once; a `%` that begins no escape is itself. Raises `BadPath` for what is not UTF-8."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise BadPath from None


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise BadPath(_NO_SOURCE) from None
