"""`picture`: a responsive `<picture>` of one original in several formats and sizes. It asks no storage or database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.templatetags.static import static
from django.utils.safestring import SafeString

from thumbs.errors import NotOffered, SizeOverLimit, ThumbError
from thumbs.image.formats import OUTPUT_NAMES, default_output
from thumbs.image.transforms import Fit, Transform
from thumbs.problems import nearest
from thumbs.toolkit.elements import attributes_text, divided, element
from thumbs.toolkit.errors import WrongSpec
from thumbs.toolkit.files import File, file_of
from thumbs.toolkit.grid import Grid, parse_grid
from thumbs.toolkit.placeholders import with_placeholder
from thumbs.toolkit.prepared import Extras, Prepared, Size
from thumbs.toolkit.thumb import NONE, Thumb, extras_of, nothing, place_of
from thumbs.toolkit.urls import Urls, urls

if TYPE_CHECKING:
    from django.db.models.fields.files import FieldFile

MODERN = ("avif", "webp")  # for a <source>, best first
_EAGER = {"loading": "eager", "decoding": "async", "fetchpriority": "high"}
_LAZY = {"loading": "lazy", "decoding": "async"}
_FALLBACKS = ("jpeg", "png", "webp", "gif", "avif")  # what most browsers show first


_NO_HTML = SafeString("")


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates of one format: its media type, and each URL with its descriptor (`400w`, `2x`, or empty)."""

    content_type: str | None
    urls: tuple[tuple[str, str], ...]

    @property
    def srcset(self) -> str:
        """The value of a `srcset`."""
        return ", ".join(f"{_without_comma(url)} {descriptor}".rstrip() for url, descriptor in self.urls)


@dataclass(frozen=True, slots=True)
class Picture:
    """A `<picture>`. Without an original it is false, and empty or the picture that stands for it.

    `sources` are the modern formats, best first; `fallback` are the candidates of the `<img>`.
    """

    img: Thumb = NONE
    sources: tuple[Candidates, ...] = ()
    fallback: Candidates | None = None
    sizes: str = ""
    html: SafeString = _NO_HTML

    def __bool__(self) -> bool:
        return bool(self.img)

    def __html__(self) -> SafeString:
        return self.html

    def __str__(self) -> str:
        return self.html


@dataclass(frozen=True, slots=True)
class _Plan:
    """The transforms of a picture, for all originals of a storage. `steps` have the descriptor of each candidate.

    `modern` are by format; `main` is that of the `src`.
    """

    main: Prepared
    steps: tuple[Prepared, ...]
    descriptors: tuple[str, ...]
    modern: tuple[tuple[str, tuple[Prepared, ...]], ...]
    sizes: str


