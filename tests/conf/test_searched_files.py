"""Of several files, the first that exists is the configuration; where none does, the error names all of them."""

import json
from pathlib import Path

from tests.support.documents import local
from thumbs.conf.loading import caches_of, load, text_of


def written(path: Path, **more: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"storages": [local(path.parent)], **more}))
    return str(path)


def test_the_first_file_that_exists_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "etc/storages.json", tmp_path / "app/storages.json"
    paths = [str(first), written(second, log_level="ERROR", caches={"fleet": {"backend": "a"}})]
    assert load({"STORAGES_FILE": paths}).document.log_level == "ERROR"
    assert text_of(paths, "log_level", {}) == "ERROR"
    assert caches_of(paths, {}) == {"fleet": {"BACKEND": "a"}}
    written(first, log_level="WARNING")
    assert load({"STORAGES_FILE": paths}).document.log_level == "WARNING"
    assert (text_of(paths, "log_level", {}), caches_of(paths, {})) == ("WARNING", {})


def test_one_that_cannot_be_read_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "storages.json").mkdir()  # as Docker does for the mount of a file that is not there
    paths = [str(tmp_path / "storages.json"), written(tmp_path / "app/storages.json")]
    (problem,) = load({"STORAGES_FILE": paths}).problems
    assert problem.id == "thumbs.E001"
    assert str(problem).startswith(f"{paths[0]}: cannot be read: Is a directory.")


def test_where_none_exists_one_line_names_those_that_were_looked_at(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a.json", "b.json")]
    (problem,) = load({"STORAGES_FILE": paths}).problems
    assert problem.id == "thumbs.E001"
    assert str(problem).startswith(f"{paths[0]}, {paths[1]}: do not exist: one of them must.")


def test_what_is_no_path_is_an_error(tmp_path: Path) -> None:
    for value in ([], [5], [str(tmp_path), None]):
        assert [each.id for each in load({"STORAGES_FILE": value}).problems][:1] == ["thumbs.E003"]
