"""What other users plant where a server keeps its own: no request waits or fails for it, and the log names it."""

import contextlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client, override_settings

import thumbs
from tests.support import servers
from tests.support.commands import Run, disk_cache, environ_with, local_storage, manage
from tests.support.planted import OTHER, SERVICE, as_user, locked_by, plant
from tests.support.run_dirs import problems
from tests.support.waiting import WAIT_SECONDS
from thumbs.cache.filestore.trust import Untrusted
from thumbs.checks.config import check_thumbs
from thumbs.conf.document import StorageConf
from thumbs.conf.keys import read
from thumbs.wiring import caches, process

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can plant what belongs to another user")
# Far from both: a render takes milliseconds, and a request that waits takes 45 seconds.
MEMORY = {"enabled": True, "max_size_mb": 4}


def answered(path: str) -> tuple[int, str]:
    """Status and X-Cache, and a failure when there is no answer in time."""
    answers: list[tuple[int, str]] = []

    def ask() -> None:
        answer = Client().get(f"/img/{path}")
        answers.append((answer.status_code, answer.headers.get("X-Cache", "")))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(WAIT_SECONDS)
    assert answers, "it still waits"
    return answers[0]


@pytest.fixture
def default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default of `run_dir`, in a temporary directory of this test's own that any user may write."""
    shared = tmp_path / "tmp"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setattr(caches, "_TEMPORARY", shared)
    monkeypatch.setattr(caches, "_OF_USERS", tmp_path / "none")
    return shared / "mage-0"


@contextlib.contextmanager
def configured(originals: Path, tmp_path: Path, run_dir: Path | None, **cache: object) -> Iterator[StorageConf]:
    cache = cache or {"disk": disk_cache(tmp_path / "cache")}
    storage = local_storage("photos", originals, **cache)
    document: dict[str, object] = {"STORAGES": [storage]}
    if run_dir is not None:
        document["RUN_DIR"] = str(run_dir)
    with override_settings(THUMBS=document):
        yield read(StorageConf, storage, "", [])


def locks_in(directory: Path, conf: StorageConf) -> Path:
    return directory / f"{conf.name}-{caches._locations_digest(conf)}.claims"


def by_default(default: Path) -> Path | None:
    return None


def elsewhere(default: Path) -> Path | None:
    return default.parent / "run"


