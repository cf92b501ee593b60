"""The candidates of a `<picture>`: their transforms, planned once for all originals of a storage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from thumbs.image.formats import OUTPUT_NAMES
from thumbs.image.outputs import JSON
from thumbs.image.transforms import Fit, Transform
from thumbs.problems import nearest
from thumbs.toolkit.errors import WrongSpec
from thumbs.toolkit.grid import Grid, parse_grid
from thumbs.toolkit.prepared import Prepared, Size
from thumbs.toolkit.thumb import NO_PICTURE
from thumbs.toolkit.urls import Urls, refusal

MODERN = ("avif", "webp")  # for a <source>, best first
_MOST_CHOICES = 500  # sizes of originals, for each plan
_FALLBACKS = ("jpeg", "png", "webp", "gif", "avif")  # what most browsers show first


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a caller wants of a picture, apart from its filters. `formats` are as the caller spells them."""

    spec: str
    widths: tuple[int, ...] = ()
    densities: tuple[float, ...] = (1, 2)
    sizes: str = ""
    formats: tuple[str, ...] = ()
    ratio: str = ""
    grid: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The candidates, smallest first, each with its descriptor (`400w`, `2x`, or empty); `main` is that of the `src`.

    `modern` are the same in other formats. `sizes` is empty where the descriptors are no widths.
    """

    main: Prepared
    steps: tuple[Prepared, ...]
    descriptors: tuple[str, ...]
    modern: tuple[tuple[str, tuple[Prepared, ...]], ...]
    sizes: str
    by_width: bool
    _choices: dict[object, "Choice"] = field(default_factory=dict, compare=False, repr=False)

    def choice(self, current: Urls, own: str, source: Size | None, *, named: bool) -> "Choice":
        """What an original of this size gets, whose own output format is `own`.

        `named`: the caller named the formats, so that one keeps the candidates that it can have.
        """
        key = (own, source)  # the formats belong to the plan, and so does `named`
        found = self._choices.get(key)
        if found is None:
            if len(self._choices) >= _MOST_CHOICES:
                self._choices.clear()
            found = self._choices[key] = _choose(current, self, own, source, named=named)
        return found

    def fitting(self, source: Size | None) -> tuple[int, ...]:
        """The candidates that are not larger than the source, as far as that is known; at least the smallest."""
        if source is None:
            return tuple(range(len(self.steps)))
        return tuple(index for index, step in enumerate(self.steps) if _fits(step.transform, source)) or (0,)

    def descriptor(self, index: int, source: Size | None) -> str:
        """That of a candidate: its true width, where it is known and widths decide."""
        size = self.steps[index].size(source) if self.by_width else None
        return self.descriptors[index] if size is None else f"{size[0]}w"


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates of one original, each with its descriptor: those of the `<img>`, and of each source."""

    main: Prepared
    fallback: tuple[tuple[Prepared, str], ...]
    sources: tuple[tuple[tuple[Prepared, str], ...], ...]
    sizes: str


def _choose(current: Urls, plan: Plan, own: str, source: Size | None, *, named: bool) -> Choice:
    fitting = plan.fitting(source)

    def among(steps: Sequence[Prepared], output: str) -> list[int]:
        return [index for index in fitting if current.encodable(steps[index], output, source)]

    def described(steps: Sequence[Prepared], indexes: Sequence[int]) -> tuple[tuple[Prepared, str], ...]:
        # Of candidates that are equally large, the first is kept.
        found = {plan.descriptor(index, source): steps[index] for index in reversed(indexes)}
        return tuple((step, descriptor) for descriptor, step in reversed(found.items()))

    fallback = among(plan.steps, own) or fitting[:1]
    sources = []
    for name, steps in plan.modern:
        indexes = among(steps, name)
        # A browser that takes a source sees no candidate of the others: it has all of them, or it is left out.
        if name != own and (len(indexes) == len(fitting) or (named and indexes)):
            sources.append(described(steps, indexes))
    main = plan.main if current.encodable(plan.main, own, source) else plan.steps[fallback[-1]]
    return Choice(main, described(plan.steps, fallback), tuple(sources), plan.sizes)


def check(current: Urls, wanted: Wanted) -> None:
    """Raise `WrongSpec` for a mistake in what does not depend on the storage."""
    for name in wanted.formats:
        if name not in OUTPUT_NAMES:
            raise WrongSpec(f"{name!r} is not a format of thumbnails. {nearest(name, OUTPUT_NAMES)}")
    if wanted.ratio:
        _factor(wanted.ratio)
    _grid(current, wanted)


def make(current: Urls, storage: str, wanted: Wanted, options: Mapping[str, object]) -> Plan:
    """Raises `WrongSpec` or `UnknownStorage`. A candidate that the storage does not offer is left out."""
    check(current, wanted)
    base = current.prepared(storage, wanted.spec, options)
    if base.transform.format == JSON:
        raise WrongSpec(NO_PICTURE)
    grid = _grid(current, wanted)
    widths = wanted.widths or (grid.widths if grid is not None else ())
    factor = _factor(wanted.ratio) if wanted.ratio else None
    transform = base.transform if factor is None else _with_ratio(base.transform, factor, widths)
    made = _by_width(transform, widths, factor) if widths else _by_density(transform, wanted.densities)
    steps = _offered([(_like(base, each), text) for each, text in made])
    prepared = tuple(step for step, _ in steps)
    return Plan(
        _main(base, transform, prepared),
        prepared,
        tuple(text for _, text in steps) if len(steps) > 1 or widths else ("",) * len(steps),
        _modern(base, prepared, wanted.formats),
        (wanted.sizes or (grid.sizes if grid is not None else "100vw")) if widths else "",
        bool(widths),
    )


