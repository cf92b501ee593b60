"""The site `tests.gallery`: its tables in this process, or a server of it with a database of its own."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.db import connection

from tests.support import copies, servers


@contextlib.contextmanager
def gallery_tables() -> Iterator[None]:
    """The tables of the gallery in the database of the fast tests, dropped when the block is left."""
    models = list(apps.get_app_config("gallery").get_models())
    with connection.schema_editor() as editor:
        for model in models:
            editor.create_model(model)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            for model in reversed(models):
                editor.delete_model(model)


@dataclass(frozen=True)
class Gallery:
    """The site in `directory`: `db.sqlite3` and `media` are there."""

    directory: Path
    environ: dict[str, str]

    @property
    def media(self) -> Path:
        return self.directory / "media"

    def manage(self, *arguments: str) -> str:
        """The standard output of a command that succeeds."""
        done = copies.finished(["-m", "django", *arguments], environ=self.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def python(self, program: str) -> str:
        """The output of a program after `django.setup()`. It has imported nothing else."""
        done = copies.finished(["-c", f"import django\ndjango.setup()\n{program}"], environ=self.environ, fresh=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def copy(self, program: str) -> str:
        """As `python`, in a copy of a process that has imported Django and Mage: for a tenth of the time."""
        done = copies.finished(["-c", f"import django\ndjango.setup()\n{program}"], environ=self.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextlib.contextmanager
    def served(self, *, worker: str = "gthread") -> Iterator[servers.Server]:
        """Gunicorn with the site, under WSGI (`gthread`) or ASGI (`asgi`)."""
        module = "tests.gallery.wsgi" if worker == "gthread" else "tests.gallery.asgi"
        with servers.gunicorn("gallery", f"{module}:application", worker, self.directory, self.environ) as server:
            yield server


def make_gallery(
    directory: Path, *, thumbs: Mapping[str, object] | None = None, settings: Mapping[str, object] | None = None
) -> Gallery:
    """A gallery with an empty database. `thumbs` replaces its THUMBS (names in upper case), `settings` are more."""
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.gallery.settings",
        "SITE_DATABASE": str(directory / "db.sqlite3"),
        "SITE_MEDIA": str(directory / "media"),
        "SITE_SETTINGS": json.dumps(settings or {}),
    }
    if thumbs is not None:
        environ["SITE_THUMBS"] = json.dumps(thumbs)
    made = Gallery(directory, environ)
    made.media.mkdir()
    made.manage("migrate", "--verbosity", "0")
    return made
