"""`run_cache_janitor`: deletes expired entries and orphaned files, and keeps every disk cache under its cap."""

import logging
import signal
import threading
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from thumbs.management.selection import add_storage_argument, selected_storages
from thumbs.server.janitor import INTERVAL_SECONDS, Janitor
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
        found = {conf.name: file_store(conf) for conf in selected_storages(options["storage"])}
        stores = {name: store for name, store in found.items() if store is not None}
        if not stores:
            raise CommandError("There is nothing to sweep: no storage has an enabled cache.disk with a dir.")
        interval = options["interval"]
        if not isinstance(interval, float) or not 0.1 <= interval <= 86400:
            raise CommandError("--interval takes seconds, 0.1 to 86400.")
        once, dry_run = bool(options["once"]), bool(options["dry_run"])
        output = self.stdout.write if once or dry_run else logging.getLogger("thumbs.janitor").info
        janitor = Janitor(stores, interval=interval, dry_run=dry_run, report=output)
        if once or dry_run:
            if not janitor.once():
                raise CommandError("A cache could not be swept; the log says which.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        janitor.run(stop)
