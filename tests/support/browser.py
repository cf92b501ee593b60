"""Debian's Chromium without a window, driven by Selenium: what a page shows and does in a browser."""

import contextlib
import importlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.servers import service
from tests.support.waiting import WAIT_SECONDS, eventually

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement


@contextlib.contextmanager
def browser(*, width: int = 1200, height: int = 1000, dark: bool = False, script: bool = True) -> Iterator["Chrome"]:
    """A browser with a profile of its own; its window is `width` by `height` CSS pixels. `script`: JavaScript is on.

    Without Chromium or Selenium the test is skipped; in CI it fails.
    """
    chromium, driver_path = service("chromium"), _driver()
    webdriver = _webdriver()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for argument in (
            *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--user-data-dir={profile}", f"--window-size={width},{height}", "--force-device-scale-factor=1"),
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        if not script:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        log = Path(profile) / "chromedriver.log"
        chromedriver = webdriver.ChromeService(driver_path, log_output=str(log))
        with contextlib.ExitStack() as stack:
            driver = webdriver.Chrome(options=options, service=chromedriver)
            stack.callback(driver.quit)
            driver.set_page_load_timeout(WAIT_SECONDS)
            # A window has a least width, which is more than that of a telephone.
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
            yield driver


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


def _driver() -> str:
    try:
        return service("chromedriver")
    except pytest.skip.Exception:
        pytest.skip("chromedriver is not installed: apt-get install chromium-driver")


def _webdriver() -> Any:
    """The module `selenium.webdriver`."""
    if os.environ.get("MAGE_REQUIRE_SERVICES"):
        return importlib.import_module("selenium.webdriver")
    return pytest.importorskip("selenium.webdriver", reason="Selenium is not installed: pip install selenium")
