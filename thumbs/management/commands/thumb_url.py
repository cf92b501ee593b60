"""`thumb_url`: prints the URL of a thumbnail, or explains a URL."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from shutil import get_terminal_size

from django.core.management.base import BaseCommand, CommandError

from thumbs.checks.config import TRANSIENT
from thumbs.errors import ThumbError
from thumbs.management.caret import pointed_at
from thumbs.management.selection import require_configuration
from thumbs.site.explain import explain
from thumbs.site.explain_log import explain_log
from thumbs.site.links import UnknownStorage
from thumbs.toolkit.links import thumb_url


class Command(BaseCommand):
    help = "Print the (signed) URL of a thumbnail; with --explain, explain a URL and all that is wrong with it."
    requires_system_checks = ()  # require_configuration() checks ours, without the warnings

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("storage", nargs="?", help="the storage's name")
        parser.add_argument("path", nargs="?", help="the original's key in the storage")
        parser.add_argument("--size", default="x", help="400x300, 400x, x300, or x for the original size (default)")
        parser.add_argument("--filters", default="", help="as in a URL: 'format(webp);quality(70)'")
        parser.add_argument("--as", dest="name", metavar="NAME", help="the download name, such as tom.webp")
        parser.add_argument(
            "--lifetime", type=float, metavar="SECONDS", help="after this time the URL is answered with 410"
        )
        parser.add_argument("--base", default="", metavar="URL", help="put this before it: https://img.example.com")
        parser.add_argument("--explain", metavar="URL", help="explain this URL; quote it for the shell")
        parser.add_argument(
            "--explain-log",
            metavar="FILE",
            help="an access log or a list of URLs: print which would be served, and what each becomes; - for input",
        )

    def handle(self, **options: object) -> None:
        # It reads neither originals nor caches.
        require_configuration(ignore=TRANSIENT)
        if options["explain"] is not None:
            self._explain(str(options["explain"]))
            return
        if options["explain_log"] is not None:
            self._explain_log(str(options["explain_log"]))
            return
        if options["storage"] is None or options["path"] is None:
            raise CommandError("Give a storage and a path, or --explain URL.")
        lifetime = options["lifetime"]
        try:
            url = thumb_url(
                str(options["storage"]),
                str(options["path"]),
                str(options["size"]),
                filters=str(options["filters"]),
                name=None if options["name"] is None else str(options["name"]),
                lifetime=lifetime if isinstance(lifetime, float) else None,
            )
        except (ThumbError, UnknownStorage) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(options["base"]).rstrip("/") + url)

    def _explain(self, url: str) -> None:
        explanation = explain(url)
        for name, meaning in explanation.lines:
            self.stdout.write(f"{name + ':':<12} {meaning}")
        columns = get_terminal_size().columns if self.stdout.isatty() else None
        for mistake in explanation.mistakes:
            self.stdout.write("\n" + "\n".join(pointed_at(explanation.url, mistake, columns)) + f"\n{mistake}")
        if explanation.error is not None:
            raise CommandError(f"{explanation.error.status}: {explanation.error.detail}")

    def _explain_log(self, file: str) -> None:
        try:
            with sys.stdin if file == "-" else Path(file).open(errors="surrogateescape") as lines:
                summary = explain_log(lines)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error
        for entry in summary.entries:
            self.stdout.write(
                f"{'served' if entry.is_served else 'refused':<8}{entry.count:>7}  {entry.explanation.url}"
            )
            self.stdout.write(f"{'':<17}{entry.text}")
        served, refused = summary.requests(served=True), summary.requests(served=False)
        self.stdout.write(f"\n{served + refused} requests: {served} served, {refused} refused.")
        for reason, count in summary.reasons:
            self.stdout.write(f"{count:>7}  {reason}")
        if summary.unread:
            self.stdout.write(f"{summary.unread} lines hold no URL of a GET or HEAD request.")