@pytest.mark.parametrize("where", [by_default, elsewhere], ids=["by default", "as configured"])
def test_a_lock_that_another_user_never_gives_up_holds_up_no_render(
    where: Callable[[Path], Path | None],
    default: Path,
    originals: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run_dir = where(default)
    with configured(originals, tmp_path, run_dir) as conf:
        # By default the whole directory, whose name is predictable; else the path of one of Mage's files.
        directory = plant(run_dir or default, 0 if run_dir else OTHER, mode=0o755)
        locks = locks_in(directory, conf)
        locks.touch()
        os.chown(locks, OTHER, OTHER)
        with locked_by(OTHER, locks):
            assert answered("photos/thumbs/40x30/quarters.jpg") == (200, "MISS")
            assert answered("photos/thumbs/50x30/quarters.jpg") == (200, "MISS")
            assert answered("photos/thumbs/50x30/quarters.jpg") == (200, "HIT")
    [append] = [each.getMessage() for each in caplog.records if "more than once" in each.getMessage()]
    assert f"is owned by user {OTHER}" in append


@pytest.mark.parametrize("kind", ["fifo", "link"])
@pytest.mark.parametrize("name", ["locks", "purges"])
def test_what_is_no_regular_file_at_the_path_of_one_delays_no_render_and_no_purge(
    kind: str, name: str, originals: Path, tmp_path: Path
) -> None:
    run_dir, outside = tmp_path / "run", tmp_path / "outside"
    outside.write_bytes(b"precious")
    run_dir.mkdir()
    shared = {"disk": disk_cache(tmp_path / "cache")} if name == "locks" else {"memory": MEMORY}
    with configured(originals, tmp_path, run_dir, **shared) as conf:
        path = locks_in(run_dir, conf) if name == "locks" else run_dir / "photos.purges"
        os.mkfifo(path) if kind == "fifo" else path.symlink_to(outside)
        assert answered("photos/thumbs/40x30/quarters.jpg") == (200, "MISS")
        assert answered("photos/thumbs/40x30/quarters.jpg") == (200, "HIT")
        if name == "purges":
            with pytest.raises(Untrusted, match="is a link, or not of the right kind"):
                thumbs.purge("photos", "quarters.jpg")
    assert outside.read_bytes() == b"precious"


@pytest.mark.parametrize("owner", [OTHER, 0])
def test_a_link_at_the_default_path_is_not_followed(owner: int, default: Path, originals: Path, tmp_path: Path) -> None:
    """To a directory that root owns, such as /etc."""
    etc = tmp_path / "etc"
    etc.mkdir()
    default.symlink_to(etc)
    os.chown(default, owner, owner, follow_symlinks=False)
    with configured(originals, tmp_path, None):
        assert answered("photos/thumbs/40x30/quarters.jpg") == (200, "MISS")
        with configured(originals, tmp_path, None, memory=MEMORY):
            process.reset()
            with pytest.raises(Untrusted):
                thumbs.purge("photos", "quarters.jpg")
    assert list(etc.iterdir()) == []


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770])
def test_a_cache_that_becomes_writable_by_others_is_a_failing_layer_and_logged_once(
    mode: int, originals: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with configured(originals, tmp_path, tmp_path / "run"):
        path = "photos/thumbs/40x30/quarters.jpg"
        assert answered(path) == (200, "MISS")
        assert answered(path) == (200, "HIT")
        (tmp_path / "cache").chmod(mode)
        servers.eventually(lambda: answered(path) == (200, "MISS"))
        assert [answered(path) for _ in range(20)] == [(200, "MISS")] * 20
        lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(lines) == 2  # of reading, of writing
        assert all("cache layer disk cannot be" in line and f"mode {mode:04o}" in line for line in lines)
        (tmp_path / "cache").chmod(0o700)
        servers.eventually(lambda: answered(path) == (200, "HIT"))


def test_a_purge_that_another_user_wrote_down_purges_nothing(originals: Path, tmp_path: Path) -> None:
    run_dir = plant(tmp_path / "run", 0)
    (run_dir / "photos.purges").write_text("# mark\n9e9 *\n")
    os.chown(run_dir / "photos.purges", OTHER, OTHER)
    with configured(originals, tmp_path, run_dir, memory=MEMORY):
        path = "photos/thumbs/40x30/quarters.jpg"
        assert [answered(path) for _ in range(2)] == [(200, "MISS"), (200, "HIT")]


@pytest.mark.parametrize("when", ["inf", "nan", "9e99"])
def test_a_purge_of_all_that_will_ever_be_is_one_of_what_there_was(when: str, originals: Path, tmp_path: Path) -> None:
    run_dir = plant(tmp_path / "run", 0)
    (run_dir / "photos.purges").write_text(f"# mark\n{when} *\n")
    with configured(originals, tmp_path, run_dir, memory=MEMORY):
        path = "photos/thumbs/40x30/quarters.jpg"
        servers.eventually(lambda: answered(path) == (200, "HIT"))


# -------------------------------------------------------------------------------- the system check


def test_a_planted_default_is_found_by_the_check(default: Path, originals: Path, tmp_path: Path) -> None:
    assert problems(None, originals, tmp_path / "cache") == []
    plant(default, OTHER)
    [(code, text)] = problems(None, originals, tmp_path / "cache")
    assert code == "thumbs.E019"
    assert f"{default} is owned by user {OTHER} with mode 0700" in text
    assert 'set "run_dir"' in text


def test_a_server_does_not_start_with_it_and_one_that_runs_goes_on(originals: Path, tmp_path: Path) -> None:
    run_dir = plant(tmp_path / "run", 0)
    storage = local_storage("photos", originals, disk=disk_cache(tmp_path / "cache"))
    environ = environ_with(tmp_path, [storage])
    run_dir.chmod(0o777)
    refused = manage(environ, "run_thumb_server", "--bind", f"127.0.0.1:{servers.free_port()}")
    assert refused.returncode != 0
    assert "thumbs.E019" in refused.stderr
    # A worker that is started meanwhile is one of gunicorn's alone.
    document = json.loads((tmp_path / "storages.json").read_text())
    plant(tmp_path / "cache", 0, mode=0o777)
    with servers.standalone(document, tmp_path, worker=servers.OUR_WORKER) as server:
        answers = [server.get("photos/thumbs/40x30/quarters.jpg") for _ in range(3)]
        assert [(each.status, each.headers["x-cache"]) for each in answers] == [(200, "MISS")] * 3
        assert "Traceback" not in server.log.read_text()


# ------------------------------------------------------------------------ one user serves, root commands


def test_roots_commands_and_those_of_the_service_use_the_same_run_dir_and_cache(
    originals: Path, reachable_path: Path, run: Run
) -> None:
    run_dir, cache = (plant(reachable_path / name, SERVICE, mode=0o750) for name in ("run", "var"))
    storages = [
        local_storage("photos", originals, disk=disk_cache(cache / "photos")),
        local_storage("memory", originals, memory=MEMORY),
    ]
    environ = environ_with(reachable_path, storages)
    warm = ("warm_thumb_cache", "photos", "quarters.jpg", "--size", "40x30")
    for command in (("clear_thumb_cache",), warm, ("run_cache_janitor", "--once")):
        done = manage(environ, *command)
        assert done.returncode == 0, done.stderr
    made = [*run_dir.rglob("*"), *cache.rglob("*")]
    assert {".claims", ".purges", ".entry"} <= {path.suffix for path in made}
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(SERVICE, SERVICE)}

    def serve(key: str = "any/name") -> None:
        """As the service does: it takes the key lock, reads the journal, reads, writes and clears."""
        assert [each for each in check_thumbs() if each.is_serious() and "root" not in each.msg] == []
        for conf in confs:
            kept = caches.layers(conf, str(run_dir))
            assert kept.purged_since(key, began)
            assert kept.lock_or_get(key).lock is not None
            kept.clear()
            assert kept.failing == ()

    began = cache.stat().st_mtime - 3600
    with override_settings(THUMBS={"STORAGES": storages, "RUN_DIR": str(run_dir)}):
        confs = process.configuration().storages
        check_thumbs()
        run("clear_thumb_cache")
        serve("any/other")  # imports what the copy of this process cannot
        assert as_user(SERVICE, serve) == ""


def test_what_the_service_makes_is_used_by_root(originals: Path, reachable_path: Path, tmp_path: Path) -> None:
    run_dir = plant(reachable_path / "run", SERVICE)
    with configured(originals, tmp_path, run_dir, memory=MEMORY) as conf:
        running = caches.layers(conf, str(run_dir))
        assert as_user(SERVICE, lambda: caches.layers(conf, str(run_dir)).purge("group")) == ""
        servers.eventually(lambda: running.purged_since("group/name", 1e9))
        caches.layers(conf, str(run_dir)).purge("other")
        assert {path.stat().st_uid for path in run_dir.iterdir()} == {SERVICE}
