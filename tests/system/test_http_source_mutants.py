"""Each safeguard of remote originals has a test: without it, a test fails."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.modules import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS

_HTTP = "thumbs/sources/http"
# The safeguard, its file, its text, what stands there instead, and the tests that must fail.
MUTANTS = {
    "entries at each hop": (
        "client.py",
        "if not any(entry.admits(target) for entry in self._redirects):",
        "if False:",
        "test_redirects.py",
    ),
    "addresses are judged": ("lookup.py", "if refusal is None:", "if True:", "test_connections.py"),
    "a table, and not is_private": (
        "networks.py",
        "        closed = _closed_v4",
        "        return Refusal('x') if address.is_private else None\n        closed = _closed_v4",
        "test_networks.py",
    ),
    "a table, and not is_global": (
        "networks.py",
        "        closed = _closed_v4",
        "        return None if address.is_global else Refusal('x')\n        closed = _closed_v4",
        "test_networks.py",
    ),
    "one look-up a connection": (
        "wire.py",
        "        sock.connect(candidate.sockaddr)",
        "        sock.connect((origin.host, origin.port))",
        "test_connections.py",
    ),
    "framing is bounded": ("wire.py", "_MOST_FRAMING + 2 * self.payload", "_MOST_FRAMING * 10**6", "test_reading.py"),
    "decoded bytes are bounded": (
        "exchange.py",
        "_within(_gunzipped(pieces, max_bytes), max_bytes)",
        "_gunzipped(pieces, 1 << 40)",
        "test_reading.py",
    ),
    "a length is kept": ("exchange.py", "if len(data) < size:", "if False:", "test_reading.py"),
    "the certificate has the name": (
        "client.py",
        "    context.set_alpn_protocols",
        "    context.check_hostname = False\n    context.set_alpn_protocols",
        "test_tls.py",
    ),
    "TLS has an end": ("wire.py", "suppress_ragged_eofs=False", "suppress_ragged_eofs=True", "test_tls.py"),
    "idle connections are looked at": ("pool.py", "if kept.is_quiet:", "if True:", "test_connections.py"),
    "no dot segments": ("url.py", 'segment.partition(b";")[0] in (b".", b"..")', "False", "test_url.py"),
    "one reading of a host": (
        "url.py",
        "    if len(host) > _MAX_HOST or not _NAME.fullmatch(host):",
        "    if not host:",
        "test_url.py",
    ),
    "a deadline for each receive": (
        "wire.py",
        "            self._socket.settimeout(self.deadline.left())\n            return receive",
        "            self._socket.settimeout(1)\n            return receive",
        "test_reading.py",
    ),
    "headers stay with their origin": (
        "client.py",
        "if origin == hops.first.origin and origin in self._trusted:",
        "if True:",
        "test_redirects.py",
    ),
    "a metadata service is named itself": ("networks.py", "if named is None:", "if True:", "test_networks.py"),
    "one Content-Length": ("exchange.py", "if len(lengths) + len(codings) > 1 or", "if", "test_reading.py"),
    "lines and packets are counted": (
        "wire.py",
        "_MOST_STEPS + self.payload // _BYTES_PER_STEP",
        "_MOST_STEPS << 40",
        "test_bounds.py",
    ),
    "one reading of a redirect": ("url.py", " or not _REFERENCE.match(location)", "", "test_url_vectors.py"),
    "a 304 confirms its version": ("versions.py", "tag is None:", "True:", "test_revalidation.py"),
}


def test_each_safeguard_stands_once_in_its_file() -> None:
    assert {name: (ROOT / _HTTP / file).read_text().count(text) for name, (file, text, *_) in MUTANTS.items()} == (
        dict.fromkeys(MUTANTS, 1)
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code and the tests, to be changed."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("thumbs", "tests", "mage_project"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_without_a_safeguard_a_test_fails(name: str, copy: Path) -> None:
    file, text, instead, tests = MUTANTS[name]
    changed = copy / _HTTP / file
    original = changed.read_text()
    assert original.count(text) >= 1, "the safeguard is written otherwise now"
    changed.write_text(original.replace(text, instead))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--timeout=20", "-p", "no:cacheprovider"]
    try:
        ran = subprocess.run(
            [*command, f"tests/sources/http/{tests}"],
            cwd=copy,
            capture_output=True,
            text=True,
            timeout=LONG_WAIT_SECONDS,
            check=False,
        )
    finally:
        changed.write_text(original)
    assert ran.returncode == 1, ran.stdout[-2000:] + ran.stderr[-2000:]
