"""An import starts no thread and no process, and loads neither libvips nor Django where it need not."""

import subprocess
import sys
from pathlib import Path

from tests.support.modules import ROOT, WITHOUT_DJANGO, trees, within

_LOOK = """
import sys, threading
import {modules}
heavy = sorted(name for name in {heavy} if name in sys.modules)
if heavy or threading.active_count() > 1:
    sys.exit(f"imported: {{heavy}}; threads: {{threading.enumerate()}}")
"""


def importing(modules: str, *heavy: str) -> str:
    script = _LOOK.format(modules=modules, heavy=heavy)
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stderr


def test_the_core_imports_without_libvips_django_or_threads() -> None:
    core = [
        name.removeprefix("thumbs.")
        for name in trees()
        if any(within(name, f"thumbs.{free}") for free in WITHOUT_DJANGO) and not name.startswith("thumbs.render")
    ]
    modules = ", ".join(f"thumbs.{name}" for name in core)
    assert importing(modules, "pyvips", "django", "boto3", "botocore", "storages", "gunicorn", "mage_project") == ""


def test_rendering_is_imported_without_starting_anything() -> None:
    assert importing("thumbs.render.renderer", "django", "boto3") == ""


_BUILD = """
import sys, threading
from django.conf import settings
settings.configure(THUMBS={{"STORAGES": [{{"name": "a", "driver": "local", "root": {root!r}, "allowed_sizes": ["9x9"],
    "cache": {{"memory": {{"enabled": True, "max_size_mb": 1}}, "disk": {{"enabled": True, "dir": {root!r} + "/c"}}}}}},
    {{"name": "b", "driver": "s3", "bucket": "b", "allowed_sizes": ["9x9"],
    "cache": {{"memory": {{"enabled": True, "max_size_mb": 1}}}}}}]}},
    INSTALLED_APPS=["thumbs"], ROOT_URLCONF="thumbs.urls")
import django
django.setup()
import thumbs.wiring.build, thumbs.wsgi, thumbs.asgi, thumbs.views, thumbs.urls, thumbs.checks.config
assert "pyvips" not in sys.modules
from django.core import checks
assert checks.run_checks() == []
assert "pyvips" not in sys.modules
thumbs.wsgi.ThumbsWSGI(None), thumbs.asgi.ThumbsASGI(None)
thumbs.wiring.process.thumbnailer()
from thumbs.toolkit.links import thumb_url
assert thumb_url("a", "b.jpg", "9x9") == "/a/thumbs/9x9/b.jpg"
assert "pyvips" not in sys.modules
assert threading.active_count() == 1, threading.enumerate()
"""


def test_what_is_built_before_a_fork_has_no_thread_and_no_libvips(tmp_path: Path) -> None:
    script = _BUILD.format(root=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
