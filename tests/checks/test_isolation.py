"""The check of `isolation`: which layers are missing, and whether a server may start without them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.core import checks
from django.test import override_settings

from tests.support.documents import local
from thumbs.render.isolation import lockdown
from thumbs.render.isolation.sandbox.kernel import LayerName, MissingLayer

REASON = "the kernel or the container refuses it (ENOSYS)"


@pytest.fixture(params=[(), ("landlock",), ("seccomp",), ("landlock", "seccomp")], ids="+".join)
def missing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[LayerName, ...]:
    layers: tuple[LayerName, ...] = request.param
    found: Mapping[LayerName, MissingLayer] = {name: MissingLayer(name, REASON) for name in layers}
    monkeypatch.setattr(lockdown, "missing", lambda: found)
    return layers


@pytest.fixture(params=["off", "auto", "require"])
def isolation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    thumbs = {"STORAGES": [local(tmp_path)], "ISOLATION": request.param, "RUN_DIR": str(tmp_path / "run")}
    with override_settings(THUMBS=thumbs):
        yield request.param


def test_each_missing_layer_is_named_once_where_it_is_wanted(missing: tuple[str, ...], isolation: str) -> None:
    found = [each for each in checks.run_checks(tags=["thumbs"]) if each.id in ("thumbs.E020", "thumbs.W007")]
    if not missing or isolation == "off":
        assert found == []
        return
    assert [each.id for each in found] == ["thumbs.E020" if isolation == "require" else "thumbs.W007"]
    assert found[0].is_serious() is (isolation == "require")
    assert re.findall(r"layer (\w+) is missing: ", found[0].msg) == list(missing)
    assert found[0].msg.count(REASON) == len(missing)
    assert "docs/deployment.md" in str(found[0].hint)
