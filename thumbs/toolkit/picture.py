"""`picture`: a responsive `<picture>` of one original in several formats and sizes. It asks no storage or database."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString

from thumbs.errors import ThumbError
from thumbs.request.resolve import output_without_format
from thumbs.toolkit import plans
from thumbs.toolkit.elements import attributes_text, divided, element, img_attributes
from thumbs.toolkit.errors import WrongSpec
from thumbs.toolkit.files import File, file_of
from thumbs.toolkit.placeholders.background import with_placeholder
from thumbs.toolkit.plans import Choice, Wanted
from thumbs.toolkit.prepared import Extras, Prepared
from thumbs.toolkit.thumb import NONE, Thumb, extras_of, nothing, place_of, size_attributes, stand_in
from thumbs.toolkit.urls import Urls, urls

if TYPE_CHECKING:
    from django.db.models.fields.files import FieldFile

_NO_HTML = SafeString("")
_DENSITIES = (1, 2)
_MAX_DENSITY = 4  # of the filter dpr


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


def picture(  # noqa: PLR0913 - the options of one call
    source: "FieldFile | str | None",
    spec: str = "x",
    /,
    *,
    widths: Iterable[int | str] | str = (),
    densities: Iterable[float | str] | str = _DENSITIES,
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
    attributes = img_attributes(alt, attributes, priority=priority)
    current = urls()
    wanted = wanted_of(spec, widths, densities, sizes, formats, ratio, grid)
    file = file_of(source)
    if file is None or not file.name:
        check(current, wanted, options, storage)
        return _empty(current, "", empty, attributes)
    served_by, key = place_of(current, file, source, storage)
    plan = current.planned((served_by, wanted), options, lambda: plans.make(current, served_by, wanted, options))
    policy = plan.main.policy
    own = output_without_format(plan.main.transform, policy.file_name(key), policy)
    if plan.main.transform.format is None and not policy.offers(own):
        plan = current.planned(
            (served_by, wanted, own), options, lambda: plans.make_without_own(current, plan, wanted, options)
        )
    extras = extras_of(file, version=version, lifetime=lifetime)
    try:
        output = str(plan.main.outcome(key).transform.format)
        choice = plan.choice(current, output, file.size, named=bool(wanted.formats))
        return _made(current.mount(policy), choice, key, file, extras=extras, attributes=attributes)
    except ThumbError as error:
        nothing(current, file.name, error.detail)
        return _empty(current, file.name, empty, attributes)


def check(current: Urls, wanted: Wanted, options: Mapping[str, object], storage: str | None) -> None:
    """Raise `WrongSpec` or `UnknownStorage` for a mistake that does not depend on the original."""
    current.check(wanted.spec, options, storage)
    plans.check(current, wanted)


def wanted_of(*given: object) -> Wanted:
    """The spec, widths, densities, sizes, formats, ratio and grid that a caller gives; None stands for a default.

    Raises `WrongSpec` for what is not numbers.
    """
    spec, widths, densities, sizes, formats, ratio, grid = given
    factors = _numbers(_DENSITIES if densities is None else densities, "densities", float)
    if not all(1 <= factor <= _MAX_DENSITY for factor in factors):
        raise WrongSpec(f"densities are numbers from 1 to {_MAX_DENSITY}, not {densities!r}.")
    names = formats.split() if isinstance(formats, str) else formats or ()
    return Wanted(
        spec,  # type: ignore[arg-type]
        _numbers(() if widths is None else widths, "widths", int),
        factors or _DENSITIES,
        str(sizes or ""),
        tuple(names),  # type: ignore[arg-type]
        str(ratio or ""),
        str(grid or ""),
    )


def _numbers(values: object, name: str, kind: type) -> tuple:  # type: ignore[type-arg]
    parts = values.split() if isinstance(values, str) else values
    try:
        numbers = tuple(kind(part) for part in parts)  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError):
        numbers = (0,)
    if not all(number > 0 and math.isfinite(number) for number in numbers):
        raise WrongSpec(f"{name} are numbers above 0, not {values!r}.")
    return numbers


def _empty(current: Urls, name: str, empty: str, attributes: Mapping[str, object]) -> Picture:
    if not empty:
        if not name:
            nothing(current, name, "a blank source")
        return Picture()
    return Picture(html=stand_in(empty, attributes))


def _without_comma(url: str) -> str:
    """`url` with a comma at its end encoded: in a `srcset` it would end the candidate."""
    return f"{url[:-1]}%2C" if url.endswith(",") else url


# ------------------------------------------------------------------------------- for one original


def _made(
    mount: str, choice: Choice, key: str, file: File, *, extras: Extras, attributes: Mapping[str, object]
) -> Picture:
    """Raises `ThumbError`."""
    url, content_type = choice.main.url(mount, key, extras)
    fallback = _candidates(choice.fallback, mount, key, extras)
    sources = tuple(_candidates(steps, mount, key, extras) for steps in choice.sources)
    img = Thumb(url, content_type, choice.main, file.size, file.placeholder)
    html = _html(img, sources, fallback, choice.sizes, with_placeholder(attributes, file.placeholder))
    return Picture(img, sources, fallback, choice.sizes, html)


def _candidates(steps: Sequence[tuple[Prepared, str]], mount: str, key: str, extras: Extras) -> Candidates:
    made = [(step.url(mount, key, extras), descriptor) for step, descriptor in steps]
    return Candidates(made[0][0][1], tuple((url, descriptor) for (url, _), descriptor in made))


def _html(
    img: Thumb, sources: Sequence[Candidates], fallback: Candidates, sizes: str, attributes: Mapping[str, object]
) -> SafeString:
    srcset = {} if fallback.urls == ((img.url, ""),) else {"srcset": fallback.srcset, "sizes": sizes or None}
    own = element("img", {"src": img.url, **srcset, **size_attributes(img, attributes), **attributes})
    if not sources:
        return own
    inner = "".join(
        f"<source{attributes_text({'type': each.content_type, 'srcset': each.srcset, 'sizes': sizes or None})}>"
        for each in sources
    )
    return SafeString(f"<picture>{inner}{own}</picture>")
