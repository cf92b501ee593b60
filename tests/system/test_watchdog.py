"""A render that will not end: its process is replaced, and all other requests are served meanwhile and afterwards."""

import time
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import local_storage
from tests.support.processes import children
from tests.support.waiting import eventually


@pytest.mark.parametrize("worker", [servers.OUR_WORKER, "asgi", "gthread"])
def test_a_worker_of_gunicorns_with_a_render_that_does_not_end_is_replaced(
    originals: Path, tmp_path: Path, worker: str
) -> None:
    storage = local_storage("photos", originals)
    limits = {"fetch_seconds": 1.0, "render_seconds": 1.0, "renders": 1}
    document = {"storages": [storage], "limits": limits, "run_dir": str(tmp_path / "run")}
    with servers.site(document, tmp_path, worker=worker, module="tests.support.stuck") as server:
        assert server.get("photos/thumbs/50x/quarters.jpg").status == 200  # so that its worker is there
        (first,) = children(server.process.pid)
        # It never ends, so the request meets its time limit.
        began = time.monotonic()
        assert server.get("photos/thumbs/666x/quarters.jpg").status == 504
        eventually(lambda: children(server.process.pid).isdisjoint({first}))
        eventually(lambda: server.get("photos/thumbs/51x/quarters.jpg").status == 200)
        (second,) = children(server.process.pid)
        assert second != first
        assert "has not ended after" in server.log.read_text()
        print(f"{worker}: answers again after {time.monotonic() - began:.1f} s")  # noqa: T201 - to read with `-s`
