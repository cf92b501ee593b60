"""From a decoded path to a thumb request: verified, parsed, checked against the storage's policy, with all defaults."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from thumbs.errors import BadFilter, MethodNotAllowed, StorageUnknown
from thumbs.http import cache_control, messages
from thumbs.http.messages import Headers, Response
from thumbs.image.encoding import Encoding
from thumbs.image.formats import FALLBACK_OUTPUT, FORMATS, auto_output, default_output
from thumbs.image.outputs import JSON
from thumbs.image.quality import quality_for
from thumbs.image.transforms import AUTO, ORIGINAL, Transform, Upscale
from thumbs.request import filters, grammar
from thumbs.request.cache_tags import cache_tag
from thumbs.request.grammar import Target
from thumbs.request.headers import success_headers, with_vary
from thumbs.request.policy import StoragePolicy

# Part of every key. Raise it when the same transform gives other pixels: then no old entry is found any more.
RECIPE = "6"
# Filters that say how a picture is written, which data about it do not have.
NOT_FOR_DATA = ("quality", "max_bytes", "watermark")
_ORIGINAL_ALONE = "format(original) is the stored file: size x, and no other filter but version and expires."
# Outputs with a cap of their own on pixels, for which `auto` has another one ready.
_CAPPED = ("avif", "jxl")


@dataclass(frozen=True, slots=True, eq=False)
class ThumbRequest:
    """A verified request for one thumbnail. Its transform has a format and, where the format takes one, a quality.

    `key` is `group/name` in every cache: the group is the original, the name is the transform. `identity` is the same
    without the namespace: servers that share no cache give the same ETag. `fallback` is rendered instead when AVIF
    or JPEG XL would cost too much. `headers` belong to every successful response, `error_headers` to every
    error. `expires` is Unix seconds.
    """

    storage: str
    path: str
    transform: Transform
    key: str
    identity: str
    headers: Headers
    error_headers: Headers
    fallback: Transform | None = None
    expires: int | None = None

    def headers_at(self, now: float) -> Headers:
        """The headers for a URL that expires: no cache may keep the response longer than the URL is valid."""
        left = max(0, int((self.expires or 0) - now))
        return tuple(
            (name, cache_control.with_max_age(value, left)) if name == b"Cache-Control" else (name, value)
            for name, value in self.headers
        )

    @property
    def group(self) -> str:
        """The part of the cache key that all thumbnails of the original share."""
        return self.key.partition("/")[0]


def resolve(path: bytes, accepted: tuple[str, ...], policies: Mapping[str, StoragePolicy]) -> ThumbRequest:
    """The thumb request of a decoded path.

    `accepted` are the formats that `format(auto)` may choose for this client, best first. Raises `BadRequest`
    (`NotOffered` and `SizeOverLimit` among others), `StorageUnknown` or `SignatureRefused`.
    """
    name, rest = grammar.split(messages.decode_path(path))
    policy = policies.get(name)
    if policy is None:
        raise StorageUnknown
    address = grammar.address(name, rest, signed=policy.signer is not None)
    if policy.signer is not None:
        policy.signer.verify(address.message, address.signature or "")
    return thumb_of(grammar.parse(address.target, policy.presets), accepted, policy)


def thumb_of(target: Target, accepted: tuple[str, ...], policy: StoragePolicy) -> ThumbRequest:
    """The thumb request of a verified target in the storage of `policy`. Raises as `resolve` does."""
    name, key, file_name = policy.name, policy.key_of(target.path), policy.file_name(target.path)
    transform, fallback = with_defaults(target.transform, file_name, accepted, policy)
    unnamed = None if target.name is None else without_name(target.transform, file_name, policy)
    policy.check(target.transform, transform, unnamed)
    # The check of a private storage depends on the client, which a browser's cache knows by its cookies.
    varies = (*(["Accept"] if target.transform.format == AUTO else []), *(["Cookie"] if policy.private else []))
    headers = with_vary(policy.headers, varies) if varies else policy.headers
    if policy.cache_tag_header is not None:
        headers += ((policy.cache_tag_header, cache_tag(name, key).encode()),)
    own = success_headers(target, policy.cache_control, private=policy.private, keepable=policy.keepable)
    group, made = group_of(name, key, policy.namespace), _name_of(transform, fallback, policy)
    return ThumbRequest(
        storage=name,
        path=key,
        transform=transform,
        key=f"{group}/{made}",
        identity=f"{group_of(name, key) if policy.namespace else group}/{made}",
        headers=own + headers,
        error_headers=headers,
        fallback=fallback,
        expires=target.expires,
    )


def preflight(path: bytes, policies: Mapping[str, StoragePolicy]) -> Response:
    """The response to OPTIONS for a storage whose headers enable CORS. Raises `MethodNotAllowed` for any other.

    It allows everything that a preflight can ask for, because thumbnails can only be read.
    """
    policy = policies.get(grammar.split(messages.decode_path(path))[0])
    if policy is None:
        raise StorageUnknown
    if not any(name.lower() == b"access-control-allow-origin" for name, _ in policy.headers):
        raise MethodNotAllowed
    allowed = ((b"Access-Control-Allow-Methods", b"GET, HEAD"), (b"Access-Control-Allow-Headers", b"*"))
    return Response(204, (*policy.headers, *allowed, (b"Access-Control-Max-Age", b"86400")))


def group_of(storage: str, path: str, namespace: str = "") -> str:
    """The part of a cache key that all thumbnails of one original share."""
    return _digest(f"{namespace}\0{storage}\0{path}" if namespace else f"{storage}\0{path}")


def _name_of(transform: Transform, fallback: Transform | None, policy: StoragePolicy) -> str:
    """The second half of the key: a digest of everything that decides the bytes, server settings included."""
    watermark = "" if transform.watermark is None else policy.watermarks[transform.watermark.name]
    settings = "" if policy.encoding == Encoding() else repr(policy.encoding)
    settings += " reduced" if policy.render_proxy else ""
    settings += " turbo" if policy.turbo else ""
    width, height = transform.width or "", transform.height or ""
    fallback_name = "" if fallback is None else f"{fallback.format} {fallback.quality}"
    # Another encoder gives other bytes.
    outputs = (each.format for each in (transform, fallback) if each is not None and each.format is not None)
    settings += "".join(f" {policy.encoders[name]}" for name in outputs if name in policy.encoders)
    return _digest(f"{RECIPE}|{width}x{height}|{filters.build_filters(transform)}|{fallback_name}{settings}{watermark}")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def with_defaults(
    transform: Transform, path: str, accepted: tuple[str, ...], policy: StoragePolicy
) -> tuple[Transform, Transform | None]:
    """`transform` with all defaults for a key, and the fallback for a format that `auto` chose and whose cap is lower.

    Of the key, only its extension matters. Among the formats that the storage offers, `auto` prefers the client's, then
    that of `auto_output`, then any other.
    """
    if transform.format == JSON:
        return _of_data(transform), None
    if transform.data:
        raise BadFilter("data needs format(json).")
    if transform.format is None:
        return _with_output(transform, output_without_format(transform, path, policy), policy), None
    if transform.format == ORIGINAL:
        if transform != Transform(format=ORIGINAL, version=transform.version):
            raise BadFilter(_ORIGINAL_ALONE)
        return transform, None
    if transform.format != AUTO:
        if transform.frames != 1 and keeps_one_frame(transform.format):
            raise BadFilter("frames over 1 need an output format that can be animated: webp or gif.")
        return _with_output(transform, transform.format, policy), None
    own = auto_output(path)
    transparent = _is_transparent(transform)
    kinds = (policy.formats or frozenset()) - {JSON, ORIGINAL}
    candidates = (*accepted, own, FALLBACK_OUTPUT, "png", *sorted(kinds))
    choices = [name for name in candidates if policy.offers(name) and (FORMATS[name].alpha or not transparent)]
    if transform.frames != 1:  # keep an animation animated where the storage offers such a format
        animated = (name for name in (*choices[:1], "webp", "gif") if not keeps_one_frame(name))
        choices = [name for name in animated if policy.offers(name)] or choices
    output = choices[0] if choices else own
    fallback = next((name for name in choices if name not in _CAPPED), None) if output in _CAPPED else None
    return _with_output(transform, output, policy), _with_output(transform, fallback, policy) if fallback else None


def output_without_format(transform: Transform, path: str, policy: StoragePolicy | None) -> str:
    """The output format where the URL names none: the source's own, or JPEG where nothing writes that.

    With more than one frame, another one that can be animated where the own cannot, if the storage offers such a
    format. Without a policy, it offers all.
    """
    own = default_output(path)
    if policy is not None and policy.lacks(own):
        own = FALLBACK_OUTPUT
    if transform.frames == 1:
        return own
    offered = (name for name in (own, "webp", "gif") if policy is None or policy.offers(name))
    return next((name for name in offered if not keeps_one_frame(name)), own)


def without_name(transform: Transform, path: str, policy: StoragePolicy) -> Transform | None:
    """The transform of a URL without its download name, which `transform` has the format of; None where it is another.

    Then the name says what the thumbnail of this key is called, and no more.
    """
    unnamed = replace(transform, format=None)
    return unnamed if output_without_format(unnamed, path, policy) == transform.format else None


def keeps_one_frame(output: str) -> bool:
    """Whether pictures of this format are never animated here. Data count the frames."""
    return output in FORMATS and not FORMATS[output].animated


def _of_data(transform: Transform) -> Transform:
    """`transform`, whose format is `JSON`, with all defaults. Raises `BadFilter` for what only a file has."""
    if any(getattr(transform, name) is not None for name in NOT_FOR_DATA):
        raise BadFilter("format(json) makes no picture: quality, max_bytes and watermark do not go with it.")
    return replace(transform, upscale=transform.upscales)


def _is_transparent(transform: Transform) -> bool:
    return any(color.alpha == 0 for color in (transform.fill, transform.background) if color is not None)


def _with_output(transform: Transform, output: str, policy: StoragePolicy) -> Transform:
    quality = transform.quality
    if _is_transparent(transform) and not FORMATS[output].alpha:
        raise BadFilter("transparent needs an output format that can be transparent: png, webp, avif, jxl or gif.")
    if output not in policy.qualities:
        quality = None  # the format has no quality
    elif quality is None:
        quality = quality_for(policy.qualities, output, max(filter(None, transform.target), default=None))
    upscale = transform.upscale if isinstance(transform.upscale, Upscale) else transform.upscales
    linear = policy.encoding.linear if transform.linear is None else transform.linear
    return replace(transform, format=output, quality=quality, upscale=upscale, linear=linear)
