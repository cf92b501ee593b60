"""Configurations for the tests, right and wrong."""

from collections.abc import Collection
from pathlib import Path

from django.core import checks
from django.test import override_settings

HUSH = "hush-hush"  # stands in every place of a secret, and may stand nowhere else


def local(place: Path | str, **fields: object) -> dict[str, object]:
    """A storage with which nothing is wrong."""
    return {"name": "photos", "driver": "local", "root": str(place), "signature_secret_key": HUSH, **fields}


def bucket(**fields: object) -> dict[str, object]:
    return {"name": "photos", "driver": "s3", "bucket": "b", "signature_secret_key": HUSH, **fields}


def one(storage: object) -> dict[str, object]:
    return {"STORAGES": [storage]}


def keys() -> dict[str, str]:
    return {"access_key": HUSH, "secret_key": HUSH}


def dotted(path: str, **options: object) -> dict[str, object]:
    return {"name": "photos", "driver": path, "options": options, "signature_secret_key": HUSH}


def disk(path: str, **fields: object) -> dict[str, object]:
    return {"disk": {"enabled": True, "dir": path, **fields}}


def checked(thumbs_setting: object, *, without: Collection[str] = ("thumbs.W009",)) -> list[checks.CheckMessage]:
    """What the checks find, except the ids of `without`: most storages of the tests have no cache."""
    with override_settings(THUMBS=thumbs_setting):
        return [found for found in checks.run_checks(tags=["thumbs"]) if found.id not in without]
