"""The configuration of the toolkit's tests: storages of every kind of policy over one directory of originals."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from django.core.files.storage import FileSystemStorage
from django.db import models
from django.db.models.fields.files import FieldFile, ImageFieldFile
from django.test import override_settings

from thumbs.wiring import process

SECRETS = ["0123456789abcdef0123456789abcdef", "an older secret of the same storage"]
_ROOT = str(Path(tempfile.gettempdir()).resolve())  # that exists; no test of URLs reads there
PRESETS = {
    "card": {"size": "400x300"},
    "hero": {"size": "1600x900", "filters": "quality(75)"},
    "fixed": {"size": "400x300", "filters": "format(png)"},
    "north": {"size": "300x300", "filters": "gravity(north)"},
    "fitted": {"size": "400x300", "filters": "fit(contain)"},
}


def storage(name: str, root: Path | str = _ROOT, **more: object) -> dict[str, object]:
    return {"name": name, "driver": "local", "root": str(root), **more}


def every_storage(root: Path | str = _ROOT) -> list[dict[str, object]]:
    """One storage of each kind, named for what it accepts."""
    return [
        storage("open", root),
        storage("signed", root, signature_secret_key=SECRETS),
        storage("short", root, signature_secret_key=SECRETS[:1], signature_length=20),
        storage("webp-only", root, formats=["webp"]),
        storage("jpeg-only", root, formats=["jpeg"], signature_secret_key=SECRETS),
        storage("sizes", root, allowed_sizes=["400x300", "800x600", "200x", "x"]),
        storage("sizes-signed", root, allowed_sizes=["400x300", "800x600", "200x", "x"], signature_secret_key=SECRETS),
        storage("presets", root, presets_only=True),
        storage("presets-signed", root, presets_only=True, signature_secret_key=SECRETS),
        storage("small", root, limits={"max_side": 1000, "max_output_pixels": 500_000}),
    ]


@contextlib.contextmanager
def configured(storages: list[dict[str, object]] | None = None, **more: object) -> Iterator[None]:
    """THUMBS with these storages (default: `every_storage()`) and these other keys, in upper case."""
    thumbs = {"STORAGES": every_storage() if storages is None else storages, "PRESETS": PRESETS, **more}
    with override_settings(THUMBS=thumbs):
        process.reset()
        yield
    process.reset()


def a_file(
    name: str | None,
    root: Path | str = _ROOT,
    *,
    size: tuple[object, object] | None = None,
    focus: object = None,
    version: object = None,
) -> FieldFile:
    """The file of a row: an `ImageField` with columns beside it, below `root`."""
    field = models.ImageField(storage=FileSystemStorage(str(root)), width_field="w", height_field="h")
    field.set_attributes_from_name("image")
    field.focus_field, field.version_field = "focus", "version"  # type: ignore[attr-defined]
    width, height = size or (None, None)
    row = SimpleNamespace(w=width, h=height, focus=focus, version=version)
    return ImageFieldFile(row, field, name)  # type: ignore[arg-type]
