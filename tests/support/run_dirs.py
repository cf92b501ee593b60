"""The errors of the system checks for a storage with a disk cache and a directory for the files of a run."""

from pathlib import Path

from django.test import override_settings

from tests.support.commands import disk_cache, local_storage
from thumbs.checks.config import check_thumbs


def problems(run_dir: Path | None, originals: Path, cache: Path) -> list[tuple[str, str]]:
    document: dict[str, object] = {"STORAGES": [local_storage("photos", originals, disk=disk_cache(cache))]}
    if run_dir is not None:
        document["RUN_DIR"] = str(run_dir)
    with override_settings(THUMBS=document):
        return [(str(each.id), f"{each.msg} {each.hint}") for each in check_thumbs() if each.is_serious()]
