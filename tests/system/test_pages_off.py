"""Without its key, the playground costs the standalone server nothing: no process of it imports any of its modules."""

from pathlib import Path

import pytest

from tests.support import servers
from tests.support.playground_pages import fill
from tests.support.servers import OUR_WORKER, Answer, fetch

URL = "open/thumbs/120x90/photos/grain.jpg"
PAGES = ("thumbs.playground", "thumbs.console")
# Of each request: the headers that differ by the time, or by the server that was asked first.
CHANGING = {"date", "server-timing", "age"}


def answered(root: Path, directory: Path, worker: str, **more: object) -> tuple[set[str], list[Answer]]:
    """The modules of the process that renders, and its answers to a miss and a hit."""
    directory.mkdir()
    listed = directory / "modules"
    options = {"location": str(root), "listed": str(listed)}
    cache = {"memory": {"enabled": True, "max_size_mb": 16}}
    storage = {"name": "open", "driver": "tests.support.module_lister.ListingStorage", "options": options}
    thumbs = {"host": "127.0.0.1", "storages": [{**storage, "cache": cache}], **more}
    with servers.standalone(thumbs, directory, worker=worker) as server:
        fetch(server.url(""))  # the URLs of the project are imported for it
        fetch(server.url("playground/originals?storage=open"))
        answers = [fetch(server.url(URL)) for _ in range(2)]
    return set(listed.read_text().split("\n")), answers


def pages(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith(PAGES)}


@pytest.mark.parametrize("worker", [OUR_WORKER, "gthread", "asgi"])
def test_a_server_without_the_key_imports_nothing_of_the_pages(tmp_path: Path, worker: str) -> None:
    fill(tmp_path / "originals")
    without, plain = answered(tmp_path / "originals", tmp_path / "off", worker, playground="off")
    assert "mage_project.urls" in without
    assert pages(without) == set()
    with_pages, served = answered(tmp_path / "originals", tmp_path / "on", worker, playground="on")
    assert "thumbs.playground.views" in pages(with_pages)
    # A thumbnail is answered alike: the pages are no middleware.
    for one, other in zip(plain, served, strict=True):
        assert (one.status, one.body) == (other.status, other.body) == (200, one.body)
        kept = [{name: value for name, value in each.headers.items() if name not in CHANGING} for each in (one, other)]
        assert kept[0] == kept[1]
    assert [each.headers["x-cache"] for each in plain] == ["MISS", "HIT"]


def test_a_server_without_any_key_is_one_without_the_pages(tmp_path: Path) -> None:
    fill(tmp_path / "originals")
    without, _ = answered(tmp_path / "originals", tmp_path / "none", OUR_WORKER)
    assert pages(without) == set()
