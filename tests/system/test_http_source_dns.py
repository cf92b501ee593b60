"""Originals over real DNS, TLS and addresses, in a network namespace: nothing of the own network is connected to."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.http_namespace import NAT64, PUBLIC, PUBLIC_V6
from tests.support.modules import ROOT
from tests.support.servers import service
from tests.support.waiting import LONG_WAIT_SECONDS

READ = (
    *("http://public.test/a.jpg", "https://public.test/a.jpg", "https://alias.test/a.jpg", "http://mixed.test/a.jpg"),
    *("http://many.test/a.jpg", "http://unreachable.test/a.jpg", "http://93.184.216.34/a.jpg"),
    *("http://public.test/to-https", "rebinding: first"),
)
WITHHELD = (
    *("http://public.test/to-metadata", "http://public.test/to-metadata-name", "http://public.test/to-private"),
    *("http://public.test/to-mixed", "http://metadata.test/secret", "http://private.test/secret"),
    *("http://only-bad.test/secret", "http://169.254.169.254/secret", "http://10.0.0.5/secret"),
    *("http://127.0.0.1/secret", "http://nothing.test/a.jpg", "http://cloud.evil/a.jpg"),
    *("rebinding: second", "rebinding: redirect"),
)


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `tests.support.http_namespace` found."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a network namespace with addresses of its own")
    for program in ("nginx", "ip", "mount"):
        service(program)
    unshare = [service("unshare"), "-n", "-m"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("unshare is refused here: the container lacks CAP_SYS_ADMIN")
    directory = tmp_path_factory.mktemp("namespace")
    command = [*unshare, sys.executable, "-m", "tests.support.http_namespace", str(directory)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("url", READ)
def test_a_public_original_is_read(url: str, namespace: dict[str, Any]) -> None:
    assert namespace["found"][url] == "read"


@pytest.mark.parametrize("name", ["v6.test", "nat64.test"])
def test_an_original_with_an_ipv6_address_alone_is_read(name: str, namespace: dict[str, Any]) -> None:
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("this kernel has no IPv6")
    assert namespace["found"][f"http://{name}/a.jpg"] == "read"


@pytest.mark.parametrize("url", WITHHELD)
def test_what_is_unknown_or_not_public_is_missing(url: str, namespace: dict[str, Any]) -> None:
    assert namespace["found"][url] == "404"


def test_a_certificate_of_another_name_is_refused(namespace: dict[str, Any]) -> None:
    assert namespace["found"]["https://other.test/a.jpg"] == "502"


def test_a_resolver_that_hangs_ends_at_the_deadline_or_its_own(namespace: dict[str, Any]) -> None:
    assert namespace["found"]["http://hangs.test/a.jpg"] in ("502", "504")


def test_no_service_of_the_own_network_is_connected_to(namespace: dict[str, Any]) -> None:
    assert namespace["connections"] == {"metadata": 0, "private": 0}


def test_no_spelling_and_no_redirect_of_any_code_brings_an_answer_of_the_own_network(namespace: dict[str, Any]) -> None:
    read = {url: outcome for url, outcome in namespace["withheld"].items() if outcome not in ("404", "502")}
    assert read == {}
    assert len(namespace["withheld"]) > 800
    assert namespace["found"]["redirects"] == "0 ['301', '302', '303', '307', '308']", "each was sent, once"


def test_no_connection_to_any_other_address_or_port_is_begun(namespace: dict[str, Any]) -> None:
    """Each packet that begins a connection is seen, also one to an address that nothing listens on."""
    control = "198.51.100.77 4321"
    public = {f"{PUBLIC} 80", f"{PUBLIC} 443", "93.184.216.99 80", f"{PUBLIC_V6} 80", f"{NAT64} 80"}
    assert control in namespace["connected"]
    assert set(namespace["connected"]) - {control} <= public


def test_no_name_is_completed_by_the_search_list(namespace: dict[str, Any]) -> None:
    assert namespace["asked"]["cloud.evil"] == 1
    assert not [name for name in namespace["asked"] if name.endswith(".internal.test")]


def test_each_connection_has_one_look_up(namespace: dict[str, Any]) -> None:
    assert namespace["asked"]["rebinding.test"] == 3
    assert namespace["asked"]["mixed.test"] == 1
