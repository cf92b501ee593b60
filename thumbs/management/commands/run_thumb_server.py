"""`run_thumb_server`: runs gunicorn with Mage's worker, and the janitor beside it."""

import contextlib
import logging
import os
import re
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError

from thumbs import extras
from thumbs.checks import pages
from thumbs.conf import installation
from thumbs.conf.document import JSON_LINES, MAX_WORKERS, NO_PAGES, StorageConf
from thumbs.management.address import address_of, host_of, require_free
from thumbs.management.application import asgi_application
from thumbs.management.humanize import count_of
from thumbs.management.log_stream import log_stderr
from thumbs.management.program import is_the_program
from thumbs.management.selection import require_configuration
from thumbs.server.replacing import replace_process
from thumbs.server.supervisor import Supervisor, supervise
from thumbs.wiring.caches import disk_layer, file_store
from thumbs.wiring.process import configuration
from thumbs.wiring.rendering import description

logger = logging.getLogger("thumbs")


class Command(BaseCommand):
    help = "Serve thumbnails with gunicorn and Mage's own ASGI worker, and run the cache janitor beside it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bind", metavar="ADDRESS", action="append", help="HOST:PORT or unix:PATH, repeatable; default: *:PORT"
        )
        parser.add_argument(
            "--socket-mode", metavar="MODE", help="mode of Unix sockets, octal, such as 660; default: 777"
        )
        parser.add_argument("--workers", type=int, metavar="N", help="worker processes; default: WEB_CONCURRENCY")
        parser.add_argument("--no-janitor", action="store_true", help="do not run run_cache_janitor beside the server")
        parser.add_argument("options", nargs="*", metavar="-- OPTIONS", help="options of gunicorn, after --")

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """Note the addresses of `--bind` for the checks; Django calls this before `check`."""
        if options["bind"] is not None:
            pages.use_hosts([host_of(bind) for bind in _binds(options["bind"])])
        return super().get_check_kwargs(options)

    def check(self, *arguments: Any, **options: Any) -> None:
        """Report our own errors first, a line each, then run Django's checks of the whole site."""
        log_stderr(self)
        require_configuration()
        super().check(*arguments, **options)

    def handle(self, **options: object) -> None:
        """Serve until a signal ends the server. Django calls this only if the system checks pass."""
        if not extras.is_installed("server"):
            raise CommandError(f"{extras.sentence('run_thumb_server', 'server')} Run: {extras.command('server')}")
        loaded = configuration()
        binds = _binds(options["bind"]) or [address_of(loaded.document)]
        umask, passed_on = _umask_of(options["socket_mode"]), _passed_on(options["options"])
        workers = loaded.document.workers if options["workers"] is None else options["workers"]
        if not isinstance(workers, int) or not 1 <= workers <= MAX_WORKERS:
            raise CommandError(f"--workers takes a whole number from 1 to {MAX_WORKERS}.")
        application, remark = asgi_application()
        for bind in binds:
            require_free(bind)
        logger.info("libvips %s", installation.libvips())
        logger.info("%s", description(loaded.document.isolation))
        if remark:
            self.stderr.write(remark)
        self._clear_on_startup(loaded.storages)
        server = [
            *(sys.executable, "-m", "gunicorn", application),
            *("--worker-class", "thumbs.server.worker.ThumbsWorker"),
            *(word for bind in binds for word in ("--bind", bind)),
            *("--workers", str(workers)),
            # Targets over 2,048 bytes get our own problem+json; gunicorn's plain 414 comes only beyond this.
            *("--limit-request-line", "8190"),
            *("--keep-alive", "75"),
            *("--graceful-timeout", "30"),
            *("--log-level", loaded.document.log_level.lower()),
            # So that the project can be imported from any working directory.
            *("--pythonpath", ",".join(sys.path[: 2 if options.get("pythonpath") else 1])),
            "--no-control-socket",
            *(("--umask", umask) if umask else ()),
            *(
                ("--logger-class", "thumbs.server.json_logger.JsonLogger")
                if loaded.document.log_format == JSON_LINES
                else ()
            ),
            *passed_on,
        ]
        # The workers and the check before a reload know the address, and how many share the cores, from these variables
        # only. Of several addresses, it is that one which the check of the playground is about.
        host = pages.most_exposed([host_of(bind) for bind in binds])
        variables = [
            *([f"MAGE_HOST={host}"] if loaded.document.playground != NO_PAGES else []),
            *([f"WEB_CONCURRENCY={workers}"] if options["workers"] is not None else []),
        ]
        env = ["env", *variables] if variables else []
        server = [*env, *server]
        beside = []
        if not options["no_janitor"] and any(file_store(conf) for conf in loaded.storages):
            beside.append([sys.executable, *_this_program(), "run_cache_janitor", *_same_path(options)])
        with contextlib.ExitStack() as kept:
            shared = None
            if loaded.document.metrics:
                shared = tempfile.mkdtemp(prefix="mage-metrics-")
                kept.callback(shutil.rmtree, shared, ignore_errors=True)
                # The workers add up their counts there. prometheus-client takes the directory from this variable only.
                server = ["env", f"PROMETHEUS_MULTIPROC_DIR={shared}", *server]
            check = [*env, sys.executable, *_this_program(), "check", "--fail-level", "ERROR", *_same_path(options)]
            in_json = loaded.document.log_format == JSON_LINES
            if is_the_program(self):
                replace_process(supervise, server, beside, check, in_json, shared)
            is_first = os.getpid() == 1  # of a container; elsewhere, other children are those of the site's own code
            status = Supervisor(server, beside, check=check, logs_check=in_json, adopts=is_first).run()
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


def _binds(given: object) -> list[str]:
    """The values of `--bind`: a list from the command line, or one text from `call_command`."""
    return (
        [] if given is None else [given] if isinstance(given, str) else [str(each) for each in cast(list[str], given)]
    )


def _umask_of(mode: object) -> str | None:
    """The umask with which gunicorn makes sockets of this mode, in octal. It uses it for nothing else."""
    if mode is None:
        return None
    if re.fullmatch(r"0?[0-7]{3}", str(mode)) is None:
        raise CommandError(f"--socket-mode takes an octal mode such as 660, not {mode!r}.")
    return f"{0o777 & ~int(str(mode), 8):04o}"


def _passed_on(given: object) -> list[str]:
    """The options of gunicorn after `--`. Raises CommandError for what is none: it may be a slip of the keyboard.

    An address among them is refused: neither the check of the playground nor that of free ports would know of it.
    """
    options = [] if given is None else [str(each) for each in cast(list[str], given)]
    if options and not options[0].startswith("-"):
        raise CommandError(f"There is no argument {options[0]!r}. Options of gunicorn come after --.")
    if options:
        from thumbs.server.options import name_address  # noqa: PLC0415 - it needs the extra `server`

        if name_address(options):
            raise CommandError("Addresses come before --: run_thumb_server takes --bind itself, also several times.")
    return options


def _this_program() -> list[str]:
    """The arguments of `python` that run another command of this project: manage.py, django-admin or `-m django`."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return [sys.argv[0]] if spec is None else ["-m", spec.parent]


def _same_path(options: dict[str, object]) -> list[str]:
    path = options.get("pythonpath")
    return [f"--pythonpath={path}"] if path else []
