"""The default of run_dir: the user's own runtime directory where that is private, else one below /tmp."""

import os
import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import local_storage
from tests.support.planted import OTHER, plant
from thumbs.conf.document import StorageConf
from thumbs.conf.keys import read
from thumbs.wiring import caches

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can plant what belongs to another user")
MEMORY = {"enabled": True, "max_size_mb": 4}


@pytest.fixture
def of_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(caches, "_OF_USERS", tmp_path / "user")
    monkeypatch.setattr(caches, "_TEMPORARY", tmp_path)
    return tmp_path / "user"


def test_the_default_is_in_the_users_own_runtime_directory_where_that_is_private(
    of_users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_RUNTIME_DIR", "TMPDIR", "TEMP", "TMP", "HOME"):
        monkeypatch.setenv(name, str(of_users.parent / "elsewhere"))
    directory, temporary = caches.run_directory(None), of_users.parent / "mage-0"
    assert directory.path == temporary
    own = plant(of_users / "0", 0)
    assert directory.path == own / "mage"
    for mode in (0o755, 0o770, 0o1700):
        own.chmod(mode)
        assert directory.path == temporary
    plant(own, OTHER)
    assert directory.path == temporary
    own.rmdir()
    own.symlink_to(plant(of_users / "another", 0))
    assert directory.path == temporary


def test_a_running_process_and_a_command_agree_when_the_user_logs_in_and_out(of_users: Path) -> None:
    conf = read(StorageConf, local_storage("photos", of_users.parent, memory=MEMORY), "", [])
    running = caches.layers(conf)
    now = running._clock()
    for number, login in enumerate((False, True, False)):
        own = of_users / "0"
        if login:
            plant(own, 0)
        elif own.exists():
            shutil.rmtree(own)
        group = f"group-{number}"
        assert not running.purged_since(f"{group}/name", now)
        caches.layers(conf).purge(group)
        servers.eventually(partial(running.purged_since, f"{group}/name", now))
