"""Each safeguard of remote originals has a test: without it, a test fails."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.modules import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS

# Of the one test that does not end without its safeguard; with it, it takes half a second.
_SECONDS = {"a deadline for each receive": 6}
_HTTP = "thumbs/sources/http"
_BOUNDED = "test_bounds.py::test_a_response_without_end_is_refused_after_a_bounded_number_of_calls_and_bytes"
_WHOLE = "test_reading.py::test_what_is_no_whole_original_is_an_error"
# The safeguard, its file, its text, what stands there instead, and the test that must fail.
MUTANTS = {
    "entries at each hop": (
        "client.py",
        "if not any(entry.admits(target) for entry in self._redirects):",
        "if False:",
        "test_redirects.py::test_a_redirect_to_anywhere_else_is_refused",
    ),
    "addresses are judged": (
        "lookup.py",
        "if refusal is None:",
        "if True:",
        "test_connections.py::test_a_name_without_an_allowed_address_is_as_missing_as_an_unknown_one",
    ),
    "a table, and not is_private": (
        "networks.py",
        "        closed = _closed_v4",
        "        return Refusal('x') if address.is_private else None\n        closed = _closed_v4",
        "test_networks.py::test_no_address_of_a_special_network_is_connected_to",
    ),
    "a table, and not is_global": (
        "networks.py",
        "        closed = _closed_v4",
        "        return None if address.is_global else Refusal('x')\n        closed = _closed_v4",
        "test_networks.py::test_no_address_of_a_special_network_is_connected_to",
    ),
    "one look-up a connection": (
        "wire.py",
        "        sock.connect(candidate.sockaddr)",
        "        sock.connect((origin.host, origin.port))",
        "test_connections.py::test_each_new_connection_has_one_look_up",
    ),
    "framing is bounded": (
        "wire.py",
        "_MOST_FRAMING + 2 * self.payload",
        "_MOST_FRAMING * 10**6",
        f"{_WHOLE}[headers of 200 KiB]",
    ),
    "decoded bytes are bounded": (
        "exchange.py",
        "_within(_gunzipped(pieces, max_bytes), max_bytes)",
        "_gunzipped(pieces, 1 << 40)",
        f"{_WHOLE}[a gzip bomb]",
    ),
    "a length is kept": ("exchange.py", "if len(data) < size:", "if False:", f"{_WHOLE}[cut in the body]"),
    "the certificate has the name": (
        "client.py",
        "    context.set_alpn_protocols",
        "    context.check_hostname = False\n    context.set_alpn_protocols",
        "test_tls.py::test_a_certificate_that_does_not_fit_is_refused",
    ),
    "TLS has an end": (
        "wire.py",
        "suppress_ragged_eofs=False",
        "suppress_ragged_eofs=True",
        "test_tls.py::test_a_body_until_the_end_needs_the_end_of_tls",
    ),
    "idle connections are looked at": (
        "pool.py",
        "if kept.is_quiet:",
        "if True:",
        "test_connections.py::test_an_answer_to_no_request_is_never_the_answer_to_the_next",
    ),
    "no dot segments": (
        "url.py",
        'segment.partition(b";")[0] in (b".", b"..")',
        "False",
        "test_url.py::test_what_has_two_readings_names_no_url",
    ),
    "one reading of a host": (
        "url.py",
        "    if len(host) > _MAX_HOST or not _NAME.fullmatch(host):",
        "    if not host:",
        "test_url.py::test_what_has_two_readings_names_no_url",
    ),
    "a deadline for each receive": (
        "wire.py",
        "            self._socket.settimeout(self.deadline.left())\n            return receive",
        "            self._socket.settimeout(1)\n            return receive",
        "test_reading.py::test_an_origin_that_never_ends_is_a_timeout[status]",
    ),
    "headers stay with their origin": (
        "client.py",
        "if origin == hops.first.origin and origin in self._trusted:",
        "if True:",
        "test_redirects.py::test_headers_of_the_configuration_go_to_their_origin_only",
    ),
    "a metadata service is named itself": (
        "networks.py",
        "if named is None:",
        "if True:",
        "test_networks.py::test_an_address_that_ends_nearly_as_one_of_isatap_has_no_other_inside",
    ),
    "one Content-Length": ("exchange.py", "if len(lengths) + len(codings) > 1 or", "if", f"{_WHOLE}[two lengths]"),
    "lines and packets are counted": (
        "wire.py",
        "_MOST_STEPS + self.payload // _BYTES_PER_STEP",
        "_MOST_STEPS << 40",
        f"{_BOUNDED}[chunks of 5 bytes]",
    ),
    "one reading of a redirect": (
        "url.py",
        " or not _REFERENCE.match(location)",
        "",
        "test_url_vectors.py::test_a_redirect_has_one_target_or_is_refused",
    ),
    "a 304 confirms its version": (
        "versions.py",
        "tag is None:",
        "True:",
        "test_revalidation.py::test_a_304_about_another_version_is_asked_again_without_a_condition",
    ),
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
    _write(changed, original.replace(text, instead))
    unused = [
        word
        for plugin in ("cacheprovider", "xdist", "pytest_cov", "hypothesispytest")
        for word in ("-p", f"no:{plugin}")
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-x", f"--timeout={_SECONDS.get(name, 20)}", *unused]
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
        _write(changed, original)
    assert ran.returncode == 1, ran.stdout[-2000:] + ran.stderr[-2000:]


def _write(file: Path, text: str) -> None:
    """Without bytecode, which is matched by size and second: it could be that of what stood there before."""
    file.write_text(text)
    for compiled in file.parent.glob(f"__pycache__/{file.stem}.*.pyc"):
        compiled.unlink()
