"""A purge reaches every worker of a server; what needs a process of its own to be seen."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.test import override_settings

import thumbs
from tests.support import servers
from tests.support.commands import local_storage
from tests.support.red_and_blue import BLUE, RED, is_red
from tests.support.waiting import eventually


def test_a_purge_reaches_every_running_worker_within_a_second(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.jpg").write_bytes(RED)
    memory = {"enabled": True, "max_size_mb": 4}
    storage = local_storage("photos", root, memory=memory, namespace="both")  # a file and THUMBS have other defaults
    document = {"storages": [storage], "run_dir": str(tmp_path / "run")}
    with servers.standalone(document, tmp_path, workers=2) as server:
        url = server.url("photos/thumbs/20x20/a.jpg")
        # Each worker has a memory of its own, and misses once. One may answer hundreds before the other is there.
        missed: list[bool] = []

        def both_have_missed() -> bool:
            answer = servers.fetch(url)
            assert is_red(answer.body)
            missed.append(answer.headers["x-cache"] == "MISS")
            return sum(missed) == 2

        eventually(both_have_missed)
        (root / "a.jpg").write_bytes(BLUE)
        assert all(is_red(servers.fetch(url).body) for _ in range(20))
        with override_settings(THUMBS={name.upper(): value for name, value in document.items()}):
            thumbs.purge("photos", "a.jpg")
        time.sleep(1)  # the promise: a worker looks into the journal once a second
        assert not any(is_red(servers.fetch(url).body) for _ in range(20))


def test_the_package_is_imported_without_django() -> None:
    script = "import sys, thumbs; sys.exit(' '.join(n for n in ('django', 'pyvips') if n in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", script], cwd=servers.ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(AttributeError, match="module 'thumbs' has no attribute 'purges'"):
        getattr(thumbs, "purges")  # noqa: B009 - a type checker would see it


def test_models_are_watched_only_where_that_is_asked_for() -> None:
    script = (
        "import sys, django\n"
        "from django.conf import settings\n"
        "settings.configure(INSTALLED_APPS=['thumbs', 'tests'], THUMBS={{'STORAGES': [], **{}}})\n"
        "django.setup()\n"
        "from django.db.models.signals import pre_save\n"
        "from tests.support.models import Photo\n"
        "sys.exit(7 if pre_save.has_listeners(Photo) else 0)\n"
    )
    for asked, status in (({}, 0), ({"PURGE_ON_MODEL_CHANGES": True}, 7)):
        command = [sys.executable, "-c", script.format(asked)]
        done = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (status, "")
