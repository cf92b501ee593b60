"""`run_cache_janitor`: deletes expired entries and orphaned files, and keeps every disk cache under its cap."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from thumbs.checks.config import TRANSIENT
from thumbs.management.log_stream import log_stderr
from thumbs.management.program import is_the_program
from thumbs.management.selection import add_storage_argument, selected_storages
from thumbs.server.janitor import INTERVAL_SECONDS, Janitor, sweep_until_signal
from thumbs.server.replacing import replace_process
from thumbs.wiring.caches import file_store


class Command(BaseCommand):
    help = "Delete expired entries and orphaned files and keep every disk cache under its cap, about every 30 seconds."
    requires_system_checks = ()  # selected_storages() checks ours, without the warnings

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_storage_argument(parser)
        parser.add_argument("--once", action="store_true", help="sweep once and exit")
        parser.add_argument("--dry-run", action="store_true", help="only print what would be removed; implies --once")
        parser.add_argument("--interval", type=float, default=INTERVAL_SECONDS, metavar="SECONDS")

    def handle(self, **options: object) -> None:
        log_stderr(self)
        # Some errors pass while it runs: then a sweep of that cache fails, and a later one does not.
        found = {conf.name: file_store(conf) for conf in selected_storages(options["storage"], ignore=TRANSIENT)}
        stores = {name: store for name, store in found.items() if store is not None}
        if not stores:
            raise CommandError("There is nothing to sweep: no storage has an enabled cache.disk with a dir.")
        interval = options["interval"]
        if not isinstance(interval, float) or not 0.1 <= interval <= 86400:
            raise CommandError("--interval takes seconds, 0.1 to 86400.")
        dry_run = bool(options["dry_run"])
        if options["once"] or dry_run:
            if not Janitor(stores, interval=interval, dry_run=dry_run, report=self.stdout.write).once():
                raise CommandError("A cache could not be swept; the log says which.")
            return
        if is_the_program(self):
            replace_process(sweep_until_signal, stores, interval)
        sweep_until_signal(stores, interval)
