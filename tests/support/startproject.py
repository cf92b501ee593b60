"""Real Django projects, as `django-admin startproject` makes them, in directories of their own."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import copies
from tests.support.servers import ROOT

THUMBS = """
MEDIA_ROOT = BASE_DIR / "media"
CACHE = {"memory": {"enabled": True, "max_size_mb": 4}}
STORAGE = {"name": "media", "driver": "django", "alias": "default", "allowed_sizes": ["90x60"], "cache": CACHE}
THUMBS = {"STORAGES": [STORAGE]}
"""
INCLUDE = 'urlpatterns += [__import__("django").urls.path("img/", __import__("django").urls.include("thumbs.urls"))]\n'
WRAP = '\nfrom thumbs.asgi import ThumbsASGI\napplication = ThumbsASGI(application, prefix="/img/")\n'
ASGI = '\nASGI_APPLICATION = "mysite.asgi.application"\n'


@dataclass(frozen=True)
class Project:
    """A project called `mysite` in `directory`."""

    directory: Path

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        return {**kept, "PYTHONPATH": str(ROOT)}

    def add(self, module: str, text: str) -> None:
        """Write `text` at the end of `mysite/{module}.py`."""
        path = self.directory / "mysite" / f"{module}.py"
        path.write_text((path.read_text() if path.exists() else "") + text)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return copies.finished(["manage.py", *arguments], environ=self.environ, directory=self.directory)


def startproject(directory: Path) -> Project:
    """As a developer begins: the project, `thumbs` among its apps, and nothing more."""
    directory.mkdir()
    project = Project(directory)
    command = ["-m", "django", "startproject", "mysite", str(directory)]
    done = copies.finished(command, environ=project.environ, directory=directory)
    assert done.returncode == 0, done.stderr
    project.add("settings", '\nINSTALLED_APPS += ["thumbs"]\n')
    (directory / "media").mkdir()
    return project
