"""The pytest plugin: fixtures for the tests of a site. It imports Django only in projects that have this app.

In a test session the cache layers are off, unless a test asks for them: tests, and the workers of pytest-xdist, share
nothing with each other or with a server that runs.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from thumbs.test import override_thumbs as Override  # noqa: N812


@pytest.fixture(scope="session", autouse=True)
def _thumbs_session() -> Iterator[None]:
    if not _is_installed():
        yield
        return
    from thumbs.wiring import process  # noqa: PLC0415
    from thumbs.wiring.overrides import wishes  # noqa: PLC0415

    wishes.session = True
    process.reset(close=True)
    yield
    wishes.session = False
    process.reset(close=True)


@pytest.fixture
def override_thumbs() -> "Iterator[Callable[..., Override]]":
    """`override_thumbs(mode="dummy")`: as `thumbs.test.override_thumbs`, until the end of the test."""
    from thumbs.test import override_thumbs as override  # noqa: PLC0415

    with ExitStack() as stack:

        def enter(*, cache: bool = False, **keys: object) -> "Override":
            entered = override(cache=cache, **keys)
            stack.enter_context(entered)
            return entered

        yield enter


@pytest.fixture
def thumbs_cache(override_thumbs: "Callable[..., Override]") -> None:
    """The cache layers are on during the test, in a temporary directory."""
    override_thumbs(cache=True)


def _is_installed() -> bool:
    """Whether the tests are those of a Django project with this app. Imports nothing."""
    registry = sys.modules.get("django.apps")
    return registry is not None and registry.apps.ready and registry.apps.is_installed("thumbs")
