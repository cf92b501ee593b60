"""Fixtures that more than one module of tests uses."""

import os
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.core.checks.registry import registry
from django.test import override_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.support.settings")
django.setup()
pytest.register_assert_rewrite("tests.support.fronts")

from tests.support import pictures, servers  # noqa: E402 - after Django is set up
from tests.support.clock import Clock  # noqa: E402
from tests.support.commands import Run, disk_cache, local_storage  # noqa: E402
from tests.support.fronts import SECRET, Fronts, fill_bucket, running_fronts  # noqa: E402
from thumbs.wiring import process  # noqa: E402

SHARED_PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "photos"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    """No test sees another one's thumbnailer."""
    process.reset()
    yield
    process.reset()


@pytest.fixture(autouse=True)
def _same_checks() -> Iterator[None]:
    """An app that a test installs registers its system checks for good: those of `contrib.auth` fail without it."""
    registered = set(registry.registered_checks)
    yield
    registry.registered_checks = registered


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of drawn originals, the same for the whole session: do not write there."""
    root = tmp_path_factory.mktemp("originals")
    pictures.draw_all(root)
    return root


@pytest.fixture(scope="session")
def photos() -> Path:
    """Real photographs, where they are there."""
    if not SHARED_PHOTOS.is_dir():
        pytest.skip("the real photographs are not part of the project, and they are not here")
    return SHARED_PHOTOS


@pytest.fixture(scope="session")
def s3(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of an S3 server that holds the originals in `tests.support.fronts.BUCKET`."""
    with servers.moto(tmp_path_factory.mktemp("moto")) as port:
        endpoint = f"http://127.0.0.1:{port}"
        fill_bucket(endpoint, originals)
        yield endpoint


@pytest.fixture(scope="session")
def fronts(originals: Path, s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronts]:
    """All fronts, running: ask them all at once."""
    with running_fronts(originals, s3, tmp_path_factory.mktemp("fronts")) as running:
        yield running


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


@pytest.fixture
def storages(originals: Path, tmp_path: Path) -> Iterator[dict[str, object]]:
    """Three storages in this process's settings: with a disk cache, with a memory cache, with none."""
    memory = {"enabled": True, "max_size_mb": 4}
    thumbs: dict[str, object] = {
        "STORAGES": [
            local_storage("on-disk", originals, memory=memory, disk=disk_cache(tmp_path / "cache")),
            local_storage("in-memory", originals, memory=memory),
            {**local_storage("signed", originals), "signature_secret_key": SECRET},
        ],
        "RUN_DIR": str(tmp_path / "run"),
    }
    with override_settings(THUMBS=thumbs):
        yield thumbs
