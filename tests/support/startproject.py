"""Real Django projects, as `django-admin startproject` makes them, in directories of their own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers import ROOT
from tests.support.waiting import WAIT_SECONDS

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
        return _finished([sys.executable, "manage.py", *arguments], self.directory, self.environ)


def startproject(directory: Path) -> Project:
    """As a developer begins: the project, `thumbs` among its apps, and nothing more."""
    directory.mkdir()
    project = Project(directory)
    command = [sys.executable, "-m", "django", "startproject", "mysite", str(directory)]
    done = _finished(command, directory, project.environ)
    assert done.returncode == 0, done.stderr
    project.add("settings", '\nINSTALLED_APPS += ["thumbs"]\n')
    (directory / "media").mkdir()
    return project


def _finished(command: list[str], directory: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=False, cwd=directory, env=environ, capture_output=True, text=True, timeout=WAIT_SECONDS
    )
