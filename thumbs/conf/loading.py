"""Reads `settings.THUMBS`, or the `storages.json` that it names, into a checked configuration."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from thumbs import extras
from thumbs.conf import codecs
from thumbs.conf.dialect_rules import dialects_of
from thumbs.conf.dialects import DialectConf
from thumbs.conf.document import DUMMY, LEAST_IN_FILE, LEAST_IN_SETTINGS, DocumentConf, StorageConf
from thumbs.conf.keys import read
from thumbs.conf.object_rules import object_problems
from thumbs.conf.rules import problems_of
from thumbs.problems import INCOMPLETE, MISSING_KEY, ROOT_MISSING, WRONG_VALUE, Problem

UNREADABLE = "thumbs.E001"
DUPLICATE_NAME = "thumbs.E005"
VARIABLE_MISSING = "thumbs.E006"
WHOLE_ENVIRONMENT = "thumbs.W024"

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SET_IT = "Set it in the environment of the server, and of the commands."
_ENVIRON_HINT = 'Set "ENVIRON": True in THUMBS to look names up in the environment.'

# Of `settings.THUMBS`, in lower case: those of a document, and four that say where its values come from.
KEYS = (*(each.name for each in fields(DocumentConf)), "storages_file", "environ", "variables", "defaults")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration as read; a wrong value is replaced by its default. Usable only when no problem is an error.

    `from_file`: the storages are those of a document, not of a site's settings. `stores` has all storages of the
    document by name, for the layers of `storages` that are in one of them.
    """

    document: DocumentConf
    storages: tuple[StorageConf, ...]
    problems: tuple[Problem, ...]
    from_file: bool = False
    dialects: tuple[DialectConf, ...] = ()
    stores: Mapping[str, StorageConf] = field(default_factory=dict)

    @property
    def unusable(self) -> tuple[Problem, ...]:
        """The errors that keep a server from starting. A missing root fails only its own storage, and may come back."""
        return tuple(problem for problem in self.errors if problem.id != ROOT_MISSING)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if ".E" in problem.id)

    def require(self) -> None:
        """Raise `NotConfigured` unless a server can start with it."""
        if self.unusable:
            raise NotConfigured("; ".join(f"({error.id}) {error}" for error in self.unusable))


class NotConfigured(RuntimeError):
    """The configuration has errors. `manage.py check` lists them."""


class _DuplicateKeyError(ValueError):
    pass


def load(thumbs: object) -> Configuration:
    """Read `settings.THUMBS`: the document with its names in upper case, or `STORAGES_FILE`, the path of one.

    Where `STORAGES_FILE` is a list of paths, the first that exists counts.

    Each `${NAME}` in a text is looked up in `ENVIRON`: a mapping, or True for the environment.
    `DEFAULTS` has values for keys that neither sets.
    `VARIABLES` has, for keys whose values come from the environment, the names of the variables: problems name those.
    """
    problems: list[Problem] = []
    if not isinstance(thumbs, Mapping):
        problems.append(Problem(UNREADABLE, "THUMBS", "must be a dictionary."))
        thumbs = {}
    document = {str(name).lower(): value for name, value in thumbs.items()}
    of_environ: list[Problem] = []
    environ = _environ_of(document.pop("environ", {}), of_environ)
    defaults = document.pop("defaults", {})
    variables = document.pop("variables", {})
    path = document.pop("storages_file", None)
    where = "THUMBS"
    paths = _paths_of(path)
    from_file = bool(paths) and "storages" not in document
    if paths:
        where = _chosen(paths).name
        # THUMBS holds what the environment set: it takes precedence over the file.
        document = _document_of(paths, problems) | document
    elif path is not None:
        problems.append(Problem(WRONG_VALUE, "THUMBS.STORAGES_FILE", "must be the path of a file."))
    elif "storages" not in document and not problems:
        problems.append(Problem(MISSING_KEY, "THUMBS.storages", "is required.", LEAST_IN_SETTINGS))
    if problems:
        document.setdefault("storages", [])  # a second error, that it is missing, would only hide the first
    if isinstance(defaults, Mapping):
        document = {**defaults, **document}
    document = _expanded(document, environ, where, problems)
    configuration = _configuration(document, where, problems)
    places = {f"{where}.{key}": str(name) for key, name in variables.items()} if isinstance(variables, Mapping) else {}
    named = tuple(replace(each, where=places.get(each.where, each.where)) for each in configuration.problems)
    return replace(configuration, from_file=from_file, problems=(*of_environ, *named))