def make_without_own(current: Urls, plan: Plan, wanted: Wanted, options: Mapping[str, object]) -> Plan:
    """The plan for an original whose own format the storage does not offer: the `<img>` has another one."""
    offered = next(name for name in _FALLBACKS if plan.main.policy.offers(name))
    modern = wanted.formats or tuple(name for name, _ in plan.modern)
    options = {**options, "format": offered}
    if plan.main.transform.frames != 1:  # no format that can be animated is offered: it would be that one
        options["frames"] = "first"
    return make(current, plan.main.policy.name, replace(wanted, formats=modern), options)


def _like(base: Prepared, transform: Transform) -> Prepared:
    # Whether it takes a focal point is its own matter: with a ratio it crops, and `base` may not.
    return Prepared(base.policy, transform, pinned=base.pinned)


def _fits(transform: Transform, source: Size) -> bool:
    width, height = transform.target
    if width is None:
        return height is None or height <= source[1]
    return width <= source[0]


def _grid(current: Urls, wanted: Wanted) -> Grid | None:
    if not wanted.grid:
        return None
    document = current.current.read.document
    return parse_grid(wanted.grid, document.breakpoints, document.container_width, wanted.densities)


def _factor(ratio: str) -> float:
    """Height by width."""
    width, separator, height = str(ratio).replace(":", "/").partition("/")
    try:
        factor = float(height if separator else 1) / float(width)
    except (ValueError, ZeroDivisionError):
        factor = 0
    if not 0 < factor < float("inf"):
        raise WrongSpec(f"A ratio is two numbers such as 16/9, not {ratio!r}.")
    return factor


def _with_ratio(transform: Transform, factor: float, widths: Sequence[int]) -> Transform:
    width, height = transform.width, transform.height
    if width is None:
        if height is None and not widths:
            raise WrongSpec("ratio= needs a width: in the spec, or widths= or grid=.")
        width = max(widths) if height is None else _whole(height / factor)
    return replace(transform, width=width, height=_whole(width * factor), fit=Fit.COVER, fill=None)


def _by_width(transform: Transform, widths: Sequence[int], factor: float | None) -> list[tuple[Transform, str]]:
    """One candidate for each width; of two sides, the height keeps their ratio."""
    if factor is None and transform.width is not None and transform.height is not None:
        factor = transform.height / transform.width
    padding, upright = transform.padding, transform.rotate in (0, 180)
    added = padding.left + padding.right if upright else 0
    return [
        (
            replace(transform, width=width, height=None if factor is None else _whole(width * factor), dpr=1),
            f"{width + added}w",
        )
        for width in sorted(set(widths))
    ]


def _by_density(transform: Transform, densities: Sequence[float]) -> list[tuple[Transform, str]]:
    if not _has_size(transform):
        return [(transform, "")]
    return [(replace(transform, dpr=density), f"{density:g}x") for density in sorted(set(densities))]


def _offered(steps: Sequence[tuple[Prepared, str]]) -> list[tuple[Prepared, str]]:
    """Raises `WrongSpec` where the storage offers none."""
    refused = [(step, refusal(step[0])) for step in steps]
    offered = [step for step, error in refused if error is None]
    if not offered:
        raise WrongSpec(f"{refused[0][1]} (all candidates of the storage {steps[0][0].policy.name})")
    return offered


def _main(base: Prepared, transform: Transform, steps: tuple[Prepared, ...]) -> Prepared:
    """The thumbnail of the `src`: as the spec says, in CSS pixels; without a size, the largest candidate."""
    if not _has_size(base.transform):
        return steps[-1]
    for each in (replace(transform, dpr=1), transform):
        main = _like(base, each)
        if refusal(main) is None:
            return main
    return steps[-1]


def _modern(
    base: Prepared, steps: tuple[Prepared, ...], formats: tuple[str, ...]
) -> tuple[tuple[str, tuple[Prepared, ...]], ...]:
    """The formats of the sources: those that were asked for, else the modern ones, unless the spec names a format."""
    names = [OUTPUT_NAMES[name] for name in formats]
    if not formats and base.transform.format is None:
        names = list(MODERN)
    found = []
    for name in dict.fromkeys(names):
        made = tuple(_like(base, replace(step.transform, format=name)) for step in steps)
        refused = next((error for step in made if (error := refusal(step)) is not None), None)
        if refused is None:
            found.append((name, made))
        elif formats:
            raise WrongSpec(f"{refused.detail} ({name} of the storage {base.policy.name})")
    return tuple(found)


def _has_size(transform: Transform) -> bool:
    return transform.width is not None or transform.height is not None


def _whole(value: float) -> int:
    return max(1, int(value + 0.5))
