"""Reading untrusted structures into frozen dataclasses: each field is a key, with its kind and its default."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
# A kind takes a value and returns what it stands for. It raises ValueError with the end of "… must be".
Kind = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `id` is stable; `where` names the storage and the key."""

    id: str
    where: str
    sentence: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}" + (f" {self.hint}" if self.hint else "")


UNKNOWN_KEY = "thumbs.E002"
WRONG_VALUE = "thumbs.E003"
MISSING_KEY = "thumbs.E004"


def key(kind: Kind, *, default: Any = dataclasses.MISSING, required: bool = False, secret: bool = False) -> Any:
    """A field that is read with `kind`. Without a default the kind reads an empty object when the key is absent.

    A `secret` one may hold secrets, and is left out of every `repr`.
    """
    metadata = {"kind": kind, "required": required}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata, repr=not secret)
    absent = None if default is dataclasses.MISSING else default
    return dataclasses.field(default=absent, metadata=metadata, repr=not secret)


def read(cls: type[T], value: object, where: str, problems: list[Problem]) -> T:
    """`value` as a `cls`; what is wrong is added to `problems`, and its default stands in for it.

    Keys that start with `_` are comments.
    """
    if not isinstance(value, Mapping):
        problems.append(Problem(WRONG_VALUE, where, "must be an object of keys and values."))
        value, problems = {}, []  # which keys it lacks is then beside the point
    fields = {field.name: field for field in dataclasses.fields(cls) if field.metadata}  # type: ignore[arg-type]
    unknown = [str(name) for name in value if name not in fields and not str(name).startswith("_")]
    problems.extend(
        Problem(UNKNOWN_KEY, f"{where}.{name}", "is not a known key.", nearest(name, fields)) for name in unknown
    )
    arguments = {}
    for name, field in fields.items():
        if name in value:
            arguments[name] = _read_field(field, value[name], f"{where}.{name}", problems)
        elif field.metadata["required"]:
            problems.append(Problem(MISSING_KEY, f"{where}.{name}", "is required."))
        elif isinstance(field.metadata["kind"], _Nested):
            arguments[name] = field.metadata["kind"].read({}, f"{where}.{name}", problems)
    return cls(**arguments)


def nearest(name: str, known: "Mapping[str, object] | Sequence[str]") -> str:
    """A hint at the spelling that was meant, or at all there are."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else f"Known here: {', '.join(sorted(known))}."


def _read_field(field: "dataclasses.Field[Any]", value: object, where: str, problems: list[Problem]) -> object:
    kind = field.metadata["kind"]
    if isinstance(kind, _Nested):
        return kind.read(value, where, problems)
    try:
        return kind(value)
    except ValueError as error:
        problems.append(Problem(WRONG_VALUE, where, f"must be {error}."))
        return _default(field)


def _default(field: "dataclasses.Field[Any]") -> object:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


# ----------------------------------------------------------------------------------------- kinds


@dataclasses.dataclass(frozen=True, slots=True)
class _Nested:
    cls: type[Any]

    def read(self, value: object, where: str, problems: list[Problem]) -> object:
        return read(self.cls, value, where, problems)

    def __call__(self, value: Any) -> Any:
        return self.read(value, "", [])


def nested(cls: type[Any]) -> Kind:
    return _Nested(cls)


def text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text that is not empty")
    return value


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def whole(least: int, most: int | None = None) -> Kind:
    def kind(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least or (most and value > most):
            raise ValueError(f"a whole number from {least}" + (f" to {most}" if most else ""))
        return value

    return kind


def number(least: float) -> Kind:
    def kind(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < float("inf"):
            raise ValueError(f"a number from {least:g}")
        return float(value)

    return kind


def one_of(names: Sequence[str]) -> Kind:
    def kind(value: object) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return value

    return kind


def list_of(kind: Kind) -> Kind:
    def read_list(value: object) -> tuple[object, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ValueError("a list")
        return tuple(kind(item) for item in value)

    return read_list


def some_of(kind: Kind) -> Kind:
    several = list_of(kind)

    def read_some(value: object) -> tuple[object, ...]:
        read: tuple[object, ...] = several(value)
        if not read:
            raise ValueError("a list of at least one")
        return read

    return read_some


def one_or_list_of(kind: Kind) -> Kind:
    several = list_of(kind)

    def read_either(value: object) -> tuple[object, ...]:
        read = several(value) if isinstance(value, list | tuple) else (kind(value),)
        if not read:
            raise ValueError("at least one")
        return tuple(read)

    return read_either


def mapping_of(kind: Kind) -> Kind:
    def read_mapping(value: object) -> dict[str, object]:
        if not isinstance(value, Mapping):
            raise ValueError("an object")
        return {str(name): kind(item) for name, item in value.items()}

    return read_mapping


def anything(value: object) -> object:
    return value
