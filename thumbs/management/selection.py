"""Shared by the commands: they require a configuration without errors, and select storages with `--storage`."""

from argparse import ArgumentParser
from collections.abc import Collection

from django.core.management.base import CommandError

from thumbs.checks import config
from thumbs.conf.document import StorageConf
from thumbs.conf.loading import NotConfigured
from thumbs.problems import ROOT_MISSING, nearest
from thumbs.wiring.process import configuration


def require_configuration(*, ignore: Collection[str] = ()) -> None:
    """Raise CommandError with a line for each error of our system checks, except the ids in `ignore`."""
    try:
        config.require(ignore=ignore)
    except NotConfigured as error:
        raise CommandError(str(error)) from error


def require_root(conf: StorageConf) -> None:
    """Raise CommandError where the root of `conf` is missing, for a command that ignores those of other storages."""
    place = f"storages[{conf.name}]."
    problems = [each for each in configuration().errors if each.id == ROOT_MISSING and each.where.startswith(place)]
    for problem in problems:
        if not config.message(problem).is_silenced():
            raise CommandError(f"({problem.id}) {problem}")


def add_storage_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--storage", metavar="NAME", help="only this storage; default: all storages")


def selected_storages(name: object, *, ignore: Collection[str] = ()) -> tuple[StorageConf, ...]:
    """The storage called `name`, or all storages for None.

    Raises CommandError for an unknown name, with the nearest one, and for errors of our system checks whose ids are not
    in `ignore`.
    """
    require_configuration(ignore=ignore)
    storages = configuration().storages
    if name is None:
        return storages
    chosen = tuple(conf for conf in storages if conf.name == name)
    if not chosen:
        raise CommandError(f"No storage is called {name!r}. {nearest(str(name), [conf.name for conf in storages])}")
    return chosen
