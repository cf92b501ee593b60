"""`run_thumb_server`: gunicorn with the worker that suits it, and the janitor beside it."""

import contextlib
import logging
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from thumbs.conf import installation
from thumbs.conf.document import MAX_WORKERS, StorageConf
from thumbs.management.address import require_free
from thumbs.management.application import asgi_application
from thumbs.management.selection import require_configuration
from thumbs.server.supervisor import Supervisor
from thumbs.wiring.caches import disk_layer, file_store
from thumbs.wiring.process import configuration

logger = logging.getLogger("thumbs")


class Command(BaseCommand):
    help = "Serve thumbnails with gunicorn's asgi worker, and run the cache janitor beside it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", metavar="ADDRESS", help="HOST:PORT or unix:PATH; default: all addresses, PORT")
        parser.add_argument("--workers", type=int, metavar="N", help="worker processes; default: WEB_CONCURRENCY")
        parser.add_argument("--no-janitor", action="store_true", help="do not run run_cache_janitor beside the server")

    def check(self, *arguments: Any, **options: Any) -> None:
        """What is wrong with our own configuration in a line each, and then what Django finds in the whole site."""
        require_configuration()
        super().check(*arguments, **options)

    def handle(self, **options: object) -> None:
        """The system checks have passed when this runs: Django refuses to call it otherwise."""
        read = configuration()
        bind = f"0.0.0.0:{read.document.port}" if options["bind"] is None else str(options["bind"])
        workers = read.document.workers if options["workers"] is None else options["workers"]
        if not isinstance(workers, int) or not 1 <= workers <= MAX_WORKERS:
            raise CommandError(f"--workers takes a whole number from 1 to {MAX_WORKERS}.")
        application, remark = asgi_application()
        require_free(bind)
        logger.info("libvips %s", installation.libvips())
        if remark:
            self.stderr.write(remark)
        self._clear_on_startup(read.storages)
        server = [
            *(sys.executable, "-m", "gunicorn", application),
            *("--worker-class", "thumbs.server.worker.ThumbsWorker"),
            *("--bind", bind),
            *("--workers", str(workers)),
            # SPEC 1: what is over 2,048 bytes is a problem+json of ours, until gunicorn says 414 by itself.
            *("--limit-request-line", "8190"),
            *("--keep-alive", "75"),
            *("--graceful-timeout", "30"),
            *("--log-level", read.document.log_level.lower()),
            # The project is found wherever the command was started from.
            *("--pythonpath", ",".join(sys.path[: 2 if options.get("pythonpath") else 1])),
            "--no-control-socket",
        ]
        beside = []
        if not options["no_janitor"] and any(file_store(conf) for conf in read.storages):
            beside.append([sys.executable, *_this_program(), "run_cache_janitor", *_same_path(options)])
        with contextlib.ExitStack() as kept:
            if read.document.metrics:
                shared = kept.enter_context(tempfile.TemporaryDirectory(prefix="mage-metrics-"))
                # The workers add their counts up there; prometheus-client knows it by this variable only.
                server = ["env", f"PROMETHEUS_MULTIPROC_DIR={shared}", *server]
            check = [sys.executable, *_this_program(), "check", "--fail-level", "ERROR", *_same_path(options)]
            status = Supervisor(server, beside, check=check).run()
        sys.exit(status)

    def _clear_on_startup(self, storages: Sequence[StorageConf]) -> None:
        """Before the server and not in its workers: those start again whenever they like."""
        for conf in storages:
            layer = disk_layer(conf) if conf.cache.disk.clear_on_startup else None
            if layer is None:
                continue
            try:
                count = layer.clear()
            except Exception as error:  # an alias may be any cache
                raise CommandError(f"The disk cache of {conf.name} could not be cleared on startup: {error}") from error
            self.stderr.write(f"{conf.name}: cleared on startup, {count} entries")


def _this_program() -> list[str]:
    """What `python` is to be given to run another command of this project: manage.py, django-admin or `-m django`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return [sys.argv[0]] if spec is None else ["-m", spec.parent]


def _same_path(options: dict[str, object]) -> list[str]:
    path = options.get("pythonpath")
    return [f"--pythonpath={path}"] if path else []