def may_have_dialects(thumbs: object) -> bool:
    """Whether `settings.THUMBS` names dialects, or a file, which may. Reads nothing."""
    return isinstance(thumbs, Mapping) and not {"DIALECTS", "STORAGES_FILE"}.isdisjoint(
        str(name).upper() for name in thumbs
    )


def caches_of(path: str | Path | Sequence[str], environ: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """The `caches` of a document in the form of Django's `CACHES`; empty when it cannot be read (a check says why).

    `path` is as `STORAGES_FILE`, and `environ` as `ENVIRON`. A `${NAME}` that is not set stays: a check reports it.
    """
    caches = _expanded(_document_of(_paths_of(path), []).get("caches"), environ, "", [])
    if not isinstance(caches, Mapping):
        return {}
    return {
        str(alias): {str(name).upper(): value for name, value in cache.items()}
        for alias, cache in caches.items()
        if isinstance(cache, Mapping)
    }


def text_of(path: str | Path | Sequence[str], key: str, environ: Mapping[str, object]) -> str:
    """A text at the top level of a document; empty when there is none, or it cannot be read or expanded.

    `path` and `environ` are as for `caches_of`.
    """
    unset: list[Problem] = []
    value = _expanded(_document_of(_paths_of(path), []).get(key), environ, "", unset)
    return value if isinstance(value, str) and not unset else ""


def _configuration(document: dict[str, object], where: str, problems: list[Problem]) -> Configuration:
    root = read(DocumentConf, document, where, problems)
    storages: list[StorageConf] = []
    names: set[str] = set()
    for number, item in enumerate(root.storages or ()):
        name = item.get("name") if isinstance(item, Mapping) else None
        place = f"storages[{name if isinstance(name, str) else number}]"
        before = len(problems)
        storage = read(StorageConf, item, place, problems)
        if storage.name in names:
            problems.append(Problem(DUPLICATE_NAME, place, "has the name of another storage."))
            continue
        if storage.name is None or storage.driver is None:  # they are required, and `problems` says so
            continue
        names.add(storage.name)
        if len(problems) == before:
            found = problems_of(storage, place, fetches=root.limits.fetches)
            # In mode dummy no storage is read, and a developer's machine need not have its files.
            problems.extend(each for each in found if root.mode != DUMMY or each.id != ROOT_MISSING)
        storages.append(storage)
    problems.extend(
        Problem(INCOMPLETE, f"storages[{storage.name}].presets_only", "offers nothing, for there are no presets.")
        for storage in storages
        if storage.presets_only and not root.presets
    )
    problems.extend(object_problems(storages))
    if root.metrics is True:
        problems.extend(extras.missing(f"{where}.metrics", "metrics", "metrics"))
    if root.tracing is True:
        problems.extend(extras.missing(f"{where}.tracing", "tracing", "otel"))
    problems.extend(_missing_codecs(root, storages, where))
    if not (root.storages or problems):
        least = LEAST_IN_SETTINGS if where == "THUMBS" else LEAST_IN_FILE
        problems.append(
            Problem(MISSING_KEY, f"{where}.storages", "holds no storage: there is nothing to serve.", least)
        )
    dialects = dialects_of(root, storages, problems)
    stores = {storage.name: storage for storage in storages}
    return Configuration(root, tuple(storages), tuple(problems), dialects=dialects, stores=stores)


def _missing_codecs(root: DocumentConf, storages: list[StorageConf], where: str) -> Iterator[Problem]:
    """Formats that the configuration names, and that nothing installed reads or writes."""
    for name in root.input_formats:
        yield from codecs.missing_reader(name, f"{where}.input_formats")
    for name, preset in root.presets.items():
        yield from codecs.missing_writer(preset.transform.format, f"{where}.presets.{name}")
    for storage in storages:
        for name in storage.formats or ():
            yield from codecs.missing_writer(name, f"storages[{storage.name}].formats")


def _paths_of(value: object) -> tuple[Path, ...]:
    """The paths in a value of `STORAGES_FILE`; none where it is something else."""
    values = (value,) if isinstance(value, str | Path) else value if isinstance(value, list | tuple) else ()
    return tuple(Path(each) for each in values) if all(isinstance(each, str | Path) for each in values) else ()


def _chosen(paths: Sequence[Path]) -> Path:
    """The first that exists, whether it can be read or not; the first of all where none does."""
    return next((path for path in paths if os.path.lexists(path)), paths[0])


def _document_of(paths: Sequence[Path], problems: list[Problem]) -> dict[str, object]:
    path = _chosen(paths)
    try:
        document = json.loads(path.read_text(), object_pairs_hook=_unique)
    except FileNotFoundError:
        hint = "Copy storages.example.json, or set STORAGES_CONFIG_PATH to your file."
        looked_at = ", ".join(str(each.absolute()) for each in paths)
        verb = "does not exist." if len(paths) == 1 else "do not exist: one of them must."
        problems.append(Problem(UNREADABLE, looked_at, verb, hint))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(UNREADABLE, str(path), f"cannot be read: {getattr(error, 'strerror', None) or error}."))
    except json.JSONDecodeError as error:
        where = f"{path}, line {error.lineno}, column {error.colno}"
        problems.append(Problem(UNREADABLE, where, f"is not JSON: {error.msg}."))
    except _DuplicateKeyError as error:
        problems.append(Problem(UNREADABLE, str(path), f"has the key {error} twice in one object."))
    else:
        if isinstance(document, dict):
            return document
        problems.append(Problem(UNREADABLE, str(path), 'must hold an object: {"storages": […]}.'))
    return {}


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise _DuplicateKeyError(repr(name))
        names.add(name)
    return dict(pairs)


