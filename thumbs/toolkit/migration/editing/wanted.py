"""A thumbnail as Mage writes it: a spec and options, in a template, in Python, or as a preset."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from thumbs.image import colors
from thumbs.toolkit.migration.editing.edits import Unmapped

# What undoes the option of a preset. `upscale` depends on the size and is not among them.
_RESETS = {"fit": "cover", "gravity": "center"}


@dataclass(frozen=True, slots=True)
class Expression:
    """A value that only the running site knows: its text is taken over as it is."""

    text: str


Value = str | int | float | bool | Expression
Options = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Wanted:
    """`spec` is a size, or the name of a preset; `options` are filters by name."""

    spec: str
    options: Mapping[str, Value] = field(default_factory=dict)

    def adding(self, **options: Value) -> "Wanted":
        return replace(self, options={**self.options, **options})

    @property
    def is_fixed(self) -> bool:
        """Whether its width and height are known without the original. A preset's are not known here."""
        width, _, height = self.spec.partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            return False
        fit = str(self.options.get("fit", "cover"))
        return fit.startswith("fill") or (fit != "contain" and self.options.get("upscale") != "no")

    def in_template(self, quote: str = '"') -> str:
        """`"400x300" fit="contain"`."""
        options = (f"{name}={_literal(value, quote)}" for name, value in self.options.items())
        return " ".join([f"{quote}{self.spec}{quote}", *options])

    def in_python(self) -> str:
        """`"400x300", fit="contain"`."""
        options = (f"{name}={_literal(value, chr(34))}" for name, value in self.options.items())
        return ", ".join([f'"{self.spec}"', *options])

    def as_preset(self) -> dict[str, str]:
        """The value of a preset. Raises `Unmapped` for a value that only the running site knows."""
        if any(isinstance(value, Expression) for value in self.options.values()):
            raise Unmapped("A preset has constant values only.")
        filters = ";".join(name if value is True else f"{name}({value})" for name, value in self.options.items())
        return {"size": self.spec, **({"filters": filters} if filters else {})}

    def beside(self, name: str, preset: "Wanted") -> "Wanted":
        """The same thumbnail, written as the preset `name` and what differs from it. Raises `Unmapped`."""
        changed = {key: value for key, value in self.options.items() if preset.options.get(key) != value}
        for key in preset.options.keys() - self.options.keys():
            if key == "upscale":
                cover = self.options.get("fit", "cover") == "cover"
                changed[key] = (
                    "yes" if cover and not self.spec.startswith("x") and not self.spec.endswith("x") else "no"
                )
            elif key in _RESETS:
                changed[key] = _RESETS[key]
            else:
                raise Unmapped(f"Nothing takes the preset's {key} back.")
        return Wanted(name if self.spec == preset.spec else f"{name} {self.spec}", changed)


def sized(width: int | None, height: int | None, *, cover: bool, upscale: bool, **options: Value) -> Wanted:
    """A thumbnail of these sides, in pixels: cut to them (`cover`) or inside them. None: as the other side gives it."""
    if not width and not height:
        raise Unmapped("It names no size.")
    fit: Options = {}
    if width and height:
        if not cover:
            fit["fit"] = "contain"
        if upscale is not cover:
            fit["upscale"] = "yes" if upscale else "no"
    elif upscale:
        fit["upscale"] = "yes"
    return Wanted(f"{width or ''}x{height or ''}", {**fit, **options})


def color(text: str) -> str:
    """A color of CSS, `#` left out, as Mage writes it. Raises `Unmapped` for what is no color of Mage."""
    bare = text.strip().removeprefix("#").lower()
    try:
        colors.parse(bare)
    except ValueError:
        raise Unmapped(f"{text!r} is no color of Mage: take a CSS name or hex digits.") from None
    return bare


def output_format(text: str) -> str:
    """The name of a format. Raises `Unmapped` for one that Mage does not write."""
    name = text.lower()
    if name not in ("jpeg", "jpg", "png", "webp", "avif", "gif"):
        raise Unmapped(f"Mage does not write {text}.")
    return "jpeg" if name == "jpg" else name


def quality(value: Value) -> Value:
    """A quality from 1 to 100, or an expression. Raises `Unmapped`."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, bool) or not str(value).isdecimal() or not 1 <= int(value) <= 100:
        raise Unmapped("A quality is a whole number from 1 to 100.")
    return int(value)


def preset_name(name: str) -> str:
    """The preset that stands for an alias or a name: `app:model:thumb` is `app_model_thumb`."""
    return re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_-")


def different_options(name: str, other: str) -> str:
    """Why two names, or one name that stands twice, have no preset."""
    return f"{name!r} and {other!r} are one preset, {preset_name(name)!r}, and have different options."


def fraction(percent: float) -> str:
    """Percent as a fraction of 1, for a focal point."""
    return f"{percent / 100:.4f}".rstrip("0").rstrip(".") or "0"


def _literal(value: Value, quote: str) -> str:
    if isinstance(value, Expression):
        return value.text
    return f"{quote}{value}{quote}" if isinstance(value, str) else str(value)
