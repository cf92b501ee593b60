"""Requests as values that can be drawn and changed: an original, a size, and filters, all in the real grammar."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from thumbs.errors import ThumbError
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, resolve

WATERMARK = "mark"
SIZES = (
    *("x", "16x16", "300x200", "1000x", "x1000", "1600x1200", "2000x2000", "2828x2828", "4000x4000", "5000x5000"),
    *("5120x5120", "5120x", "x5120", "5120x16", "16x5120", "1250x1250"),
)
# Each filter with arguments that differ in what they cost.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "format": ("jpeg", "png", "webp", "avif", "gif", "auto"),
    "quality": ("1", "50", "90", "100"),
    "fit": ("contain", "fill", "fill,ffcc0080", "stretch"),
    "pcrop": ("0,0,99,99", "1,1,100,100", "25,25,75,75", "0,0,1,1"),
    "gravity": ("smart", "entropy", "0.3,0.7", "southeast"),
    "upscale": ("yes", "no"),
    "linear": ("yes",),
    "dpr": ("1.5", "2", "4"),
    "trim": ("0", "10", "255", "10,ffffff"),
    "rotate": ("90", "180", "270"),
    "flip": ("",),
    "flop": ("",),
    "blur": ("0.5", "5", "30", "100"),
    "sharpen": ("", "2", "5", "10"),
    "grayscale": ("",),
    "brightness": ("30", "-100"),
    "contrast": ("50", "100"),
    "saturation": ("50", "-50"),
    "padding": ("1", "100", "500,1000"),
    "background": ("ffcc0080", "fff", "transparent"),
    "watermark": (WATERMARK, f"{WATERMARK},center,50,1", f"{WATERMARK},southeast,100,0.5"),
    "frames": ("all", "10", "100"),
    "max_bytes": ("1", "20000", "1000000"),
}
_POLICY = {"o": StoragePolicy("o", DEFAULT_QUALITIES, OutputLimits(), watermarks={WATERMARK: ""})}
_ACCEPTED = ("avif", "webp")
_MOST_FILTERS = 7
_EVERY = 8


@dataclass(frozen=True, slots=True)
class Recipe:
    """A request. `proxied`: for a storage that keeps sources, so that a proxy of the original is made first."""

    original: str
    size: str
    filters: tuple[tuple[str, str], ...] = ()
    proxied: bool = False

    def __str__(self) -> str:
        spelled = ";".join(name + (f"({arguments})" if arguments else "") for name, arguments in self.filters)
        return f"{self.size}/{f'filters:{spelled}' if spelled else ''}"

    def resolved(self) -> ThumbRequest | None:
        """What the grammar makes of it; None for a request that is refused before anything is rendered."""
        try:
            return resolve(f"/o/thumbs/{self}".rstrip("/").encode() + f"/{self.original}".encode(), _ACCEPTED, _POLICY)
        except ThumbError:
            return None


def first_recipes(originals: Sequence[str]) -> list[Recipe]:
    """The recipes that every search begins with: each original small and large, and some with the slowest filter."""
    small = Recipe("", "300x200", (("format", "webp"),))
    large = Recipe("", "5000x5000", (("format", "webp"), ("upscale", "yes")))
    slow = replace(large, filters=(("blur", "100"), *large.filters))
    rows = ((small, originals), (large, originals), (slow, originals[::_EVERY]))
    return [replace(row, original=name) for row, names in rows for name in names]


def drawn(chance: random.Random, originals: Sequence[str]) -> Recipe:
    """Any recipe."""
    names = chance.sample(sorted(ARGUMENTS), chance.randint(0, _MOST_FILTERS))
    filters = tuple((name, chance.choice(ARGUMENTS[name])) for name in sorted(names))
    return Recipe(chance.choice(originals), chance.choice(SIZES), filters, chance.random() < 0.1)


def changed(recipe: Recipe, chance: random.Random, originals: Sequence[str]) -> Recipe:
    """`recipe` with one or two changes."""
    for _ in range(chance.randint(1, 2)):
        kind = chance.random()
        if kind < 0.2:
            recipe = replace(recipe, original=chance.choice(originals))
        elif kind < 0.4:
            recipe = replace(recipe, size=chance.choice(SIZES))
        elif kind < 0.45:
            recipe = replace(recipe, proxied=not recipe.proxied)
        else:
            filters = dict(recipe.filters)
            name = chance.choice(sorted(ARGUMENTS))
            if name in filters and chance.random() < 0.4:
                del filters[name]
            elif len(filters) <= _MOST_FILTERS:
                filters[name] = chance.choice(ARGUMENTS[name])
            recipe = replace(recipe, filters=tuple(sorted(filters.items())))
    return recipe
