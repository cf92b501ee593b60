"""A site with uploads on disk whose thumbnails are cached, and the models of `purged_models` in its databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connections
from django.db.models import Model
from django.test import Client, override_settings

from tests.support.commands import disk_cache
from tests.support.purged_models import FAMILIES
from tests.support.red_and_blue import BLUE, RED, is_red
from thumbs import signals
from thumbs.toolkit.models import file_purges

DATABASES = ("default", "other")


@dataclass(frozen=True)
class PurgedSite:
    """The models of one family, and what the site's thumbnails show. `media` is MEDIA_ROOT."""

    media: Path
    photo: type[Any]
    framed: type[Any]
    proxy: type[Any]
    keyed: type[Any]

    def cached(self, *names: str) -> list[str]:
        """Ask for the thumbnail of each file; gives what X-Cache said."""
        answers = [ask(name) for name in names]
        assert {answer.status_code for answer in answers} == {200}
        return [answer.headers["X-Cache"] for answer in answers]

    def warm(self, *names: str) -> None:
        """Have the thumbnail of each file in the cache; a file that is missing is put there."""
        for name in names:
            path = self.media / name
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(RED)
        self.cached(*names)
        assert self.cached(*names) == ["HIT"] * len(names)


def ask(name: str) -> Any:
    return Client().get(f"/img/uploads/thumbs/20x20/{name}")


def shows_red(name: str) -> bool:
    answer = ask(name)
    assert answer.status_code == 200
    return is_red(answer.content)


def red(name: str = "a.jpg") -> "ContentFile[bytes]":
    return ContentFile(RED, name)


def blue(name: str = "a.jpg") -> "ContentFile[bytes]":
    return ContentFile(BLUE, name)


@contextmanager
def tables(models: tuple[type[Model], ...]) -> Iterator[None]:
    """The tables of `models` in both databases."""
    real = [model for model in models if not model._meta.proxy]
    for name in DATABASES:
        with connections[name].schema_editor() as editor:
            for model in real:
                editor.create_model(model)
    try:
        yield
    finally:
        for name in DATABASES:
            with connections[name].schema_editor() as editor:
                for model in reversed(real):
                    editor.delete_model(model)


@contextmanager
def running_site(directory: Path, family: str, **settings: object) -> Iterator[PurgedSite]:
    """The site, with more `settings`; with the family `plain`, PURGE_ON_MODEL_CHANGES is on."""
    media = directory / "media"
    media.mkdir()
    uploads = {"name": "uploads", "driver": "django", "alias": "default"}
    cache = {"disk": disk_cache(directory / "cache", ttl_seconds=86400), "memory": {"enabled": True, "max_size_mb": 4}}
    thumbs = {"STORAGES": [{**uploads, "cache": cache}], "RUN_DIR": str(directory / "run")}
    with override_settings(**{"MEDIA_ROOT": str(media), "THUMBS": thumbs, **settings}), tables(FAMILIES[family]):
        if family == "plain":
            signals.connect()
        try:
            yield PurgedSite(media, *FAMILIES[family])
        finally:
            signals.disconnect()
            file_purges.forget_errors()


@pytest.fixture(params=list(FAMILIES))
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PurgedSite]:
    """The site with each family."""
    with running_site(tmp_path, request.param) as made:
        yield made
