"""The keys of the drivers that read a Django storage. It needs no Django."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from thumbs.problems import MISSING_KEY, Problem

_EXAMPLE = 'Such as "alias": "default", the media files of models.'


@dataclass(frozen=True, slots=True)
class AliasSettings:
    """Driver `django`: `alias` is a name in `settings.STORAGES`."""

    alias: str


@dataclass(frozen=True, slots=True)
class ClassSettings:
    """Any dotted path: `driver` is the path of a storage class, `options` are the arguments that it is made with."""

    driver: str
    options: Mapping[str, object] = field(default_factory=dict, repr=False)


StorageSettings = AliasSettings | ClassSettings


def problems(settings: AliasSettings) -> Iterator[Problem]:
    if not settings.alias:
        yield Problem(MISSING_KEY, "alias", "is required with driver django: a name in settings.STORAGES.", _EXAMPLE)
