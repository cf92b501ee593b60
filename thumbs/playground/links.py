"""What a URL is: where it leads, what is wrong with it, what it makes, and how to write it elsewhere."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from django.urls import NoReverseMatch, reverse

from thumbs.conf.document import SIGNING_PAGES
from thumbs.errors import ThumbError
from thumbs.http.messages import MAX_TARGET_BYTES
from thumbs.image.formats import FORMATS
from thumbs.image.outputs import JSON, usual_extension
from thumbs.image.transforms import ORIGINAL
from thumbs.playground.wanted import Wanted, quoted
from thumbs.request import grammar
from thumbs.request.filters import build_filters
from thumbs.request.grammar import Address
from thumbs.request.mistakes.paths import path_mistakes
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, resolve
from thumbs.site.explain import output_of
from thumbs.site.printed import printed
from thumbs.site.private_views import private_mount
from thumbs.wiring.process import current

_PROBE = "x/thumbs/x"
_ALL = frozenset((*(name for name, row in FORMATS.items() if row.output), JSON))  # of a signed storage
# Of the original on the page, and of a thumbnail in a list: the first that the storage offers.
SHOWN = ("1600x1200/filters:fit(contain);upscale(no)", "1600x1200/filters:fit(contain)")
LISTED = ("240x180/filters:fit(cover);format(webp)", "240x180", "240x")
_TOO_LONG = f"The URL is longer than {MAX_TARGET_BYTES:,} bytes."


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong part of a URL: its place in the text, in UTF-16 units as in JavaScript, and what would be right."""

    start: int
    end: int
    sentence: str
    nearest: str


@dataclass(frozen=True, slots=True)
class Link:
    """A URL. `text` is the URL without a signature, of which `mistakes` are parts; `error` is what it is answered with.

    `url` is the one to open: a path of this server, signed if it has to be and may be. `facts` say what it makes.
    """

    url: str
    text: str
    thumb: ThumbRequest | None
    error: str
    mistakes: tuple[Wrong, ...]
    facts: tuple[tuple[str, str], ...]


def policies() -> dict[str, StoragePolicy]:
    """The policies of the storages that this server shows, as if none were signed; each offers what it does offer."""
    return {
        name: replace(
            policy, signer=None, formats=_ALL if policy.offers(JSON) and not policy.formats else policy.formats
        )
        for name, policy in current().policies.items()
        if not policy.private or private_mount(name) is not None
    }


def is_signed(storage: str) -> bool:
    """Whether the storage accepts only signed URLs."""
    return current().policies[storage].signer is not None


def signs() -> bool:
    """Whether the pages sign URLs and list originals."""
    return current().read.document.playground == SIGNING_PAGES


def mount_of(storage: str) -> str:
    """The path before `{storage}/thumbs/` on this server, whatever `url_prefix` says."""
    policy = current().policies.get(storage)
    if policy is not None and policy.private:
        return private_mount(storage) or "/"
    try:
        return reverse("thumbs:thumbnail", kwargs={"path": _PROBE}).removesuffix(_PROBE)
    except NoReverseMatch:  # a wrapper serves the thumbnails
        return urlsplit(current().read.document.url_prefix or "/").path


def link(wanted: Wanted) -> Link:
    """The link for these parts."""
    return link_of(f"/{wanted.storage}/thumbs/{wanted.target}")


def link_of(path: str) -> Link:
    """The link of a decoded path, from `/{storage}/thumbs/` on and without a signature."""
    known = policies()
    _, storage, *_ = [*path.split("/", 3), "", ""]
    mount = mount_of(storage)
    text = mount + quoted(path).removeprefix("/")
    shown = printed(text)
    before = len(mount) - 1
    thumb, error = None, ""
    try:
        accepted = known[storage].negotiable if storage in known else ()
        thumb = resolve(path.encode(errors="surrogateescape"), accepted, known)
    except ThumbError as refused:
        error = refused.detail
    url = _signed(path, mount) if storage in known and signs() else text
    if thumb is not None and len(url) > MAX_TARGET_BYTES:
        thumb, error = None, _TOO_LONG
    found = path_mistakes(path, known, now=time.time()) if error else ()
    located = [shown.located(replace(mistake, offset=mistake.offset + before)) for mistake in found]
    mistakes = tuple(
        Wrong(_units(text[: each.offset]), _units(text[: each.end]), each.sentence, each.nearest) for each in located
    )
    facts = () if thumb is None else tuple(_facts(thumb, path, known[storage]))
    return Link(url, shown.text, thumb, error, mistakes, facts)


