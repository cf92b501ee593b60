"""What the commands have in common: a configuration without errors, and `--storage`."""

from argparse import ArgumentParser
from collections.abc import Collection

from django.core.management.base import CommandError

from thumbs.checks import config
from thumbs.conf.document import StorageConf
from thumbs.problems import nearest
from thumbs.wiring.build import NotConfigured
from thumbs.wiring.process import configuration


def require_configuration(*, but: Collection[str] = ()) -> None:
    """Raise CommandError with every error of our system checks, `but` those, a line each."""
    try:
        config.require(but=but)
    except NotConfigured as error:
        raise CommandError(str(error)) from error


def add_storage_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--storage", metavar="NAME", help="only this storage; default: all of them")


def selected_storages(name: object, *, but: Collection[str] = ()) -> tuple[StorageConf, ...]:
    """The storage called `name`, or all for None. Raises CommandError with the nearest name there is.

    It raises that as well for what our system checks call errors, `but` those.
    """
    require_configuration(but=but)
    storages = configuration().storages
    if name is None:
        return storages
    chosen = tuple(conf for conf in storages if conf.name == name)
    if not chosen:
        raise CommandError(f"No storage is called {name!r}. {nearest(str(name), [conf.name for conf in storages])}")
    return chosen
