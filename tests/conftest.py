"""Fixtures that more than one module of tests uses."""

import gc
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.core.checks.registry import registry
from django.test import override_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.support.settings")
django.setup()
pytest.register_assert_rewrite("tests.support.fronts")

from tests.support import (  # noqa: E402 - after Django is set up
    pictures,
    strategies,  # noqa: F401 - it sets the profile of Hypothesis: a busy machine meets no deadline
)
from tests.support.clock import Clock  # noqa: E402
from tests.support.commands import Run, disk_cache, local_storage  # noqa: E402
from tests.support.fronts import SECRET, Fronts, fill_bucket, running_fronts  # noqa: E402
from tests.support.missing_extras import (  # noqa: E402, F401 - hooks
    pytest_make_collect_report,
    pytest_runtest_call,
    pytest_runtest_setup,
)
from thumbs.conf import installation  # noqa: E402
from thumbs.image.formats import FORMATS  # noqa: E402
from thumbs.render import libvips  # noqa: E402
from thumbs.wiring import overrides, process  # noqa: E402

# Tests of a site, for sessions of their own: `tests/system/test_ordinary_site.py` runs them.
collect_ignore = ["ordinary_site"]

_SYSTEM = Path(__file__).resolve().parent / "system"
# Seconds; `timeout` in pyproject.toml is that of all other tests. All three are far above what a test takes.
_SYSTEM_TIMEOUT, _SLOW_TIMEOUT = 600, 3600
_STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}
_running: list[pytest.Item] = []
_GUNICORNS = [logging.getLogger(name) for name in ("gunicorn.error", "gunicorn.access")]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays for the whole session: the garbage collector need not go through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in tests/system, and give it and what is slow more time."""
    system = {path for path in {item.path for item in items} if _SYSTEM in path.parents}
    for item in items:
        if item.path in system:
            item.add_marker("system")
        names = {marker.name for marker in item.iter_markers()}
        if "timeout" not in names and names & {"slow", "system"}:
            item.add_marker(pytest.mark.timeout(_SLOW_TIMEOUT if "slow" in names else _SYSTEM_TIMEOUT))


def pytest_sessionstart() -> None:
    """The system checks start a process that imports pyvips, once: before any test, so that no test starts it."""
    installation.libvips()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


def _refuse_processes(event: str, _: object) -> None:
    """An audit hook: a test that starts a process belongs in tests/system, where tests run one at a time."""
    if _running and event in _STARTS and not _running[-1].get_closest_marker("system"):
        raise RuntimeError(f"only tests in tests/system may start a process: {_running[-1].nodeid}")


sys.addaudithook(_refuse_processes)
# The first renderer of a process decides which formats libvips reads in it, and tests run in any order.
libvips.start(FORMATS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    """No test sees another one's thumbnailer. Cache layers are on as configured: they are what many tests test.

    One fixture for all of it: 15,000 tests set it up.
    """
    overrides.wishes.as_configured = True
    process.reset()
    registered = set(registry.registered_checks)
    before = [(each.propagate, each.level, each.handlers[:]) for each in _GUNICORNS]
    yield
    process.reset()
    # An app that a test installs registers its system checks permanently: those of `contrib.auth` fail without it.
    registry.registered_checks = registered
    # gunicorn's `Logger` takes its two loggers off the root for the whole process: later tests would see no record.
    for each, state in zip(_GUNICORNS, before, strict=True):
        if (each.propagate, each.level, each.handlers) != state:
            each.propagate = state[0]
            each.setLevel(state[1])
            each.handlers[:] = state[2]


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of drawn originals, the same for the whole session: do not write there."""
    root = tmp_path_factory.mktemp("originals")
    pictures.draw_all(root)
    return root


@pytest.fixture(scope="session")
def s3(originals: Path, moto: str) -> str:
    """The endpoint of an S3 server that holds the originals in `tests.support.fronts.BUCKET`."""
    fill_bucket(moto, originals)
    return moto


@pytest.fixture(scope="session")
def fronts(originals: Path, s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronts]:
    """All fronts, running; `ask` sends a request to all."""
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
