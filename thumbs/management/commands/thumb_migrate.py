"""`thumb_migrate`: converts the templates and the Python code of a site that uses another package for thumbnails."""

import pprint
import sys
from argparse import ArgumentParser
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from thumbs.toolkit.migration import convert, presets
from thumbs.toolkit.migration.editing import files, site
from thumbs.toolkit.migration.editing.edits import Remark
from thumbs.toolkit.migration.peers import PEERS


class Command(BaseCommand):
    help = (
        "Print, as a unified diff, what the templates and the Python code of a site become that uses another package "
        "for thumbnails, and list what is left alone. The status is 1 when something is left alone, else 0."
    )
    requires_system_checks = ()  # a site that migrates may have no configuration yet

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="*", metavar="PATH", help="a directory, or a file")
        parser.add_argument("--from", dest="peer", required=True, choices=PEERS, help="the package that the site uses")
        parser.add_argument("--write", action="store_true", help="change the files instead of printing the diff")
        parser.add_argument(
            "--presets", action="store_true", help="print the keys of THUMBS that the settings of the package come to"
        )

    def handle(self, **options: object) -> None:
        peer, paths = str(options["peer"]), [Path(str(path)) for path in _listed(options["paths"])]
        if not paths and not options["presets"]:
            raise CommandError("Give the paths of templates and Python code, or --presets.")
        for path in paths:
            try:
                is_there = path.exists()
            except PermissionError as error:
                raise CommandError(f"{path} may not be read.") from error
            if not is_there:
                raise CommandError(f"There is no file or directory {path}.")
        read = site.read()
        left = self._presets(peer, read) if options["presets"] else 0
        changed = 0
        remarks: list[tuple[Path, Remark]] = []
        notes: list[tuple[Path, Remark]] = []
        for path in files.found(paths):
            try:
                file = files.read(path)
            except OSError as error:
                remarks.append((path, Remark(1, "", f"It cannot be read: {error.strerror or error}.")))
                continue
            done = _converted(file, peer, read)
            notes += [(path, note) for note in done.notes]
            if done.text != file.text:
                changed += 1
                done = self._changed(file, done, peer, read) if options["write"] else self._shown(file, done)
            remarks += [(path, remark) for remark in done.left]
        self._list("Converted; to know:", notes)
        self._list("Left alone:", remarks)
        if paths:
            verb = "changed" if options["write"] else "would change"
            self._print(f"{_counted(changed, 'file')} {verb}, {_counted(len(remarks), 'place')} left alone.\n")
        if left or remarks:
            sys.exit(1)

    def _shown(self, file: files.File, done: convert.Converted) -> convert.Converted:
        self._print_bytes(file.encoded(file.diff(done.text)))
        return done

    def _changed(
        self, file: files.File, done: convert.Converted, peer: str, read: site.SiteSettings
    ) -> convert.Converted:
        """Writes the file. What is left alone has the lines of the new one."""
        try:
            file.write(done.text)
        except OSError as error:
            raise CommandError(f"{file.path}: {error.strerror or error}") from error
        return _converted(replace(file, text=done.text), peer, read)

    def _list(self, title: str, remarks: list[tuple[Path, Remark]]) -> None:
        if remarks:
            self._print(f"{title}\n")
        for path, remark in remarks:
            self._print(f"  {path}:{remark.line}: {remark.code}\n      {remark.sentence}\n")

    def _presets(self, peer: str, read: site.SiteSettings) -> int:
        made = presets.of(peer, read, _generators() if peer == "imagekit" else {})
        for key, value in {**({"PRESETS": made.presets} if made.presets else {}), **made.settings}.items():
            self._print(f'THUMBS["{key}"] = {pprint.pformat(value, width=110, sort_dicts=False)}\n')
        for sentence in made.left:
            self._print(f"# {sentence}\n")
        return len(made.left)

    def _print(self, text: str) -> None:
        self._print_bytes(text.encode("utf-8", "surrogateescape"))

    def _print_bytes(self, data: bytes) -> None:
        """The bytes of files as they are, so that `patch` finds them; as text where the output takes only that."""
        binary = getattr(self.stdout, "buffer", None)
        if binary is None:
            self.stdout.write(data.decode("utf-8", "replace"), ending="")
        else:
            self.stdout.flush()
            binary.write(data)
            binary.flush()


def _converted(file: files.File, peer: str, read: site.SiteSettings) -> convert.Converted:
    suffix = file.path.suffix.lower()
    if suffix in files.PYTHON:
        return convert.python(file.text, PEERS[peer], read, migration=file.path.parent.name == "migrations")
    if files.is_jinja(file.path):
        return convert.jinja(file.text, peer)
    return convert.template(file.text, PEERS[peer], read)


def _generators() -> dict[str, object]:
    """The specs that the running site has registered with django-imagekit; none where it is not installed."""
    try:
        registry = import_module("imagekit.registry").generator_registry
    except ImportError:
        return {}
    ids = sorted(registry.get_ids())  # it loads the modules that register
    return {name: registry._generators[name] for name in ids}  # noqa: SLF001 - `get` would call them


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
