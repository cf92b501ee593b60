"""The check of the playground: pages that sign are not open to every client of a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import checked, local
from thumbs.checks import pages

EXPOSED = "thumbs.E038"


@pytest.fixture(autouse=True)
def _no_bind() -> Iterator[None]:
    yield
    pages._hosts.clear()


def found(tmp_path: Path, **keys: object) -> list[str]:
    thumbs = {"STORAGES": [local(tmp_path)], "RUN_DIR": str(tmp_path / "run"), **keys}
    return [str(each.id) for each in checked(thumbs) if each.id != "thumbs.W008"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "img.example.com", "unix:/run/mage.sock"])
def test_signing_pages_on_an_address_of_the_network_are_an_error(tmp_path: Path, host: str) -> None:
    assert found(tmp_path, HOST=host, PLAYGROUND="sign") == [EXPOSED]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.4.5", "::1", "localhost", "::ffff:127.0.0.1"])
def test_signing_pages_on_a_loopback_address_are_none(tmp_path: Path, host: str) -> None:
    assert found(tmp_path, HOST=host, PLAYGROUND="sign") == []


@pytest.mark.parametrize("keys", [{"PLAYGROUND": "on"}, {"PLAYGROUND": "off"}, {}])
def test_pages_that_sign_nothing_may_listen_anywhere(tmp_path: Path, keys: dict[str, object]) -> None:
    assert found(tmp_path, HOST="0.0.0.0", **keys) == []


def test_a_token_makes_it_right(tmp_path: Path) -> None:
    assert found(tmp_path, HOST="0.0.0.0", PLAYGROUND="sign", PLAYGROUND_TOKEN="a long random text") == []


def test_a_site_has_no_address_to_check(tmp_path: Path) -> None:
    assert found(tmp_path, PLAYGROUND="sign") == []


def test_the_address_of_the_command_line_counts_instead(tmp_path: Path) -> None:
    pages.use_hosts(["127.0.0.1"])
    assert found(tmp_path, HOST="0.0.0.0", PLAYGROUND="sign") == []
    pages.use_hosts(["0.0.0.0"])
    assert found(tmp_path, HOST="127.0.0.1", PLAYGROUND="sign") == [EXPOSED]


@pytest.mark.parametrize("hosts", [["127.0.0.1", "10.1.2.3"], ["10.1.2.3", "::1"], ["::1", "unix:/run/mage.sock"]])
def test_of_several_addresses_each_one_counts(tmp_path: Path, hosts: list[str]) -> None:
    pages.use_hosts(hosts)
    assert found(tmp_path, HOST="127.0.0.1", PLAYGROUND="sign") == [EXPOSED]
    pages.use_hosts(["127.0.0.1", "::1"])
    assert found(tmp_path, HOST="0.0.0.0", PLAYGROUND="sign") == []


def test_the_error_names_the_address_and_says_what_to_do(tmp_path: Path) -> None:
    thumbs = {"STORAGES": [local(tmp_path)], "HOST": "0.0.0.0", "PLAYGROUND": "sign", "RUN_DIR": str(tmp_path / "run")}
    (error,) = [each for each in checked(thumbs) if each.id == EXPOSED]
    assert error.is_serious()
    assert "listens at 0.0.0.0" in error.msg
    assert "playground_token" in str(error.hint)


@pytest.mark.parametrize("value", ["yes", "true", "signs", True])
def test_another_value_is_an_error_that_names_the_right_ones(tmp_path: Path, value: object) -> None:
    assert "thumbs.E003" in found(tmp_path, PLAYGROUND=value)
