"""From a decoded path to an order: verified, parsed, held against the storage's terms, with every default settled."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from thumbs.errors import BadFilter, MethodNotAllowed, NotOffered, StorageUnknown
from thumbs.http import messages
from thumbs.http.messages import CLOSED, Headers, Response
from thumbs.image.encoding import Encoding
from thumbs.image.formats import FALLBACK_OUTPUT, FORMATS, output_of
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import QualityTable, quality_for
from thumbs.image.transforms import AUTO, NO_PADDING, Transform
from thumbs.request import filters, grammar
from thumbs.request.grammar import Preset, Target
from thumbs.request.signing import Signer

# Part of every key: raise it when the same transform comes out as other pixels, and old entries are not found again.
RECIPE = "2"
_MAX_AGE = re.compile(rb"(?<![-a-z])max-age=([0-9]+)", re.IGNORECASE)
DEFAULT_CACHE_CONTROL = "public, max-age=86400"
IMMUTABLE = "public, max-age=31536000, immutable"  # RFC 8246; only where the URL names a content version
_VARY: Headers = ((b"Vary", b"Accept"),)


@dataclass(frozen=True, slots=True, eq=False)
class StoragePolicy:
    """What a storage accepts and how its answers are labelled. None as a set means that everything is offered."""

    name: str
    qualities: Mapping[str, QualityTable]
    output: OutputLimits
    signer: Signer | None = None
    sizes: frozenset[str] | None = None
    presets: Mapping[str, Preset] = field(default_factory=dict)
    presets_only: bool = False
    watermarks: Mapping[str, str] = field(default_factory=dict)  # what changes with the file of each
    encoding: Encoding = field(default_factory=Encoding)
    render_proxy: bool = False  # made of what originals were reduced to, where that is enough: other bytes
    formats: frozenset[str] | None = None
    cache_control: str | None = None
    headers: Headers = ()

    def check(self, asked: Transform, transform: Transform) -> None:
        """Raise `SizeOverLimit` or `NotOffered` for what this storage does not make, whatever the source is.

        `asked` is what the URL says, `transform` the same with every default settled.
        """
        self.output.check_target(transform)
        width, height = transform.target
        if self.presets_only and replace(asked, version=None) not in (each.transform for each in self.presets.values()):
            raise NotOffered
        # Padding would make any size of one that is offered.
        size = f"{width or ''}x{height or ''}" if transform.padding == NO_PADDING else "padded"
        if self.sizes is not None and size not in self.sizes:
            raise NotOffered
        if not self.offers(transform.format):
            raise NotOffered
        if transform.watermark is not None and transform.watermark.name not in self.watermarks:
            raise BadFilter("There is no watermark of this name.")

    def offers(self, output: str | None) -> bool:
        """Whether thumbnails of this format are made."""
        return self.formats is None or output in self.formats


@dataclass(frozen=True, slots=True, eq=False)
class ThumbRequest:
    """One thumbnail that may be made. Its transform has a format and, where the format takes one, a quality.

    `key` is `group/name` in every cache: the group stands for the original, the name for what to make of it. `spare` is
    what to make instead when AVIF would cost too much; `headers` are those of every good answer, `error_headers`
    those of a bad one.
    """

    storage: str
    path: str
    transform: Transform
    key: str
    headers: Headers
    error_headers: Headers
    fallback: Transform | None = None
    expires: int | None = None

    def headers_at(self, now: float) -> Headers:
        """The headers for a URL that expires: nobody may keep its picture for longer than the URL is good."""
        left = max(0, int((self.expires or 0) - now))
        return tuple(
            (name, _bounded(value, left)) if name == b"Cache-Control" else (name, value) for name, value in self.headers
        )

    @property
    def group(self) -> str:
        """The part of the cache key that all thumbnails of the original share."""
        return self.key.partition("/")[0]


def resolve(path: bytes, accepted: tuple[str, ...], policies: Mapping[str, StoragePolicy]) -> ThumbRequest:
    """Raises what the URL deserves: `BadRequest`, `StorageUnknown`, `SignatureRefused`, `NotOffered`, `SizeOverLimit`.

    `accepted` are the formats that the client takes for `format(auto)`, best first.
    """
    name, rest = grammar.split(messages.text_path(path))
    policy = policies.get(name)
    if policy is None:
        raise StorageUnknown
    address = grammar.address(name, rest, signed=policy.signer is not None)
    if policy.signer is not None:
        policy.signer.verify(address.message, address.signature or "")
    target = grammar.parse(address.target, policy.presets)
    transform, fallback = _settled(target, accepted, policy)
    policy.check(target.transform, transform)
    headers = _varied(policy.headers) if target.transform.format == AUTO else policy.headers
    return ThumbRequest(
        storage=name,
        path=target.path,
        transform=transform,
        key=f"{group_of(name, target.path)}/{_name_of(transform, fallback, policy)}",
        headers=_labels(target, policy) + headers,
        error_headers=headers,
        fallback=fallback,
        expires=target.expires,
    )


def preflight(path: bytes, policies: Mapping[str, StoragePolicy]) -> Response:
    """The answer to OPTIONS where a storage's headers switch CORS on. Raises `MethodNotAllowed` elsewhere.

    Everything that a preflight can ask for is allowed, for a thumbnail is only ever read.
    """
    policy = policies.get(grammar.split(messages.text_path(path))[0])
    if policy is None:
        raise StorageUnknown
    if not any(name.lower() == b"access-control-allow-origin" for name, _ in policy.headers):
        raise MethodNotAllowed
    allowed = ((b"Access-Control-Allow-Methods", b"GET, HEAD"), (b"Access-Control-Allow-Headers", b"*"))
    return Response(204, (*policy.headers, *allowed, (b"Access-Control-Max-Age", b"86400")))


def varying(path: bytes) -> Headers:
    """The `Vary` of an answer to a path that became no order: a `format(auto)` in it counts, good or not."""
    return _VARY if b"format(auto)" in path or b"fmt(auto)" in path else ()


def _varied(headers: Headers) -> Headers:
    """`headers` with Accept in their `Vary`, which is one line: of several, nginx before 1.23 reads only the last."""
    given = (value.decode().split(",") for name, value in headers if name.lower() == b"vary")
    others = [name.strip() for names in given for name in names if name.strip().lower() not in ("", "accept")]
    vary = "*" if "*" in others else ", ".join(("Accept", *others))
    return ((b"Vary", vary.encode()), *(header for header in headers if header[0].lower() != b"vary"))


def group_of(storage: str, path: str) -> str:
    """The part of a cache key that all thumbnails of one original share."""
    return _digest(f"{storage}\0{path}")


def _name_of(transform: Transform, fallback: Transform | None, policy: StoragePolicy) -> str:
    """What tells one thumbnail of an original from another, what the server's settings add to it included."""
    mark = "" if transform.watermark is None else policy.watermarks[transform.watermark.name]
    settings = "" if policy.encoding == Encoding() else repr(policy.encoding)
    settings += " reduced" if policy.render_proxy else ""
    width, height = transform.width or "", transform.height or ""
    instead = "" if fallback is None else f"{fallback.format} {fallback.quality}"
    return _digest(f"{RECIPE}|{width}x{height}|{filters.build_filters(transform)}|{instead}{settings}{mark}")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _settled(target: Target, accepted: tuple[str, ...], policy: StoragePolicy) -> tuple[Transform, Transform | None]:
    """The transform with every default settled, and what to make instead where AVIF that `auto` chose is too large.

    Of the formats that the storage offers, `auto` takes what the client likes best, else the source's own, else any.
    """
    transform = target.transform
    own = output_of(target.path)
    if transform.format != AUTO:
        return _with_output(transform, transform.format or own, policy), None
    transparent = _is_transparent(transform)
    candidates = (*accepted, own, FALLBACK_OUTPUT, "png", *sorted(policy.formats or ()))
    choices = [name for name in candidates if policy.offers(name) and (FORMATS[name].alpha or not transparent)]
    if transform.frames != 1:  # what moves is to go on moving, where that is offered
        choices = [name for name in (*choices, "gif") if FORMATS[name].animated and policy.offers(name)] or choices
    output = choices[0] if choices else own
    fallback = next((name for name in choices if name != "avif"), None) if output == "avif" else None
    return _with_output(transform, output, policy), _with_output(transform, fallback, policy) if fallback else None


