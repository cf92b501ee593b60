"""Closes the sources of each test: a connection that is left open would be a warning in another one."""

from collections.abc import Iterator

import pytest

from tests.support.origins import close_sources


@pytest.fixture(autouse=True)
def _closed_sources() -> Iterator[None]:
    yield
    close_sources()
