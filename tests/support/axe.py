"""axe-core, which finds what keeps people from using a page. `.ci/machine` installs it with npm, into var/npm."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

_FILE = Path(__file__).resolve().parents[2] / "var/npm/node_modules/axe-core/axe.min.js"
_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ["violations"] }).then(
    ({ violations }) => done(violations.map(({ id, impact, help, nodes }) =>
        [impact, `${id}: ${help}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`])),
    (error) => done([["critical", String(error)]]),
);
"""


def serious(driver: "Chrome") -> list[str]:
    """The violations of the page that are serious or critical. Without axe-core the test is skipped; in CI it fails."""
    file = Path(os.environ.get("MAGE_AXE") or _FILE)
    if not file.exists():
        reason = "axe-core is not installed: npm install --prefix var/npm axe-core@4"
        if os.environ.get("MAGE_REQUIRE_SERVICES"):
            pytest.fail(reason)
        pytest.skip(reason)
    driver.execute_script(file.read_text(encoding="utf-8"))
    found: list[tuple[str, str]] = driver.execute_async_script(_RUN)
    return [text for impact, text in found if impact in ("serious", "critical")]
