"""`thumb_cache_stats`: prints what the caches of each storage hold, and their hit ratios."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from thumbs.checks.config import TRANSIENT
from thumbs.conf.document import StorageConf
from thumbs.management.report import Report, report
from thumbs.management.selection import add_storage_argument, selected_storages


class Command(BaseCommand):
    help = "Print what each storage's caches hold, their hit ratios, the age of the entries, and the last sweep."
    requires_system_checks = ()  # selected_storages() checks ours, without the warnings

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_storage_argument(parser)
        parser.add_argument("--json", action="store_true", help="as JSON: bytes, seconds, Unix times")

    def handle(self, **options: object) -> None:
        reports, failed = [], []
        # Reading a cache needs no right to write to it.
        for conf in selected_storages(options["storage"], ignore=TRANSIENT):
            try:
                reports.append(self._report(conf))
            except (OSError, ValueError) as error:
                failed.append(conf.name)
                self.stderr.write(f"{conf.name}: cannot be read: {error}")
        if options["json"]:
            self.stdout.write(json.dumps({"storages": [each.data for each in reports]}, indent=2))
        else:
            self.stdout.write("\n\n".join("\n".join(each.lines) for each in reports))
        if failed:
            hint = "Run this as the server's user, and use a cache.disk.dir without other files in it."
            raise CommandError(f"Not read: {', '.join(failed)}. {hint}")

    def _report(self, conf: StorageConf) -> Report:
        def progress(shards: Iterable[Path]) -> Iterable[Path]:
            return tqdm(shards, desc=conf.name, unit="shard", disable=None, leave=False, file=self.stderr)

        return report(conf, now=time.time(), progress=progress)
