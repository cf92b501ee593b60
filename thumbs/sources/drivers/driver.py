"""A driver: one kind of storage, as the value of `driver` in the configuration names it."""

from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any, Generic, TypeVar

from thumbs.problems import Problem
from thumbs.sources.object_store import ObjectStore
from thumbs.sources.served import Served
from thumbs.sources.source import Source

K = TypeVar("K")


def _as_text(settings: Any) -> str:
    return repr(settings)


def _no_problems(*_: Any) -> Iterator[Problem]:
    return iter(())


def no_store(_: Any) -> None:
    """Of a driver whose files are no objects of an object store."""


def _no_naming(_: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Driver(Generic[K]):
    """All that depends on the kind of a storage.

    `settings` is a dataclass: its fields are the driver's keys in the configuration. Where the names differ, the
    metadata of a field has the key. The functions of a row get an instance of it:

    * `build(settings, max_bytes, deadline)` makes the source: `max_bytes` limits one original, `deadline` is seconds
      for one call.
    * `served(settings, held_by)` is how the storage serves the files of the Django storage `held_by`, None where it
      does not. Raises what the constructor of a storage raises.
    * `place(settings)` is a text that says where the originals are: equal for storages with the same originals, and
      without secrets. It asks no storage.
    * `rules` finds problems in the settings alone; it works without Django.
    * `unsigned` finds problems that only a storage without a secret has, `busy` those with that many fetches at once.
    * `checks` finds problems that need a configured Django. It runs only if the rules found none.
    * `store(settings)` is the object store behind it, for a cache layer; None where that is something else. Opens no
      connection. Raises what the constructor of a storage raises.
    * `naming(settings)` is how paths name originals, a `request.grammar.Naming`; None where a path is the key.

    `max_segment_bytes` is the longest segment of a path, 0 for no limit.

    A problem of `rules` or `checks` has a key as its place. boto3, django-storages and Django are imported when a
    function is called, not before.
    """

    name: str
    settings: type[K]
    build: Callable[[K, int, float], Source]
    served: Callable[[K, object], Served | None]
    place: Callable[[K], str] = _as_text
    rules: Callable[[K], Iterator[Problem]] = _no_problems
    checks: Callable[[K], Iterator[Problem]] = _no_problems
    unsigned: Callable[[K], Iterator[Problem]] = _no_problems
    busy: Callable[[K, int], Iterator[Problem]] = _no_problems
    store: Callable[[K], ObjectStore | None] = no_store
    naming: Callable[[K], Any] = _no_naming
    max_segment_bytes: int = 0

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of this driver, which are errors with a driver that lacks them. `driver` is not among them."""
        return tuple(key for key in self._key_of_field().values() if key != "driver")

    def settings_of(self, conf: object) -> K:
        """The settings from `conf`, which has an attribute for each key. A required key that is absent is empty."""
        required = {field.name for field in fields(self.settings) if _is_required(field)}  # type: ignore[arg-type]
        values = {name: getattr(conf, key) for name, key in self._key_of_field().items()}
        return self.settings(**{name: "" if v is None and name in required else v for name, v in values.items()})

    def _key_of_field(self) -> dict[str, str]:
        return {field.name: field.metadata.get("key", field.name) for field in fields(self.settings)}  # type: ignore[arg-type]


def _is_required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
