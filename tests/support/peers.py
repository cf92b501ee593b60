"""Other packages for thumbnails, each in an environment of its own, and what they and Mage make of one template."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import models
from django.db.models.fields.files import ImageFieldFile
from django.template import engines
from django.test import Client, override_settings
from PIL import Image, ImageOps

from tests.support import installations, pictures
from tests.support.servers import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS
from thumbs.wiring import process

# The releases that the conversion was written for.
PACKAGES = {
    "sorl": ("sorl-thumbnail>=13,<14", "pillow"),
    "easy": ("easy-thumbnails>=2.10,<3",),
    "imagekit": ("django-imagekit>=6,<7", "pillow"),
    "pictures": ("django-pictures>=1.8,<2",),
    "versatile": ("django-versatileimagefield>=3,<4",),
    "wagtail": ("wagtail>=7",),
}
_DJANGO = "django>=5.2,<5.3"
_URL = re.compile(r"/img/uploads/[^\s\"'<>]+")
_VERSATILE_NEEDS = "libmagic is not installed: apt-get install libmagic1"

Size = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """One template and the name of the original that its page has."""

    template: str
    image: str


def originals(root: Path) -> None:
    """Pictures of several shapes, one of them with a turn in its EXIF data, one with white margins, one translucent."""
    root.mkdir()
    plain = {"wide.jpg": (600, 400), "tall.jpg": (300, 500), "small.jpg": (60, 40), "odd.jpg": (601, 397)}
    for name, size in plain.items():
        (root / name).write_bytes(pictures.encoded(pictures.quarters(*size), "JPEG", quality=95, subsampling=0))
    (root / "turned.jpg").write_bytes(pictures.stored_turned(pictures.quarters(), 6))
    margins = Image.new("RGB", (500, 300), (255, 255, 255))
    margins.paste(Image.new("RGB", (200, 100), (20, 40, 60)), (50, 100))
    (root / "margins.png").write_bytes(pictures.encoded(margins, "PNG"))
    (root / "clear.png").write_bytes(pictures.encoded(Image.new("RGBA", (300, 200), (220, 40, 30, 128)), "PNG"))


def python_of(peer: str, directory: Path) -> Path:
    """The Python of a new environment that has the peer. Skips the test where it cannot be installed; CI fails.

    Django and Pillow, which all peers have, are installed once beside it.
    """
    environment, common = installations.environment(directory), directory.with_name("common")
    if not common.exists():
        _install(installations.environment(common), _DJANGO, "pillow")
    (environment.packages / "common.pth").write_text(f"{installations.Environment(common).packages}\n")
    _install(environment, _DJANGO, *PACKAGES[peer])
    if peer == "versatile":
        found = subprocess.run([environment.python, "-I", "-c", "import magic"], capture_output=True, check=False)
        if found.returncode:
            _unavailable(_VERSATILE_NEEDS)
    return environment.python


def _install(environment: installations.Environment, *packages: str) -> None:
    """Without compiling: the peers import few of their modules, and Python keeps those compiled."""
    command = [sys.executable, "-m", "pip", "--python", str(environment.python), "install", "--quiet", "--no-compile"]
    words = [*command, "--no-warn-script-location", "--disable-pip-version-check", *packages]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=LONG_WAIT_SECONDS)
    if done.returncode:
        _unavailable(f"{packages[-1]} cannot be installed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def _unavailable(reason: str) -> None:
    if os.environ.get("MAGE_REQUIRE_SERVICES"):
        pytest.fail(reason)
    pytest.skip(reason)


def of_peer(
    python: Path, peer: str, media: Path, cases: Sequence[Case], settings: Mapping[str, object]
) -> list[dict[str, object]]:
    """What the peer renders: for each case `text` and `sizes`, or `error`."""
    asked = {
        "peer": peer,
        "media": str(media),
        "settings": settings,
        "cases": [{"template": case.template, "image": case.image} for case in cases],
    }
    done = subprocess.run(
        [python, "-I", ROOT / "tests" / "support" / "peer_site.py"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG_WAIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    made: list[dict[str, object]] = json.loads(done.stdout)
    return made


@contextmanager
def mage_site(media: Path, **thumbs: object) -> Iterator[None]:
    """This process as a site whose default storage has the originals."""
    storage = {"name": "uploads", "driver": "django", "alias": "default", "signature_secret_key": "django"}
    template = {"BACKEND": "django.template.backends.django.DjangoTemplates"}
    with override_settings(
        THUMBS={"STORAGES": [storage], **thumbs},
        MEDIA_ROOT=str(media),
        ROOT_URLCONF="tests.support.site",
        TEMPLATES=[template],
        ALLOWED_HOSTS=["*"],
    ):
        process.reset()
        yield
    process.reset()


def row_of(name: str, media: Path) -> SimpleNamespace:
    """A row with a file and its upright size, as a model with `width_field` and `height_field` has it."""
    field = models.ImageField(width_field="width", height_field="height")
    field.name = field.attname = "image"
    with Image.open(media / name) as picture:
        width, height = ImageOps.exif_transpose(picture).size
    row = SimpleNamespace(width=width, height=height)
    row.image = ImageFieldFile(row, field, name)  # type: ignore[arg-type]
    return row


def of_mage(template: str, row: object) -> tuple[str, list[Size]]:
    """The page that a converted template renders, and the sizes of the pictures on it in their order."""
    text = engines["django"].from_string(template).render({"p": row})
    return text, [size_of(url) for url in _URL.findall(text)]


def without_urls(text: str) -> str:
    """A page with one word in the place of each URL of a picture."""
    return re.sub(r"/(?:img|media)/[^\s\"'<>]+", "URL", text)


def size_of(url: str) -> Size:
    """The size of the picture that a URL of Mage has."""
    answer = Client().get(url)
    assert answer.status_code == 200, (url, answer.content)
    body = answer.getvalue()
    with Image.open(io.BytesIO(body)) as picture:
        return picture.size