def _environ_of(value: object, problems: list[Problem]) -> Mapping[str, object]:
    """Where `ENVIRON` has names looked up.

    True is for sites: Django's error reports show settings, and cleanse no mapping but a dictionary, by its names.
    """
    if isinstance(value, Mapping):
        if value and value == os.environ:
            sentence = "is the whole environment, and Django's error reports show it with the settings."
            problems.append(Problem(WHOLE_ENVIRONMENT, "THUMBS.ENVIRON", sentence, _ENVIRON_HINT))
        return value
    if value is not True:  # names are looked up all the same: that they are missing would only hide the error
        sentence = "must be True, or a dictionary of names and their values."
        problems.append(Problem(WRONG_VALUE, "THUMBS.ENVIRON", sentence, _ENVIRON_HINT))
    return os.environ


def _expanded(value: Any, environ: Mapping[str, object], where: str, problems: list[Problem]) -> Any:
    """`value` with every `${NAME}` replaced. An absent variable is a problem: it must not become an empty secret."""

    def replaced(match: re.Match[str]) -> str:
        found = environ.get(match[1])
        if not isinstance(found, str) or not found:
            sentence = f"names the environment variable {match[1]}, which is not set."
            hint = _SET_IT if environ is os.environ else f"In a Django site: {_ENVIRON_HINT}"
            problems.append(Problem(VARIABLE_MISSING, where, sentence, hint))
            return match[0]
        return found

    if isinstance(value, str):
        return _VARIABLE.sub(replaced, value)
    if isinstance(value, Mapping):
        return {
            name: item if str(name).startswith("_") else _expanded(item, environ, f"{where}.{name}", problems)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            _expanded(item, environ, f"{where}[{_label(item, number)}]", problems) for number, item in enumerate(value)
        ]
    return value


def _label(item: object, number: int) -> object:
    return item["name"] if isinstance(item, Mapping) and isinstance(item.get("name"), str) else number
