"""URLs of imgproxy 4: signature, options, source.

    /{signature}/{option}:{argument}:…/…/plain/{escaped source}[@{extension}]
    /{signature}/{option}:{argument}:…/…/{base64url of the source, cut by slashes anywhere}[.{extension}]

The rules are those of its sources and of recorded answers. Whatever it refuses is refused here.
"""

import base64
import binascii
import hmac
import re

from thumbs.errors import BadFilter, BadPath, SignatureRefused
from thumbs.request.dialects.dialect import Asked, Dialect, require_match, unquoted
from thumbs.request.dialects.imgproxy_options import apply, apply_presets
from thumbs.request.dialects.imgproxy_result import asked
from thumbs.request.dialects.imgproxy_values import Options

_MERGED = re.compile(r"/plain/(\S+):/([^/])")
_BASE64 = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_BAD_SOURCE = "The URL has no source that can be read: plain/ and an escaped source, or its base64url."
_BAD_EXTENSION = "A source has one extension at most, behind '@' if it is plain, else behind '.'."


def translate(raw: str, dialect: Dialect) -> Asked:
    """What the path `raw` asks for, from its first slash on. Raises `BadRequest` or `SignatureRefused`."""
    path = raw.partition("?")[0]
    signature, _, rest = path.removeprefix("//" if path.startswith("//") else "/").partition("/")
    rest = _repaired(f"/{rest}")
    _verify(signature, rest, dialect)
    segments = rest[1:].split("/")
    if not segments[0] and len(segments) > 1:
        del segments[0]
    options = Options()
    if "default" in dialect.presets:
        apply_presets(options, ["default"], dialect.presets)
    if dialect.presets_only:
        apply_presets(options, segments.pop(0).split(":"), dialect.presets)
    else:
        while segments and ":" in segments[0]:
            apply(options, segments.pop(0), dialect.presets)
    source, extension = _source(segments, dialect)
    if extension:
        apply(options, f"format:{extension}", dialect.presets)
    return asked(options, source, dialect)


def _repaired(path: str) -> str:
    """The path before what proxies do to it: colons of options escaped, slashes of a scheme merged."""
    left, plain, right = path.partition("/plain/")
    path = left.replace("%3A", ":") + plain + right
    for match in _MERGED.finditer(path):
        root = "/" if match[1] == "local" else ""
        path = path.replace(match[0], f"/plain/{match[1]}://{root}{match[2]}", 1)
    return path


def _verify(signature: str, message: str, dialect: Dialect) -> None:
    if not dialect.keys:
        if ":" in signature:
            raise SignatureRefused
        return
    if message.startswith("//"):
        raise SignatureRefused
    pairs = zip(dialect.keys, dialect.salts, strict=True)
    digests = [hmac.digest(key, salt + message.encode(), "sha256") for key, salt in pairs]
    require_match([_base64(digest[: dialect.signature_size]) for digest in digests], signature)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _source(segments: list[str], dialect: Dialect) -> tuple[str, str]:
    """The decoded source and the extension, which may be empty."""
    if segments and segments[0] == "plain" and len(segments) > 1:
        escaped, *extensions = "/".join(segments[1:]).split("@")
        source = unquoted(escaped)
    else:
        if dialect.base64_filename and len(segments) > 1:
            segments = segments[:-1]
        encoded, *extensions = "".join(segments).split(".")
        source = _decoded(encoded)
    if len(extensions) > 1:
        raise BadFilter(_BAD_EXTENSION)
    if not source:
        raise BadPath(_BAD_SOURCE)
    return source, extensions[0] if extensions else ""


def _decoded(encoded: str) -> str:
    if _BASE64.fullmatch(encoded) is None:
        raise BadPath(_BAD_SOURCE)
    stripped = encoded.rstrip("=")
    try:
        return base64.urlsafe_b64decode(stripped + "=" * (-len(stripped) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BadPath(_BAD_SOURCE) from None
