"""The rules for contributors agree with the files: paths, tools, versions, forms."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))
_ELEMENTS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
_PATH = re.compile(
    r"`((?:thumbs|tests|docs|script|deploy|mage_project|bench)(?:/[\w.]+)*/?|[\w.-]+\.(?:md|toml|txt|py))`"
)
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pyproject() -> dict[str, Any]:
    return tomllib.loads(text_of("pyproject.toml"))


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "SECURITY.md", "docs/releasing.md"])
def test_every_path_that_a_document_names_exists(document: str) -> None:
    text = text_of(document)
    named = set(_PATH.findall(text))
    linked = set(_LINK.findall(text))
    assert named | linked
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    assert [path for path in sorted(linked) if not (ROOT / document).parent.joinpath(path).exists()] == []


def test_the_names_that_the_lists_point_at_exist() -> None:
    assert "class Transform" in text_of("thumbs/image/transforms.py")
    assert "class StorageConf" in text_of("thumbs/conf/document.py")
    assert "class Source" in text_of("thumbs/sources/source.py")
    assert re.search(r"^RECIPE = ", text_of("thumbs/request/resolve.py"), re.MULTILINE)
    assert re.search(r"^PATCHED = ", text_of("thumbs/conf/installation.py"), re.MULTILINE)


@pytest.mark.parametrize("path", [path for path in FORMS if path.name != "config.yml"], ids=lambda path: path.stem)
def test_an_issue_form_is_what_the_forge_reads(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    assert {element["type"] for element in form["body"]} <= _ELEMENTS
    asked = [element for element in form["body"] if element["type"] != "markdown"]
    assert asked
    ids = [element["id"] for element in asked]
    assert len(set(ids)) == len(ids)
    assert all(element["attributes"]["label"] for element in asked)
    assert all(element["attributes"]["options"] for element in asked if element["type"] == "dropdown")


def test_there_is_a_form_for_bugs_and_one_for_features() -> None:
    assert {path.stem for path in FORMS} == {"bug", "config", "feature"}


def test_hooks_need_nothing_but_the_tools_in_the_environment() -> None:
    config = yaml.safe_load(text_of(".pre-commit-config.yaml"))
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert [hook["entry"].split()[0] for hook in hooks] == [".venv/bin/ruff", ".venv/bin/ruff", ".venv/bin/mypy"]
    assert {hook["language"] for hook in hooks} == {"system"}
    tools = {re.split(r"\W", requirement)[0] for requirement in pyproject()["project"]["optional-dependencies"]["test"]}
    assert {"mypy", "ruff"} <= tools


def test_classifiers_setup_and_the_tools_agree_on_the_pythons() -> None:
    project = pyproject()["project"]
    prefix = "Programming Language :: Python :: 3."
    promised = [row.removeprefix(prefix) for row in project["classifiers"] if row.startswith(prefix)]
    assert project["requires-python"] == f">=3.{promised[0]}"
    assert pyproject()["tool"]["mypy"]["python_version"] == f"3.{promised[0]}"
    assert pyproject()["tool"]["ruff"]["target-version"] == f"py3{promised[0]}"
    looked_for = " ".join(f"3.{minor}" for minor in reversed(promised))
    assert f"known=({looked_for})" in text_of("script/setup")
    if (ROOT / ".ci/versions").exists():  # the sdist has none
        assert f"for python in {' '.join(f'3.{minor}' for minor in promised)}; do" in text_of(".ci/versions")


def test_classifiers_and_bounds_agree_on_django() -> None:
    project = pyproject()["project"]
    prefix = "Framework :: Django :: "
    promised = [row.removeprefix(prefix) for row in project["classifiers"] if row.startswith(prefix)]
    assert f"django>={promised[0]},<{int(promised[-1].partition('.')[0]) + 1}" in project["dependencies"]
    assert promised == sorted(promised)
