"""`run_thumb_server`: runs gunicorn with Mage's worker, and the janitor beside it."""

import contextlib
import logging
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from thumbs import extras
from thumbs.checks import pages
from thumbs.conf import installation
from thumbs.conf.document import MAX_WORKERS, NO_PAGES, StorageConf
from thumbs.management.address import address_of, host_of, require_free
from thumbs.management.application import asgi_application
from thumbs.management.humanize import count_of
from thumbs.management.selection import require_configuration
from thumbs.server.supervisor import Supervisor
from thumbs.wiring.caches import disk_layer, file_store
from thumbs.wiring.process import configuration
from thumbs.wiring.rendering import description

logger = logging.getLogger("thumbs")


class Command(BaseCommand):
    help = "Serve thumbnails with gunicorn and Mage's own ASGI worker, and run the cache janitor beside it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", metavar="ADDRESS", help="HOST:PORT or unix:PATH; default: all addresses, PORT")
        parser.add_argument("--workers", type=int, metavar="N", help="worker processes; default: WEB_CONCURRENCY")
        parser.add_argument("--no-janitor", action="store_true", help="do not run run_cache_janitor beside the server")

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """Note the address of `--bind` for the checks; Django calls this before `check`."""
        if options["bind"] is not None:
            pages.use_host(host_of(str(options["bind"])))
        return super().get_check_kwargs(options)

    def check(self, *arguments: Any, **options: Any) -> None:
        """Report our own errors first, a line each, then run Django's checks of the whole site."""
        require_configuration()
        super().check(*arguments, **options)

    def handle(self, **options: object) -> None:
        """Serve until a signal ends the server. Django calls this only if the system checks pass."""
        if not extras.is_installed("server"):
            raise CommandError(f"{extras.sentence('run_thumb_server', 'server')} Run: {extras.command('server')}")
        loaded = configuration()
        bind = address_of(loaded.document) if options["bind"] is None else str(options["bind"])
        workers = loaded.document.workers if options["workers"] is None else options["workers"]
        if not isinstance(workers, int) or not 1 <= workers <= MAX_WORKERS:
            raise CommandError(f"--workers takes a whole number from 1 to {MAX_WORKERS}.")
        application, remark = asgi_application()
        require_free(bind)
        logger.info("libvips %s", installation.libvips())
        logger.info("%s", description(loaded.document.isolation))
        if remark:
            self.stderr.write(remark)
        self._clear_on_startup(loaded.storages)
        server = [
            *(sys.executable, "-m", "gunicorn", application),
            *("--worker-class", "thumbs.server.worker.ThumbsWorker"),
            *("--bind", bind),
            *("--workers", str(workers)),
            # Targets over 2,048 bytes get our own problem+json; gunicorn's plain 414 comes only beyond this.
            *("--limit-request-line", "8190"),
            *("--keep-alive", "75"),
            *("--graceful-timeout", "30"),
            *("--log-level", loaded.document.log_level.lower()),
            # So that the project can be imported from any working directory.
            *("--pythonpath", ",".join(sys.path[: 2 if options.get("pythonpath") else 1])),
            "--no-control-socket",
        ]
        # The workers and the check before a reload know the address from this variable only.
        address = ["env", f"MAGE_HOST={host_of(bind)}"] if loaded.document.playground != NO_PAGES else []
        server = [*address, *server]
        beside = []
        if not options["no_janitor"] and any(file_store(conf) for conf in loaded.storages):
            beside.append([sys.executable, *_this_program(), "run_cache_janitor", *_same_path(options)])
        with contextlib.ExitStack() as kept:
            if loaded.document.metrics:
                shared = kept.enter_context(tempfile.TemporaryDirectory(prefix="mage-metrics-"))
                # The workers add up their counts there. prometheus-client takes the directory from this variable only.
                server = ["env", f"PROMETHEUS_MULTIPROC_DIR={shared}", *server]
            check = [*address, sys.executable, *_this_program(), "check", "--fail-level", "ERROR", *_same_path(options)]
            status = Supervisor(server, beside, check=check).run()
        sys.exit(status)

    def _clear_on_startup(self, storages: Sequence[StorageConf]) -> None:
        """Clear disk caches before the server starts, not in its workers, which may restart at any time."""
        for conf in storages:
            layer = disk_layer(conf) if conf.cache.disk.clear_on_startup else None
            if layer is None:
                continue
            try:
                count = layer.clear()
            except Exception as error:  # an alias may be any cache
                raise CommandError(f"The disk cache of {conf.name} could not be cleared on startup: {error}") from error
            self.stderr.write(f"{conf.name}: cleared on startup, {count_of(count, 'entry', 'entries')}")


def _this_program() -> list[str]:
    """The arguments of `python` that run another command of this project: manage.py, django-admin or `-m django`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return [sys.argv[0]] if spec is None else ["-m", spec.parent]


def _same_path(options: dict[str, object]) -> list[str]:
    path = options.get("pythonpath")
    return [f"--pythonpath={path}"] if path else []
