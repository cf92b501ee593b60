"""Debian's Chromium without a window, driven by Selenium: what a page shows and does in a browser."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from bench.browser.chromium import Installation, find
from bench.processes import UnavailableError
from tests.support.waiting import WAIT_SECONDS, eventually

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement


@contextlib.contextmanager
def browser(*, width: int = 1200, height: int = 1000, dark: bool = False, script: bool = True) -> Iterator["Chrome"]:
    """A browser with a profile of its own; its window is `width` by `height` CSS pixels. `script`: JavaScript is on.

    Without Chromium or Selenium the test is skipped; in CI it fails.
    """
    size = f"--window-size={width},{height}"
    with installation().started([size], script=script, seconds=WAIT_SECONDS) as driver:
        _emulate(driver, width, height, dark)
        yield driver


@contextlib.contextmanager
def resized(driver: "Chrome", *, width: int, height: int = 1000, dark: bool = False) -> Iterator[None]:
    """Another screen for a browser that runs, until the block ends: for less than the start of another one."""
    scheme = "matchMedia('(prefers-color-scheme: dark)').matches"
    before = driver.execute_script(f"return [innerWidth, innerHeight, {scheme}]")
    _emulate(driver, width, height, dark)
    try:
        yield
    finally:
        _emulate(driver, *before)


def _emulate(driver: "Chrome", width: int, height: int, dark: bool) -> None:
    # A window has a least width, which is more than that of a telephone.
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def installation() -> Installation:
    """Chromium and its driver. Without them or Selenium the test is skipped; in CI it fails."""
    try:
        return find()
    except UnavailableError as error:
        if os.environ.get("MAGE_REQUIRE_SERVICES"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def console(driver: "Chrome") -> list[str]:
    """What the console got since the last call: refusals of a Content-Security-Policy, errors, missing files."""
    return [str(entry["message"]) for entry in driver.get_log("browser")]  # type: ignore[no-untyped-call]


def one(driver: "Chrome | WebElement", selector: str) -> "WebElement":
    """The only element of a CSS selector; waits until there is one."""
    found: list[WebElement] = []

    def is_there() -> bool:
        found[:] = driver.find_elements("css selector", selector)
        return bool(found)

    eventually(is_there)
    assert len(found) == 1, f"{len(found)} elements for {selector}"
    return found[0]


def is_drawn(image: "WebElement") -> Callable[[], bool]:
    """Whether an `<img>` has pixels: its picture is loaded and decoded."""
    return lambda: bool(image.parent.execute_script("return arguments[0].naturalWidth > 0", image))
