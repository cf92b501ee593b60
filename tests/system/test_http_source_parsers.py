"""The URL parser of the machine's Node reads what is accepted in the same way."""

import json
import subprocess
from urllib.parse import urlsplit

import pytest

from tests.support.servers import service
from tests.support.url_vectors import BASE, LOCATIONS, URLS, Row
from tests.support.waiting import WAIT_SECONDS

_PARSE = """
const [base, texts] = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(texts.map(text => {
  try {
    const url = base ? new URL(text, base) : new URL(text);
    const port = url.port || {"http:": 80, "https:": 443}[url.protocol];
    return base ? url.href.split("#")[0] : `${url.hostname}:${port}`;
  } catch { return null; }
})));
"""


def _same(found: str) -> str:
    """Without what no resolver sees: capitals of a host, and the dot at its end."""
    netloc = urlsplit(found if "://" in found else f"http://{found}").netloc
    host, colon, port = netloc.lower().partition(":")
    return found.replace(netloc, f"{host.removesuffix('.')}{colon}{port}", 1)


@pytest.mark.parametrize(("base", "rows"), [("", URLS), (BASE, LOCATIONS)])
def test_what_is_accepted_has_the_same_host_for_it(base: str, rows: tuple[Row, ...]) -> None:
    accepted = {text: ours for text, ours, _, whatwg in rows if None not in (ours, whatwg)}
    ran = subprocess.run(
        [service("node"), "-e", _PARSE],
        input=json.dumps([base, list(accepted)]),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=True,
    )
    found = json.loads(ran.stdout)
    assert dict(zip(accepted, map(_same, found), strict=True)) == accepted
