"""The hints that show a least configuration show one that no check has anything to say about."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.test import override_settings

from tests.support.documents import checked, one
from thumbs.conf.document import LEAST_IN_FILE


def hint_of(setting: object, code: str) -> str:
    """The hint of the one error, or of the one warning beside that of a missing cache."""
    [message] = checked(setting)
    assert message.id == code
    return str(message.hint)


def everything(setting: object) -> list[checks.CheckMessage]:
    return checked(setting, without=())


@pytest.mark.parametrize("setting", [{}, {"STORAGES": []}])
def test_the_least_in_settings_is_right(setting: object) -> None:
    hint = hint_of(setting, "thumbs.E004")
    shown = re.search(r"THUMBS = (\{.*\})\.$", hint)
    assert shown is not None
    assert everything(ast.literal_eval(shown[1])) == []


def test_the_least_in_a_file_is_right(tmp_path: Path) -> None:
    file = tmp_path / "storages.json"
    for text in ("{}", '{"storages": []}'):
        file.write_text(text)
        assert hint_of({"STORAGES_FILE": str(file)}, "thumbs.E004") == LEAST_IN_FILE
    shown = json.loads(LEAST_IN_FILE[LEAST_IN_FILE.index("{") : -1])
    shown["storages"][0]["root"] = str(tmp_path)  # the directory of the example need not be there
    file.write_text(json.dumps(shown))
    assert everything({"STORAGES_FILE": str(file)}) == []


def test_each_of_the_two_limits_in_the_hint_is_enough(tmp_path: Path) -> None:
    cache = {"memory": {"enabled": True, "max_size_mb": 64}}
    storage = {"name": "photos", "driver": "local", "root": str(tmp_path), "cache": cache}
    hint = hint_of(one(storage), "thumbs.W001")
    shown = re.findall(r'"(\w+)": ("[^"]*"|\[[^]]*\])', hint)
    assert [name for name, _ in shown] == ["signature_secret_key", "allowed_sizes"]
    for name, value in shown:
        assert everything(one({**storage, name: json.loads(value)})) == []


MISSING: list[tuple[dict[str, Any], str]] = [
    ({"driver": "local", "root": "ROOT"}, "name"),
    ({"name": "photos"}, "driver"),
    ({"name": "photos", "driver": "local"}, "root"),
    ({"name": "photos", "driver": "s3"}, "bucket"),
    ({"name": "photos", "driver": "django"}, "alias"),
    ({"name": "photos", "driver": "local", "root": "ROOT", "cache": {"disk": {"enabled": True}}}, "dir"),
]


@pytest.mark.parametrize(("storage", "key"), MISSING, ids=[key for _, key in MISSING])
def test_every_missing_key_is_shown(tmp_path: Path, storage: dict[str, Any], key: str) -> None:
    rooted = {name: str(tmp_path) if value == "ROOT" else value for name, value in storage.items()}
    hint = hint_of(one({**rooted, "allowed_sizes": ["400x300"]}), "thumbs.E004")
    shown = dict(re.findall(r'"(\w+)": "([^"]*)"', hint))
    assert key in shown
    if key == "dir":
        return
    cached = {"cache": {"memory": {"enabled": True, "max_size_mb": 64}}, "allowed_sizes": ["400x300"]}
    if key == "driver":
        shown = {"driver": "local", "root": shown["root"]}
    if "root" in shown:
        shown["root"] = str(tmp_path)
    with override_settings(MEDIA_ROOT=str(tmp_path)):
        assert everything(one({**rooted, **shown, **cached})) == []
