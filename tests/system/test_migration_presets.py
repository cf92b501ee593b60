"""`thumb_migrate` in a site that has both django-imagekit and Mage installed, and no configuration of Mage yet."""

import subprocess
from pathlib import Path

import pytest

from tests.support import peers
from tests.support.installations import Environment
from tests.support.servers import ROOT

pytestmark = pytest.mark.slow

_SITE = """
import sys
from django.conf import settings
from django.core.management import execute_from_command_line
settings.configure(SECRET_KEY="only for tests", INSTALLED_APPS=["thumbs", "imagekit", "shop"])
execute_from_command_line(sys.argv)
"""
_MODELS = """
from django.db import models
from imagekit.models import ImageSpecField
from imagekit.processors import ResizeToFit, SmartResize
class Photo(models.Model):
    image = models.ImageField()
    smart = ImageSpecField(source="image", processors=[SmartResize(90, 30)], format="PNG")
    matted = ImageSpecField(source="image", processors=[ResizeToFit(90, 90, mat_color=(255, 0, 0))])
"""
_GENERATORS = """
from imagekit import ImageSpec, register
from imagekit.processors import Adjust, ResizeToFill, Transpose
class Thumbnail(ImageSpec):
    processors = [Transpose(), ResizeToFill(100, 50)]
    format = "JPEG"
    options = {"quality": 60}
class Bright(ImageSpec):
    processors = [Adjust(brightness=2)]
register.generator("shop:thumbnail", Thumbnail)
register.generator("shop:bright", Bright)
"""


def test_presets_are_printed_from_the_registry_of_django_imagekit(tmp_path: Path) -> None:
    python = peers.python_of("imagekit", tmp_path / "environment")
    Environment(tmp_path / "environment").share()
    site = tmp_path / "site"
    (site / "shop").mkdir(parents=True)
    files = {
        "manage.py": _SITE,
        "shop/__init__.py": "",
        "shop/models.py": _MODELS,
        "shop/imagegenerators.py": _GENERATORS,
    }
    for name, text in files.items():
        (site / name).write_text(text)
    done = subprocess.run(
        [python, "manage.py", "thumb_migrate", "--from", "imagekit", "--presets"],
        cwd=site,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert "'shop_thumbnail': {'size': '100x50', 'filters': 'format(jpeg);quality(60)'}" in done.stdout
    assert "'shop_photo_smart': {'size': '90x30', 'filters': 'gravity(entropy);format(png)'}" in done.stdout
    assert "'shop_photo_matted': {'size': '90x90', 'filters': 'fit(fill,ff0000);upscale(yes)'}" in done.stdout
    assert "# shop:bright: Mage has no equivalent of the processor Adjust." in done.stdout
    assert "imagekit:thumbnail" not in done.stdout
    assert done.returncode == 1
