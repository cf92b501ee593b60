"""The parts of a requested thumbnail, as far as they are right, for what may be wrong with them together."""

from collections.abc import Mapping
from dataclasses import dataclass

from thumbs.image.outputs import output_of_name
from thumbs.image.transforms import Transform
from thumbs.problems import closest
from thumbs.request.filter_codecs import Fields
from thumbs.request.filters import NOT_IN_TRANSFORM
from thumbs.request.grammar import Preset
from thumbs.request.mistakes import sizes
from thumbs.request.mistakes.filters import Parts
from thumbs.request.mistakes.located import Mistake, Span
from thumbs.request.mistakes.sizes import Sides
from thumbs.request.policy import StoragePolicy


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parts of a requested thumbnail, and what is known of the storage.

    `head` is all of it but the path: in a URL, size and filters. `sides` are those of the size, or of the nearest right
    one, if any. `key` is None where no original is known, `presets` and `policy` where no storage is. `now`, in Unix
    seconds, is None where nothing expires. `url` is False for a spec and options.
    """

    head: Span
    size: Span
    sides: Sides | None
    parts: Parts
    key: Span | None = None
    name: Span | None = None
    presets: Mapping[str, Preset] | None = None
    policy: StoragePolicy | None = None
    now: float | None = None
    url: bool = True

    @property
    def preset(self) -> Preset | None:
        """The preset, or the one with the nearest name."""
        part = self.parts.named("preset")
        name = str((part.fields or {}).get("preset", "")) if part else ""
        known = self.presets or {}
        return known.get(name) or known.get(closest(name, known))

    @property
    def lacks_preset(self) -> bool:
        """Whether filters are unknown because there is no preset like the one that is named."""
        return self.preset is None and self.parts.named("preset") is not None

    @property
    def named_format(self) -> str | None:
        """The format of the download name, or of none that is wrong."""
        return None if self.name is None else output_of_name(self.name.text)

    @property
    def transform(self) -> Transform:
        """What is asked for, as far as it is right."""
        preset, sides = self.preset, self.sides
        fields: Fields = {**(preset.fields if preset else {}), **self.parts.fields}
        if preset is not None and sides == (None, None):
            sides = sizes.sides_of(preset.size)
        width, height = sides or (None, None)
        if self.named_format is not None:
            fields.setdefault("format", self.named_format)
        kept = {name: value for name, value in fields.items() if name not in NOT_IN_TRANSFORM}
        return Transform(width=width, height=height, **kept)  # type: ignore[arg-type]

    def mistake_in(self, field: str, sentence: str, nearest: str) -> Mistake:
        """A mistake in the arguments of the filter that sets `field`, unless they are not written as arguments."""
        rewritten = any(part.arguments is part.whole and field in (part.fields or {}) for part in self.parts.filters)
        return self.source_of(field).mistake(sentence, "" if rewritten else nearest)

    def source_of(self, field: str) -> Span:
        """The part that sets `field`: the arguments of its filter, else the preset, else the size."""
        for part in self.parts.filters:
            if field in (part.fields or {}):
                return part.arguments if part.arguments.text else part.whole
        preset = self.parts.named("preset")
        return self.size if preset is None else preset.arguments
