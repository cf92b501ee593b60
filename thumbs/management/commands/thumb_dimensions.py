"""`thumb_dimensions`: fills and corrects the sizes and placeholders of pictures in the rows of models."""

import shlex
import time
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.checks import Tags
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from tqdm import tqdm

from thumbs.management.dimension_targets import targets
from thumbs.management.dimensions import Result, Target
from thumbs.management.humanize import count_of

_READ, _CORRECTED, _FAILED = "read", "corrected", "missing or broken"


class Command(BaseCommand):
    help = (
        "Fill and correct the columns that image fields name as width_field, height_field and placeholder_field. "
        "Sizes are upright, as thumbnails are; Django stores those before EXIF rotation. "
        "Rows are updated without save(): no signal is sent, and no auto_now field changes."
    )
    requires_system_checks = (Tags.models,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "names",
            nargs="*",
            metavar="app.Model.field",
            help="an app, a model or an image field; default: every image field that names such columns",
        )
        parser.add_argument("--dry-run", action="store_true", help="print what would be changed; change nothing")
        parser.add_argument("--only-missing", action="store_true", help="only files of which a column is empty")
        parser.add_argument("--after", metavar="PK", help="go on after this primary key; takes one model")
        parser.add_argument(
            "--database", default=DEFAULT_DB_ALIAS, choices=tuple(connections), help="default: %(default)s"
        )

    def handle(self, **options: Any) -> None:
        chosen = targets(options["names"], using=options["database"])
        if not chosen:
            self.stdout.write("No image field names a width_field, height_field or placeholder_field.")
        after = _key(chosen, options["after"])
        failed = 0
        for number, target in enumerate(chosen):
            counts = self._correct(target, chosen[number + 1 :], {**options, "after": after})
            failed += counts[_FAILED]
        if failed:
            raise CommandError(f"{count_of(failed, 'file')} could not be read: the lines above name them.")

    def _correct(self, target: Target, later: list[Target], options: dict[str, Any]) -> Counter[str]:
        counts: Counter[str] = Counter({_READ: 0, _CORRECTED: 0, _FAILED: 0})
        after, only_missing, dry_run = options["after"], options["only_missing"], options["dry_run"]
        began = time.monotonic()
        try:
            total = target.rows(after=after, only_missing=only_missing).count()
            with tqdm(total=total, desc=target.label, unit="row", disable=None, leave=False, file=self.stderr) as bar:
                for pk, results in target.correct(after=after, only_missing=only_missing, write=not dry_run):
                    for result in results:
                        self._report(target, result, counts, bar, shows_changes=dry_run or options["verbosity"] > 1)
                    after = pk
                    bar.update()
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {_resumed(target, later, after)}") from None
        except Exception as error:
            text = f"{target.label}: {type(error).__name__}: {error}"
            raise CommandError(f"{text.rstrip('.')}. {_resumed(target, later, after)}") from error
        finally:
            would = "would be " if dry_run else ""
            summary = (
                f"{counts[_READ]:,} read, {counts[_CORRECTED]:,} {would}{_CORRECTED}, {counts[_FAILED]:,} {_FAILED}"
            )
            self.stdout.write(f"{target.label}: {summary} in {time.monotonic() - began:.1f} s")
        return counts

    def _report(
        self, target: Target, result: Result, counts: Counter[str], bar: "tqdm[Any]", *, shows_changes: bool
    ) -> None:
        where = f"{target.label} {result.pk} {result.field} {result.name!r}"
        if result.failure is not None:
            counts[_FAILED] += 1
            bar.clear()
            self.stderr.write(f"{where}: {result.failure}")
            return
        counts[_READ] += 1
        counts[_CORRECTED] += bool(result.changes)
        if result.changes and shows_changes:
            bar.clear()
            changes = ", ".join(f"{column} {_shown(old)} -> {_shown(new)}" for column, old, new in result.changes)
            self.stdout.write(f"{where}: {changes}")


def _key(chosen: list[Target], after: str | None) -> object:
    """The primary key that `--after` gives. Raises CommandError for text that is none, and for several models."""
    if after is None:
        return None
    if len(chosen) != 1:
        raise CommandError(f"--after takes one model, and these are {len(chosen)}: name it as app.Model.")
    try:
        return chosen[0].model._meta.pk.to_python(after)  # noqa: SLF001 - Django's documented API
    except (ValidationError, NotImplementedError, AttributeError):
        raise CommandError(f"{after!r} is no primary key of {chosen[0].label}.") from None


def _resumed(target: Target, later: list[Target], after: object) -> str:
    """How to go on: after the last row that was done, and then with the models that were not begun."""
    if after is None:
        return f"To go on, run: thumb_dimensions {' '.join(each.spec for each in (target, *later))}"
    more = f", then: thumb_dimensions {' '.join(each.spec for each in later)}" if later else ""
    return f"To go on, run: thumb_dimensions {target.spec} --after {shlex.quote(str(after))}{more}"


def _shown(value: object) -> str:
    """A column's value on one line; bytes in hex."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex() or "empty"
    if value in (None, ""):
        return "empty"
    text = str(value)
    return text if text.isprintable() else repr(text)
