"""Fixtures of the sources' tests."""

import pytest

from tests.support.buckets import bucket, client, moto

__all__ = ["bucket", "client", "moto"]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of the tests are on the loopback, and are reached without a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