def picture(  # noqa: PLR0913 - the options of one call
    source: "FieldFile | str | None",
    spec: str = "x",
    /,
    *,
    widths: Iterable[int | str] | str = (),
    densities: Iterable[float | str] | str = (1, 2),
    sizes: str = "",
    formats: Iterable[str] | str = (),
    alt: object = "",
    storage: str | None = None,
    version: object = None,
    lifetime: float | None = None,
    ratio: str = "",
    grid: str = "",
    empty: str = "",
    priority: bool = False,
    **attributes: object,
) -> Picture:
    """A `<picture>` of `source`, with one `<source>` per modern format that its storage offers.

    `widths` are pixels, or `densities` factors, of the candidates; both also as text with spaces. `sizes` is the
    attribute. `formats` replaces the modern formats. `ratio` (`16/9`) gives the height of each candidate. `grid`
    (`m6 l4`) gives `sizes` and `widths` from `BREAKPOINTS` and `CONTAINER_WIDTH` in THUMBS. `empty` is a static file
    that stands for a blank source. `priority` loads it eagerly. Of `attributes`, those with the name of a filter are
    filters; the others belong to the `<img>`, whose background is the placeholder that the row holds, unless
    `placeholder` is False. The rest is as for `thumb`, and so are the errors.
    """
    options, attributes = divided(attributes)
    current = urls()
    file = file_of(source)
    loading = _EAGER if priority else _LAZY
    if file is None or not file.name:
        current.check(spec, options)
        return _empty(current, "", empty, alt, {**loading, **attributes})
    served_by, key = place_of(current, file, source, storage)
    wanted = _Wanted(
        spec,
        _numbers(widths, "widths", int),
        _numbers(densities, "densities", float),
        sizes,
        tuple(formats.split() if isinstance(formats, str) else formats),
        ratio,
        grid,
    )
    plan = current.planned((served_by, wanted), options, lambda: _plan(current, served_by, wanted, options))
    own = default_output(key)
    if plan.main.transform.format is None and not plan.main.policy.offers(own):
        plan = current.planned((served_by, wanted, own), options, lambda: _plan_without(current, plan, wanted, options))
    extras = extras_of(file, version=version, lifetime=lifetime)
    try:
        return _made(current, plan, key, file, extras, {"alt": alt, **loading, **attributes})
    except ThumbError as error:
        nothing(current, file.name, error.detail)
        return _empty(current, file.name, empty, alt, {**loading, **attributes})


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a caller wants of a picture, apart from its filters."""

    spec: str
    widths: tuple[int, ...]
    densities: tuple[float, ...]
    sizes: str
    formats: tuple[str, ...]
    ratio: str
    grid: str


def _numbers(values: object, name: str, kind: type) -> tuple:  # type: ignore[type-arg]
    parts = values.split() if isinstance(values, str) else values
    try:
        numbers = tuple(kind(part) for part in parts)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        numbers = (0,)
    if any(number <= 0 for number in numbers):
        raise WrongSpec(f"{name} are numbers above 0, not {values!r}.")
    return numbers


def _empty(current: Urls, name: str, empty: str, alt: object, attributes: Mapping[str, object]) -> Picture:
    if not empty:
        if not name:
            nothing(current, name, "a blank source")
        return Picture()
    return Picture(html=element("img", {"src": static(empty), "alt": alt, **with_placeholder(attributes, None)}))


def _without_comma(url: str) -> str:
    """`url` with a comma at its end encoded: in a `srcset` it would end the candidate."""
    return f"{url[:-1]}%2C" if url.endswith(",") else url


# ------------------------------------------------------------------------------------- the plan


def _plan(current: Urls, storage: str, wanted: _Wanted, options: Mapping[str, object]) -> _Plan:
    base = current.prepared(storage, wanted.spec, options)
    transform = _with_ratio(base.transform, wanted.ratio)
    grid = _grid(current, wanted)
    widths = grid.widths if grid is not None and not wanted.widths else wanted.widths
    made = _by_width(transform, widths) if widths else _by_density(transform, wanted.densities)
    steps = [(Prepared(base.policy, each, pinned=not base.takes_focus), text) for each, text in made]
    steps = [step for step in steps if _is_offered(step[0])] or steps[:1]
    main = Prepared(base.policy, transform, pinned=not base.takes_focus) if _has_size(transform) else steps[-1][0]
    prepared = tuple(step for step, _ in steps)
    return _Plan(
        main,
        prepared,
        tuple(text for _, text in steps) if len(steps) > 1 or widths else ("",) * len(steps),
        tuple((name, tuple(_in_format(step, name) for step in prepared)) for name in _modern(base, wanted.formats)),
        wanted.sizes or (grid.sizes if grid is not None else ""),
    )


def _grid(current: Urls, wanted: _Wanted) -> Grid | None:
    if not wanted.grid:
        return None
    document = current.current.read.document
    return parse_grid(wanted.grid, document.breakpoints, document.container_width, wanted.densities)


def _with_ratio(transform: Transform, ratio: str) -> Transform:
    if not ratio:
        return transform
    width, separator, height = ratio.replace(":", "/").partition("/")
    try:
        factor = float(height if separator else 1) / float(width)
    except (ValueError, ZeroDivisionError):
        factor = 0
    if not 0 < factor < float("inf"):
        raise WrongSpec(f"A ratio is two numbers such as 16/9, not {ratio!r}.")
    side = transform.width or 1000
    return replace(transform, width=side, height=_whole(side * factor), fit=Fit.COVER, fill=None)


def _by_width(transform: Transform, widths: Sequence[int]) -> list[tuple[Transform, str]]:
    """One candidate for each width; of two sides, the height keeps their ratio."""
    made = []
    for width in sorted(set(widths)):
        height = None
        if transform.width is not None and transform.height is not None:
            height = _whole(width * transform.height / transform.width)
        made.append((replace(transform, width=width, height=height, dpr=1), f"{width}w"))
    return made


def _by_density(transform: Transform, densities: Sequence[float]) -> list[tuple[Transform, str]]:
    if not _has_size(transform):
        return [(transform, "")]
    return [(replace(transform, dpr=density), f"{density:g}x") for density in sorted(set(densities))]


def _modern(base: Prepared, formats: tuple[str, ...]) -> tuple[str, ...]:
    """The formats of the sources: those that were asked for, else the modern ones, unless the spec names a format."""
    for name in formats:
        if name not in OUTPUT_NAMES:
            raise WrongSpec(f"{name!r} is not a format of thumbnails. {nearest(name, OUTPUT_NAMES)}")
        if not base.policy.offers(OUTPUT_NAMES[name]):
            raise WrongSpec(f"The storage {base.policy.name} does not offer {name}.")
    if formats or base.transform.format is not None:
        return tuple(OUTPUT_NAMES[name] for name in formats)
    return tuple(name for name in MODERN if base.policy.offers(name))


def _plan_without(current: Urls, plan: _Plan, wanted: _Wanted, options: Mapping[str, object]) -> _Plan:
    """The plan for an original whose own format the storage does not offer: the `<img>` has another one."""
    offered = next(name for name in _FALLBACKS if plan.main.policy.offers(name))
    modern = wanted.formats or tuple(name for name, _ in plan.modern)
    return _plan(current, plan.main.policy.name, replace(wanted, formats=modern), {**options, "format": offered})


def _in_format(step: Prepared, name: str) -> Prepared:
    return Prepared(step.policy, replace(step.transform, format=name), pinned=not step.takes_focus)


def _is_offered(step: Prepared) -> bool:
    """False for a candidate over the limits. Raises `WrongSpec` for another one that the storage refuses."""
    try:
        step.outcome("x.jpg")
    except SizeOverLimit:
        return False
    except NotOffered as error:
        raise WrongSpec(f"{error.detail} ({step.policy.name})") from None
    except ThumbError:
        return True  # a matter of the original's format
    return True


def _has_size(transform: Transform) -> bool:
    return transform.width is not None or transform.height is not None


def _whole(value: float) -> int:
    return max(1, int(value + 0.5))


# ------------------------------------------------------------------------------- for one original


def _made(
    current: Urls, plan: _Plan, key: str, file: File, extras: Extras, attributes: Mapping[str, object]
) -> Picture:
    mount = current.mount(plan.main.policy)
    chosen = _fitting(plan, file.size)
    descriptors = _descriptors(plan, chosen, file.size)
    fallback = _candidates(plan.steps, descriptors, chosen, mount, key, extras)
    sources = []
    for name, steps in plan.modern:
        if name != plan.main.outcome(key).transform.format:
            sources.append(_candidates(steps, descriptors, chosen, mount, key, extras))
    url, content_type = plan.main.url(mount, key, extras)
    img = Thumb(url, content_type, plan.main, file.size, file.placeholder)
    attributes = with_placeholder(attributes, file.placeholder)
    return Picture(img, tuple(sources), fallback, plan.sizes, _html(img, sources, fallback, plan.sizes, attributes))


def _fitting(plan: _Plan, source: Size | None) -> tuple[int, ...]:
    """The candidates that are not wider than the source, as far as that is known; at least the smallest."""
    if source is None:
        return tuple(range(len(plan.steps)))
    fitting = [index for index, step in enumerate(plan.steps) if (step.transform.target[0] or 0) <= max(source[0], 1)]
    return tuple(fitting) or (0,)


def _descriptors(plan: _Plan, chosen: Sequence[int], source: Size | None) -> tuple[str, ...]:
    """Those of the plan, but the width that the smallest candidate has where that of the source is smaller."""
    size = plan.steps[0].size(source) if source is not None and chosen == (0,) else None
    if size is None or not plan.descriptors[0].endswith("w"):
        return plan.descriptors
    return (f"{size[0]}w", *plan.descriptors[1:])


def _candidates(
    steps: Sequence[Prepared], descriptors: Sequence[str], chosen: Sequence[int], mount: str, key: str, extras: Extras
) -> Candidates:
    made = [(steps[index].url(mount, key, extras), descriptors[index]) for index in chosen]
    return Candidates(made[0][0][1], tuple((url, text) for (url, _), text in made))


def _html(
    img: Thumb, sources: Sequence[Candidates], fallback: Candidates, sizes: str, attributes: Mapping[str, object]
) -> SafeString:
    size = {"width": img.width, "height": img.height} if img.width and img.height else {}
    srcset = {} if len(fallback.urls) == 1 and not sizes else {"srcset": fallback.srcset, "sizes": sizes or None}
    own = element("img", {"src": img.url, **srcset, **size, **attributes})
    if not sources:
        return own
    inner = "".join(
        f"<source{attributes_text({'type': each.content_type, 'srcset': each.srcset, 'sizes': sizes or None})}>"
        for each in sources
    )
    return SafeString(f"<picture>{inner}{own}</picture>")
