"""The configurations in docs/migrating-servers.md are right as they stand, and sign what the text says they sign."""

import json
import re
from pathlib import Path

import pytest

from tests.support.servers import ROOT
from thumbs.conf.loading import load

_ENVIRON = {"MAGE_SECRET": "a" * 64, "IMGPROXY_KEY": "943b", "IMGPROXY_SALT": "520f", "THUMBOR_KEY": "key"}
_BLOCKS = re.findall(r"^```json\n(.*?)^```", (ROOT / "docs/migrating-servers.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("block", _BLOCKS, ids=lambda block: f"{len(block)} characters")
def test_a_documented_configuration_has_no_problem(block: str, tmp_path: Path) -> None:
    document = json.loads(block.replace("/srv/photos", str(tmp_path)))
    read = load({name.upper(): value for name, value in document.items()} | {"ENVIRON": _ENVIRON})
    assert read.errors == ()
    assert len(read.dialects) == len(document["dialects"])
    assert all(storage.signature_secret_key or storage.allowed_sizes for storage in read.storages)
    assert all(storage.cache.disk.enabled for storage in read.storages)


def test_both_configurations_are_found() -> None:
    assert len(_BLOCKS) == 2


def _problems(**more: object) -> list[tuple[str, str]]:
    dialect = {"dialect": "imgproxy", "sources": {"https://": "remote"}, "key": "943b", "salt": "520f", **more}
    storage = {"name": "remote", "driver": "http", "base_url": "https://cdn.example.com/"}
    read = load({"STORAGES": [storage], "DIALECTS": [dialect], "ENVIRON": {"TWO": "943b,943c"}})
    return [(problem.id, problem.sentence) for problem in read.errors]


def test_a_key_that_the_environment_lacks_is_one_problem() -> None:
    (found,) = _problems(key="${IMGPROXY_KEY}")
    assert found[0] == "thumbs.E006"


@pytest.mark.parametrize("key", ["943b,943c", "${TWO}"])
def test_keys_that_imgproxy_separates_by_commas_are_to_be_a_list(key: str) -> None:
    (found,) = _problems(key=key)
    assert found[0] == "thumbs.E003"
    assert "a list of hex digits, one value for each pair, not values with commas" in found[1]