def nothing(text: str, error: str) -> Link:
    """The link of a URL that is none of a thumbnail."""
    return Link("", text, None, error, (), ())


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _signed(path: str, mount: str) -> str:
    _, storage, _, target = [*path.split("/", 3), "", "", ""][:4]
    signer = current().policies[storage].signer
    if signer is None or not path.startswith(f"/{storage}/thumbs/"):
        return mount + quoted(path).removeprefix("/")
    try:
        signature = signer.sign(Address(storage, None, target).message)
    except UnicodeEncodeError:  # not UTF-8, which is a mistake
        return mount + quoted(path).removeprefix("/")
    return mount + quoted(f"{storage}/thumbs/{signature}/{target}")


def _facts(thumb: ThumbRequest, path: str, policy: StoragePolicy) -> Iterator[tuple[str, str]]:
    transform = thumb.transform
    width, height = transform.target
    sides = f"{width or 'by ratio'} × {height or 'by ratio'}" if width or height else "the original's"
    yield "size", sides
    yield "output", output_of(thumb, grammar.parse(path.split("/", 3)[3], policy.presets), policy)
    yield "filters, with all defaults", build_filters(transform).replace(";", "; ") or "none"
    yield "cache key", thumb.key


def first_offered(storage: str, key: str, targets: tuple[str, ...]) -> str:
    """The URL of the first of `targets` (size and filters) that the storage offers, else of any that it offers.

    Empty where it offers none, or where the URL would need a signature that the pages do not make.
    """
    if is_signed(storage) and not signs():
        return ""
    for target in (*targets, *_closed_set(policies()[storage])):
        size, _, spelled = target.partition("/filters:")
        made = link(Wanted(storage, key, size, spelled))
        if made.thumb is not None:
            return made.url
    return ""


def _closed_set(policy: StoragePolicy) -> Iterator[str]:
    yield from (f"x/filters:preset({name})" for name in policy.presets)
    yield from sorted(policy.sizes or ())


def start_of(policy: StoragePolicy) -> tuple[str, str]:
    """The size and the filters that the page begins with: what the storage offers."""
    if policy.presets_only:
        name = next(iter(policy.presets), "")
        return "x", f"preset({name})" if name else ""
    if policy.sizes is not None:
        both = [size for size in sorted(policy.sizes) if not size.startswith("x") and not size.endswith("x")]
        return (both or sorted(policy.sizes))[0], ""
    return "480x320", ""


def formats_of(wanted: Wanted) -> list[dict[str, str]]:
    """The URL of the same picture in each format that the storage offers; `original` is the stored file."""
    calls = [call for call in wanted.calls if call[0] != "data"]  # about the picture, and of no format but json
    plain = replace(wanted, name="", filters=";".join(f"{name}({text})" if text else name for name, text in calls))
    named = [(name, plain.with_filter("format", name)) for name, row in FORMATS.items() if row.output]
    # The stored file has no other filter but its version.
    kept = ";".join(f"{name}({text})" for name, text in wanted.calls if name in ("version", "expires"))
    named.append((ORIGINAL, replace(plain, size="x", filters=kept).with_filter("format", ORIGINAL)))
    found = ((name, link(each)) for name, each in named)
    return [{"name": name, "url": made.url} for name, made in found if made.thumb is not None]


def file_name(wanted: Wanted, thumb: ThumbRequest | None) -> str:
    """The name of a file for the picture."""
    own = wanted.key.rpartition("/")[2]
    if thumb is not None and thumb.transform.format == ORIGINAL:
        return quote(own, safe=" ")
    stem = own.rpartition(".")[0] or "thumbnail"
    extension = usual_extension(str(thumb.transform.format)) if thumb is not None else "jpg"
    return wanted.name or f"{quote(stem, safe=' ')}.{extension}"


def names() -> Mapping[str, tuple[str, ...]]:
    """The names of the configuration that filters take."""
    document = current().read.document
    return {"presets": tuple(sorted(document.presets)), "watermarks": tuple(sorted(document.watermarks))}
