"""Starts Debian's Chromium without a window, driven by Selenium, with a profile of its own."""

import contextlib
import importlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.processes import UnavailableError

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

_BROWSERS = ("chromium", "chromium-headless-shell")
_ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--force-device-scale-factor=1",
)


@dataclass(frozen=True, slots=True)
class Installation:
    """The paths of a browser and its driver, and the module `selenium.webdriver`."""

    browser: str
    driver: str
    webdriver: Any

    @contextlib.contextmanager
    def started(
        self, arguments: Sequence[str] = (), *, script: bool = True, seconds: float = 60.0
    ) -> Iterator["Chrome"]:
        """A browser with more command line `arguments`, until the block ends. `script`: JavaScript is on.

        `seconds` is the time for the load of a page, and for a script. Raises `UnavailableError` where the browser
        does not start, as with a temporary directory whose path is too long for a socket in it.
        """
        with contextlib.ExitStack() as stack:
            # Processes of the browser may still write into its profile when it has ended.
            profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            options = self.webdriver.ChromeOptions()
            options.binary_location = self.browser
            for argument in (*_ARGUMENTS, f"--user-data-dir={profile}", *arguments):
                options.add_argument(argument)
            options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
            if not script:
                options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
            log = str(Path(profile) / "chromedriver.log")
            service = self.webdriver.ChromeService(self.driver, log_output=log)
            driver = _driver(self.webdriver, options, service)
            stack.callback(_end, driver.capabilities.get("goog:processID"), profile)
            stack.callback(driver.quit)
            driver.set_page_load_timeout(seconds)
            driver.set_script_timeout(seconds)
            yield driver


def _end(pid: int | None, profile: str) -> None:
    """End the browser with this `profile` where it still runs, as after a crash of its driver."""
    with contextlib.suppress(OSError):
        if pid is not None and profile.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)


def find() -> Installation:
    """The browser of this machine. Raises `UnavailableError` where it, its driver or Selenium is not installed."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise UnavailableError("chromium is not installed: apt-get install chromium")
    driver = shutil.which("chromedriver")
    if driver is None:
        raise UnavailableError("chromedriver is not installed: apt-get install chromium-driver")
    try:
        webdriver = importlib.import_module("selenium.webdriver")
    except ImportError:
        raise UnavailableError("Selenium is not installed: pip install selenium") from None
    return Installation(browser, driver, webdriver)


def _driver(webdriver: Any, options: Any, service: Any) -> "Chrome":
    from selenium.common.exceptions import WebDriverException  # noqa: PLC0415 - only where it is installed

    try:
        driver: Chrome = webdriver.Chrome(options=options, service=service)
    except WebDriverException as error:
        raise UnavailableError(f"Chromium does not start: {(error.msg or '').partition(chr(10))[0]}") from error
    return driver
