"""The system checks name directories and files that another user owns or may write, with the remedy."""

import os
from pathlib import Path

import pytest

from tests.support.planted import OTHER, SERVICE, plant
from tests.support.run_dirs import problems

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can plant what belongs to another user")


def test_a_check_names_what_is_refused_with_owner_mode_and_remedy(originals: Path, tmp_path: Path) -> None:
    cache, run_dir = plant(tmp_path / "cache", 0, mode=0o775), plant(tmp_path / "run", 0, mode=0o1777)
    found = dict.fromkeys(code for code, _ in problems(run_dir, originals, cache))
    assert list(found) == ["thumbs.E019"]
    texts = sorted(text for _, text in problems(run_dir, originals, cache))
    for text, where, path, mode in zip(
        texts, ("run_dir", "storages[photos].cache.disk.dir"), (run_dir, cache), ("1777", "0775"), strict=True
    ):
        assert text.startswith(f"{where}: is refused: {path} is owned by user 0 with mode {mode}; ")
        assert f"chmod go-w {path}" in text
    cache.chmod(0o750)
    run_dir.chmod(0o755)
    assert problems(run_dir, originals, cache) == []


@pytest.mark.parametrize("name", ["photos.purges", "photos-1.claims"])
def test_a_file_planted_in_a_run_dir_is_found_by_the_check(name: str, originals: Path, tmp_path: Path) -> None:
    run_dir = plant(tmp_path / "run", SERVICE)
    (run_dir / name).touch()
    os.chown(run_dir / name, SERVICE, SERVICE)
    assert problems(run_dir, originals, tmp_path / "cache") == []
    os.chown(run_dir / name, OTHER, OTHER)
    [(code, text)] = problems(run_dir, originals, tmp_path / "cache")
    assert code == "thumbs.E019"
    assert f"{run_dir / name} is owned by user {OTHER}" in text


def test_a_run_dir_that_is_none_is_found_by_the_check(originals: Path, tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    [(code, text)] = problems(tmp_path / "run", originals, tmp_path / "cache")
    assert code == "thumbs.E019"
    assert f"run_dir: cannot be used: {tmp_path / 'run'}" in text
