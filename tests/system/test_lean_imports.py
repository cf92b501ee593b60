"""What a site's process loads before its first thumbnail: no library that a URL does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.modules import ROOT

HEAVY = ("boto3", "botocore", "urllib3", "prometheus_client", "gunicorn", "uvloop", "pyvips", "numpy")
_SITE = """
import sys
from django.conf import settings
import thumbs
settings.configure(
    SECRET_KEY="only for tests", INSTALLED_APPS=["thumbs"], ROOT_URLCONF="thumbs.urls", MEDIA_ROOT={root!r},
    TEMPLATES=[{{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}}],
    THUMBS={{"STORAGES": [
        {{"name": "a", "driver": "local", "root": {root!r}, "signature_secret_key": "django",
          "cache": {{"memory": {{"enabled": True, "max_size_mb": 1}}}}}},
        {{"name": "b", "driver": "django", "alias": "default", "signature_secret_key": "django"}},
        {{"name": "c", "driver": "s3", "bucket": "b", "signature_secret_key": "django"}},
    ]}},
)
import django
django.setup()
from django.template import Context, Template
text = '{{% load thumbs %}}{{% thumb_url storage "cats/tom.jpg" "400x300" "format(webp)" %}}'
for storage in "abc":
    url = Template(text).render(Context({{"storage": storage}}))
    assert url.startswith(f"/{{storage}}/thumbs/") and url.endswith("/cats/tom.jpg"), url
"""
_SERVES = """
from django.test import Client
from thumbs.wiring.process import thumbnailer
thumbnailer()
assert Client(raise_request_exception=True).get(f"/a/thumbs/none").status_code == 403
"""


def loaded_by(script: str, root: Path) -> set[str]:
    """The heavy libraries that a fresh process has imported after `script`."""
    look = f"\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    command = [sys.executable, "-c", script.format(root=str(root)) + look]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_a_rendered_tag_loads_no_library_of_an_extra_and_no_libvips(tmp_path: Path) -> None:
    assert loaded_by(_SITE, tmp_path) == set()


def test_a_refused_request_of_a_site_without_metrics_loads_none_for_its_disk(tmp_path: Path) -> None:
    on_disk = _SITE.replace('{{"name": "c", "driver": "s3", "bucket": "b", "signature_secret_key": "django"}},', "")
    on_disk = on_disk.replace('in "abc"', 'in "ab"')
    assert loaded_by(on_disk + _SERVES.replace("{storage}", ""), tmp_path) == set()


@pytest.mark.parametrize("library", ["boto3", "prometheus_client"])
def test_the_look_would_see_a_library(library: str, tmp_path: Path) -> None:
    assert library in loaded_by(f"import sys, {library}", tmp_path)
