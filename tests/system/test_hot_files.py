"""Servers with hot files: what other processes do to the cache counts at once, in every front."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.test import override_settings

import thumbs
from tests.support import servers
from tests.support.commands import disk_cache, local_storage
from tests.support.hot_entries import open_entries
from tests.support.processes import children
from tests.support.red_and_blue import BLUE, RED, is_red
from tests.support.servers import OUR_WORKER, ROOT, Server
from tests.support.waiting import eventually

PATH = "photos/thumbs/20x20/a.jpg"
FRONTS = pytest.mark.parametrize("worker", [OUR_WORKER, "asgi", "gthread"], ids=["ours", "asgi", "wsgi"])


class Site:
    """A server with two workers and one red original, and settings that share its cache."""

    def __init__(self, server: Server, document: dict[str, object], root: Path, cache: Path) -> None:
        self.server, self.root, self.cache = server, root, cache
        self.settings = {name.upper(): value for name, value in document.items()}

    def heat(self, path: str = PATH) -> None:
        """Request `path` until every worker has its file open."""

        def is_hot() -> bool:
            assert {self.server.get(path).status for _ in range(5)} == {200}
            return all(self.open_entries())

        eventually(is_hot)

    def open_entries(self) -> list[list[str]]:
        """Those of each worker."""
        return [open_entries(self.cache, worker) for worker in children(self.server.process.pid)]

    def answers(self) -> list[tuple[str, bool]]:
        """X-Cache, and whether the picture is red."""
        found = [self.server.get(PATH) for _ in range(12)]
        assert {each.status for each in found} == {200}
        return [(each.headers["x-cache"], is_red(each.body)) for each in found]


@contextmanager
def site(tmp_path: Path, worker: str) -> Iterator[Site]:
    root, cache = tmp_path / "root", tmp_path / "cache"
    root.mkdir()
    (root / "a.jpg").write_bytes(RED)
    storage = local_storage("photos", root, disk=disk_cache(cache), namespace="both")
    document: dict[str, object] = {"storages": [storage], "run_dir": str(tmp_path / "run")}
    with servers.standalone(document, tmp_path, worker=worker, workers=2) as server:
        yield Site(server, document, root, cache)


@FRONTS
def test_a_purge_by_another_process_is_seen_by_every_worker_at_once(tmp_path: Path, worker: str) -> None:
    with site(tmp_path, worker) as running:
        running.heat()
        (running.root / "a.jpg").write_bytes(BLUE)
        assert set(running.answers()) == {("HIT", True)}
        with override_settings(THUMBS=running.settings):
            thumbs.purge("photos", "a.jpg")
        assert not any(red for _, red in running.answers())
        running.heat()
        assert not any(red for _, red in running.answers())
        eventually(lambda: not any("(deleted)" in name for names in running.open_entries() for name in names))


@FRONTS
def test_a_cache_that_is_deleted_or_replaced_under_a_server_is_not_served_any_more(tmp_path: Path, worker: str) -> None:
    with site(tmp_path, worker) as running:
        for act in (lambda: shutil.rmtree(running.cache), lambda: running.cache.rename(tmp_path / "away")):
            running.heat()
            act()
            first, *others = running.answers()
            assert first == ("MISS", True)
            assert any(status == "HIT" for status, _ in others)
        eventually(
            lambda: not any(open_entries(tmp_path / "away", each) for each in children(running.server.process.pid))
        )


def test_files_that_are_not_requested_any_more_are_closed(tmp_path: Path) -> None:
    with site(tmp_path, OUR_WORKER) as running:
        running.heat()
        running.heat(PATH.replace("20x20", "30x30"))
        eventually(lambda: not any(running.open_entries()))
        assert "Traceback" not in running.server.log.read_text()


_FORK = """
import json, os, sys
from pathlib import Path
from tests.support.hot_entries import Hot, heat, is_hot, keep, open_entries, whole

directory = Path(sys.argv[1])
hot = Hot(directory)
hot.put("a/name", b"payload")
child = os.fork()
if child == 0:
    began = len(hot.files), open_entries(directory)
    first = whole(hot.get("a/name"))
    hot.other.set("a/name", b"of the child", expires=None)
    heat(hot.store, "a/name")
    ended = is_hot(hot.get("a/name")), whole(hot.get("a/name")).decode(), len(open_entries(directory))
    print(json.dumps([began, first.decode(), ended]), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(json.dumps(whole(hot.get("a/name")).decode()))
"""


def test_a_forked_child_begins_without_hot_files_and_makes_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", _FORK, str(tmp_path / "cache")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    child, parent = map(json.loads, done.stdout.splitlines())
    assert child == [[0, []], "payload", [True, "of the child", 1]]
    assert parent == "of the child"
