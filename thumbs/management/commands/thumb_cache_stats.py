"""`thumb_cache_stats`: what the caches hold and how often that helped, storage by storage."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from thumbs.checks.config import STATE_OF_THE_MACHINE
from thumbs.conf.document import StorageConf
from thumbs.management.report import Report, report
from thumbs.management.selection import add_storage_argument, selected_storages


class Command(BaseCommand):
    help = "Tell what each storage's caches hold, how often that helped, how old it is, and when it was last swept."
    requires_system_checks = ()  # our own, in one line each and without the warnings

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_storage_argument(parser)
        parser.add_argument("--json", action="store_true", help="as JSON: bytes, seconds, Unix times")

    def handle(self, **options: object) -> None:
        reports, failed = [], []
        # Whoever may not write to a cache may look at it.
        for conf in selected_storages(options["storage"], but=STATE_OF_THE_MACHINE):
            try:
                reports.append(self._report(conf))
            except (OSError, ValueError) as error:
                failed.append(conf.name)
                self.stderr.write(f"{conf.name}: cannot be looked at: {error}")
        if options["json"]:
            self.stdout.write(json.dumps({"storages": [each.data for each in reports]}, indent=2))
        else:
            self.stdout.write("\n\n".join("\n".join(each.lines) for each in reports))
        if failed:
            hint = "Run this as the user that serves, and see that cache.disk.dir is a directory of Mage's alone."
            raise CommandError(f"Nothing is known of {', '.join(failed)}. {hint}")

    def _report(self, conf: StorageConf) -> Report:
        def passing(shards: Iterable[Path]) -> Iterable[Path]:
            return tqdm(shards, desc=conf.name, unit="shard", disable=None, leave=False, file=self.stderr)

        return report(conf, now=time.time(), passing=passing)
