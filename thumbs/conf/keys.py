"""Reading untrusted structures into frozen dataclasses: each field is a key, with its kind and its default."""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from thumbs.problems import MISSING_KEY, UNKNOWN_KEY, WRONG_VALUE, Problem, nearest

T = TypeVar("T")
# A kind takes a value and returns what it stands for. It raises ValueError with the end of "… must be".
Kind = Callable[[Any], Any]


def key(kind: Kind, *, default: Any = dataclasses.MISSING, required: bool = False, secret: bool = False) -> Any:
    """A field that is read with `kind`. Without a default the kind reads an empty object when the key is absent.

    `secret`: the value may hold secrets, so `repr` leaves it out.
    """
    metadata = {"kind": kind, "required": required}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata, repr=not secret)
    absent = None if default is dataclasses.MISSING else default
    return dataclasses.field(default=absent, metadata=metadata, repr=not secret)


def read(cls: type[T], value: object, where: str, problems: list[Problem]) -> T:
    """`value` as a `cls`. Each wrong value adds to `problems`, and its default replaces it.

    Keys that start with `_` are comments.
    """
    made: T = _Nested(cls, _kinds_of(cls)).read(value, where, problems)
    return made


def _kinds_of(cls: type[Any]) -> dict[str, Kind]:
    return {field.name: field.metadata["kind"] for field in dataclasses.fields(cls) if field.metadata}


# ----------------------------------------------------------------------------------------- kinds


@dataclasses.dataclass(frozen=True, slots=True)
class _Overrides:
    """Reads an object into a dictionary of the keys that it has."""

    cls: type[Any]
    kinds: Mapping[str, Kind]

    def __call__(self, value: Any) -> Any:
        return self.read(value, "", [])

    def read(self, value: object, where: str, problems: list[Problem]) -> Any:
        if not isinstance(value, Mapping):
            problems.append(Problem(WRONG_VALUE, where, "must be an object of keys and values."))
            value, problems = {}, []  # it would be no help to report its keys as missing, too
        unknown = [str(name) for name in value if name not in self.kinds and not str(name).startswith("_")]
        problems.extend(
            Problem(UNKNOWN_KEY, f"{where}.{name}", "is not a known key.", nearest(name, self.kinds))
            for name in unknown
        )
        values: dict[str, Any] = {}
        for name, kind in self.kinds.items():
            place = f"{where}.{name}"
            if name not in value:
                self._absent(name, place, values, problems)
            elif isinstance(kind, _Overrides):
                values[name] = kind.read(value[name], place, problems)
            else:
                try:
                    values[name] = kind(value[name])
                except ValueError as error:
                    problems.append(Problem(WRONG_VALUE, place, f"must be {error}."))
        return values

    def _absent(self, name: str, place: str, values: dict[str, Any], problems: list[Problem]) -> None:
        pass


class _Nested(_Overrides):
    """Reads an object into `cls`: absent keys have their defaults."""

    def read(self, value: object, where: str, problems: list[Problem]) -> Any:
        return self.cls(**_Overrides.read(self, value, where, problems))

    def _absent(self, name: str, place: str, values: dict[str, Any], problems: list[Problem]) -> None:
        kind = self.kinds[name]
        if self.cls.__dataclass_fields__[name].metadata.get("required"):
            problems.append(Problem(MISSING_KEY, place, "is required."))
        elif isinstance(kind, _Nested):
            values[name] = kind.read({}, place, problems)


def nested(cls: type[Any], **kinds: Kind) -> Kind:
    """An object that is read into `cls`.

    A value class of another room has no `key` fields: then `kinds` has the kind of each field. The defaults are those
    of `cls` in both cases. Raises TypeError where a kind is missing or has no field.
    """
    if kinds and kinds.keys() != {field.name for field in dataclasses.fields(cls)}:
        raise TypeError(f"the kinds are not those of the fields of {cls.__name__}")
    return _Nested(cls, kinds or _kinds_of(cls))


def overrides(cls: type[Any], *, without: Collection[str] = ()) -> Kind:
    """An object that may have keys of `cls`, but none of `without`. It is read into a dictionary of the given keys."""
    return _Overrides(cls, {name: kind for name, kind in _kinds_of(cls).items() if name not in without})


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


def number(least: float, most: float | None = None) -> Kind:
    wanted = f"a number from {least:g}" + ("" if most is None else f" to {most:g}")

    def kind(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < float("inf"):
            raise ValueError(wanted)
        if most is not None and value > most:
            raise ValueError(wanted)
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
