"""What the commands have in common: a configuration without errors, and `--storage`."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from thumbs import checks
from thumbs.conf.document import StorageConf
from thumbs.conf.keys import nearest
from thumbs.wiring import NotConfigured, configuration


def require_configuration() -> None:
    """Raise CommandError with every error of our system checks, a line each."""
    try:
        checks.require()
    except NotConfigured as error:
        raise CommandError(str(error)) from error


def add_storage_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--storage", metavar="NAME", help="only this storage; default: all of them")


def selected_storages(name: object) -> tuple[StorageConf, ...]:
    """The storage called `name`, or all for None. Raises CommandError with the nearest name there is."""
    require_configuration()
    storages = configuration().storages
    if name is None:
        return storages
    chosen = tuple(conf for conf in storages if conf.name == name)
    if not chosen:
        raise CommandError(f"No storage is called {name!r}. {nearest(str(name), [conf.name for conf in storages])}")
    return chosen
