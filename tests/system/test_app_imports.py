"""The app imports without the standalone project."""

import os
import sys

from tests.support.commands import finished

_IMPORT_ALL = """
import importlib, pkgutil, sys
sys.modules["mage_project"] = None  # importing it is an error
import thumbs
from django.conf import settings
apps = [f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes")]
settings.configure(INSTALLED_APPS=[*apps, "thumbs", "thumbs.console"], THUMBS={})
import django
django.setup()
for module in pkgutil.walk_packages(thumbs.__path__, "thumbs."):
    importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("thumbs")]))
"""


def test_the_app_needs_nothing_of_the_standalone_project() -> None:
    done = finished([sys.executable, "-c", _IMPORT_ALL], os.environ)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50
