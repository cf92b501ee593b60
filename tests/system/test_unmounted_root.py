"""A local root whose file system is gone: stale copies are served, nothing is dropped, and what was not made is 502."""

from pathlib import Path

from tests.support import servers
from tests.support.prometheus import samples
from tests.support.waiting import eventually

TOM = "photos/thumbs/90x60/tom.jpg"


def serving(root: Path, directory: Path) -> dict[str, object]:
    disk = {"enabled": True, "dir": str(directory / "disk"), "ttl_seconds": 1, "stale_seconds": 3600}
    storage = {"name": "photos", "driver": "local", "root": str(root), "cache": {"disk": disk}}
    return {"storages": [storage], "metrics": True}


def outcome(server: servers.Server, path: str) -> tuple[int, str | None]:
    answer = server.get(path)
    return answer.status, answer.headers.get("x-cache")


def failures(server: servers.Server) -> float:
    found = samples(server.get("metrics").body.decode(), "mage_storage_errors_total")
    return found.get(("storage-failed", "photos"), 0)


def test_a_root_that_is_unmounted_takes_no_copy_away_before_and_after_a_restart(
    originals: Path, tmp_path: Path
) -> None:
    root, away = tmp_path / "root", tmp_path / "away"
    root.mkdir()
    (root / "tom.jpg").write_bytes((originals / "quarters.jpg").read_bytes())
    document = serving(root, tmp_path)
    with servers.standalone(document, tmp_path, worker=servers.OUR_WORKER) as server:
        assert outcome(server, TOM) == (200, "MISS")
        assert outcome(server, "photos/thumbs/90x60/none.jpg")[0] == 404
        root.rename(away)
        root.mkdir()
        eventually(lambda: outcome(server, TOM) == (200, "STALE"))
        eventually(lambda: failures(server) > 0)
        assert outcome(server, TOM) == (200, "STALE")
        assert outcome(server, "photos/thumbs/80x50/tom.jpg")[0] == 502
        assert "RootChanged" in server.log.read_text()
    with servers.standalone(document, tmp_path, worker=servers.OUR_WORKER) as server:  # it knows no other root
        assert outcome(server, TOM) == (200, "STALE")
        eventually(lambda: failures(server) > 0)
        assert outcome(server, TOM) == (200, "STALE")
        assert outcome(server, "photos/thumbs/80x50/tom.jpg")[0] == 502
        assert "EmptyRoot" in server.log.read_text()
        root.rmdir()
        away.rename(root)
        eventually(lambda: outcome(server, TOM) == (200, "HIT"))
        assert outcome(server, "photos/thumbs/90x60/none.jpg")[0] == 404
