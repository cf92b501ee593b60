"""A program for the environment of another package: renders templates with it, and measures the pictures it makes.

Standard input is one JSON object: `peer`, `media` (a directory with originals), `settings`, and `cases`, each with a
`template` and an `image`. Standard output is a JSON list with, for each case, the text of the page and the sizes of its
pictures in their order, or an `error`. It imports nothing of Mage.
"""

import json
import re
import sys
from html import unescape
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import django
from django.conf import settings
from django.core.management import call_command
from django.db import models
from django.template import engines
from PIL import Image

APPS = {
    "sorl": ["sorl.thumbnail"],
    "easy": ["easy_thumbnails"],
    "imagekit": ["imagekit"],
    "pictures": ["pictures"],
    "versatile": ["versatileimagefield"],
    "wagtail": ["taggit", "wagtail.images", "wagtail.search", "wagtail", "django.contrib.auth"],
}
_URL = re.compile(r"/media/[^\s\"'<>,)]+")


class WithoutMigrations(dict[str, None]):
    """No app has migrations: its tables are made at once."""

    def __contains__(self, _: object) -> bool:
        return True

    def __getitem__(self, _: str) -> None:
        return None


def configure(peer: str, media: str, more: dict[str, Any]) -> None:
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", *APPS[peer]],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        MIGRATION_MODULES=WithoutMigrations(),
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        MEDIA_ROOT=media,
        MEDIA_URL="/media/",
        SECRET_KEY="only for tests",
        STATIC_URL="/static/",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        THUMBNAIL_DEBUG=True,
        USE_TZ=True,
        WAGTAILADMIN_BASE_URL="http://127.0.0.1",
        **more,
    )
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)


def photo_class(peer: str) -> type[models.Model]:
    """A model with the field that the peer's documents have."""
    attributes: dict[str, Any] = {"__module__": __name__, "Meta": type("Meta", (), {"app_label": "contenttypes"})}
    if peer == "pictures":
        field = import_module("pictures.models").PictureField

        attributes["image"] = field(aspect_ratios=[None, "1/1", "3/2", "16/9"], file_types=["WEBP", "AVIF"])
    elif peer == "versatile":
        attributes["image"] = import_module("versatileimagefield.fields").VersatileImageField()
    elif peer == "imagekit":
        processors, spec_field = import_module("imagekit").processors, import_module("imagekit.models").ImageSpecField
        attributes["image"] = models.ImageField()
        made = {
            "filled": [processors.ResizeToFill(100, 50)],
            "grown": [processors.ResizeToFit(900, 900)],
            "kept": [processors.ResizeToFill(900, 900, upscale=False)],
            "matted": [processors.ResizeToFit(120, 120, mat_color=(255, 0, 0))],
            "stretched": [processors.Resize(90, 91)],
            "smart": [processors.SmartResize(90, 30)],
            "tall": [processors.ResizeToFit(height=77)],
        }
        for name, steps in made.items():
            attributes[name] = spec_field(source="image", processors=steps, format="JPEG", options={"quality": 60})
    else:
        attributes["image"] = models.ImageField()
    return type("Photo", (models.Model,), attributes)


def wagtail_image(name: str, media: Path) -> Any:
    """An image of wagtail in the database, with a focal point."""
    wagtail_images, wagtail = import_module("wagtail.images.models"), import_module("wagtail.models")
    if not wagtail.Collection.objects.exists():
        wagtail.Collection.add_root(name="Root")
    with Image.open(media / name) as picture:
        width, height = picture.size
    focus = {"focal_point_x": width // 4, "focal_point_y": height // 4, "focal_point_width": 4, "focal_point_height": 4}
    return wagtail_images.Image.objects.get_or_create(title=name, file=name, width=width, height=height, **focus)[0]


def rendered(template: str, photo: Any, media: Path) -> dict[str, Any]:
    try:
        text = engines["django"].from_string(template).render({"p": photo})
        sizes = []
        for url in _URL.findall(text):
            with Image.open(media / unquote(unescape(url)).removeprefix("/media/")) as picture:
                sizes.append(picture.size)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"text": text, "sizes": sizes}


def main() -> None:
    asked = json.load(sys.stdin)
    peer, media = asked["peer"], Path(asked["media"])
    configure(peer, asked["media"], asked["settings"])
    names = {case["image"] for case in asked["cases"]}
    if peer == "wagtail":
        photos = {name: wagtail_image(name, media) for name in names}
    else:
        model = photo_class(peer)
        photos = {name: model(image=name) for name in names}
    if peer == "pictures":
        for photo in photos.values():
            photo.image.save_all()
    json.dump([rendered(case["template"], photos[case["image"]], media) for case in asked["cases"]], sys.stdout)


if __name__ == "__main__":
    main()