def _is_transparent(transform: Transform) -> bool:
    return any(color.alpha == 0 for color in (transform.fill, transform.background) if color is not None)


def _with_output(transform: Transform, output: str, policy: StoragePolicy) -> Transform:
    quality = transform.quality
    if _is_transparent(transform) and not FORMATS[output].alpha:
        raise BadFilter("transparent needs an output format that can be transparent: png, webp, avif or gif.")
    if output not in policy.qualities:
        quality = None  # the format has none
    elif quality is None:
        quality = quality_for(policy.qualities, output, max(filter(None, transform.target), default=None))
    return replace(transform, format=output, quality=quality, upscale=transform.upscales)


def _bounded(cache_control: bytes, seconds: int) -> bytes:
    """`cache_control` for a URL that is good for `seconds`: nothing in it may let anybody keep the picture longer."""
    lower = cache_control.lower()
    if b"no-store" in lower or b"no-cache" in lower:
        return cache_control
    age = _MAX_AGE.search(cache_control)
    left = min(int(age[1]), seconds) if age else seconds
    return b"%s, max-age=%d" % (b"private" if b"private" in lower else b"public", left)


def _labels(target: Target, policy: StoragePolicy) -> Headers:
    cache_control = policy.cache_control or DEFAULT_CACHE_CONTROL
    if target.transform.version is not None:
        cache_control = IMMUTABLE
    labels: Headers = ((b"Cache-Control", cache_control.encode()), *CLOSED)
    if target.name is not None:
        labels += ((b"Content-Disposition", messages.disposition(target.name).encode()),)
    return labels
