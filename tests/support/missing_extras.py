"""Tests that need an extra of Mage are skipped where it is not installed; in CI, where all are, they fail."""

import os
from collections.abc import Generator, Iterator

import pytest

from thumbs import extras


def reason(error: BaseException) -> str:
    """Why a test that ended with `error` is skipped; "" if no missing extra is the cause."""
    if os.environ.get("MAGE_REQUIRE_SERVICES"):
        return ""
    needed = extras.extras_behind(error)
    told = str(error)
    if not needed and (extras.MISSING_EXTRA in told or f"{extras.DISTRIBUTION}[" in told):
        absent = [extra for extra in extras.PACKAGES if not extras.is_installed(extra)]
        needed = tuple(extra for extra in absent if extra in told) or tuple(absent)
    return f"needs an extra: {extras.command(*needed)}" if needed else ""


def need(extra: str) -> None:
    """Skip the test where `extra` is not installed."""
    if not extras.is_installed(extra) and not os.environ.get("MAGE_REQUIRE_SERVICES"):
        pytest.skip(f"needs an extra: {extras.command(extra)}")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module whose imports fail for want of an extra is skipped as a whole."""
    report = yield
    call = getattr(report, "call", None)
    error = None if call is None or call.excinfo is None else call.excinfo.value
    why = reason(error) if error is not None else ""
    if why:
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, f"Skipped: {why}")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    return (yield from _skipping())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    return (yield from _skipping())


def _skipping() -> Iterator[None]:
    try:
        return (yield)
    except Exception as error:
        why = reason(error)
        if why:
            pytest.skip(why)
        raise
