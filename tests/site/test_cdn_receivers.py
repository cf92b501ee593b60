"""The receivers for CDNs in docs/deployment.md, run against a server that keeps answers by tags, as a CDN does."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError

import pytest
from django.test import Client, override_settings

import thumbs
from tests.support.commands import local_storage
from tests.support.markdown import Block, blocks
from tests.support.servers import ROOT
from thumbs import signals

GUIDE = ROOT / "docs" / "deployment.md"
SECRETS = {
    "CLOUDFLARE_ZONE": "z1",
    "CLOUDFLARE_TOKEN": "cf-token",
    "FASTLY_SERVICE": "s1",
    "FASTLY_TOKEN": "fastly-token",
}


@dataclass
class FakeCDN:
    """Keeps what the site behind it answers, under the tags of `header`, and purges tags by the APIs of two CDNs.

    `GET` of a path is a request of a browser. A request with a wrong token, path or body is 403, and purges nothing.
    """

    header: str
    port: int = 0
    kept: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def get(self, path: str) -> bytes:
        if path not in self.kept:
            answer = Client().get(path)
            self.kept[path] = (answer[self.header], answer.content)
        return self.kept[path][1]

    def purge(self, tags: list[str]) -> None:
        self.kept = {path: row for path, row in self.kept.items() if row[0] not in tags}

    def tags_of(self, handler: BaseHTTPRequestHandler) -> list[str] | None:
        """The tags that a request purges; None for one that neither API accepts."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if handler.path == "/zones/z1/purge_cache":
            if handler.headers["Authorization"] != "Bearer cf-token":
                return None
            if handler.headers["Content-Type"] != "application/json":
                return None
            return list(json.loads(body)["tags"])
        found = re.fullmatch(r"/service/s1/purge/([a-z0-9_-]+)", handler.path)
        if found is None or handler.headers["Fastly-Key"] != "fastly-token":
            return None
        return [found[1]]


@contextmanager
def running(cdn: FakeCDN) -> Iterator[FakeCDN]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            tags = cdn.tags_of(self)
            if tags is None:
                cdn.refused.append(self.path)
            else:
                cdn.purge(tags)
            self.send_response(403 if tags is None else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cdn.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield cdn
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def receivers() -> dict[str, Block]:
    return {block.file: block for block in blocks(GUIDE) if block.language == "python"}


@contextmanager
def connected(block: Block, api: str) -> Iterator[None]:
    """The code of the page, connected to the signal, with the fake CDN in place of the API."""
    code, count = re.subn(r'^API = ".*"$', f'API = "{api}"', block.text, flags=re.MULTILINE)
    assert count == 1
    names: dict[str, object] = {}
    exec(compile(code, f"{GUIDE}:{block.line}", "exec"), names)
    receiver = next(value for name, value in names.items() if name.startswith("purge_"))
    try:
        yield
    finally:
        assert signals.purged.disconnect(receiver)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("file", "header"), [("photos/cloudflare.py", "Cache-Tag"), ("photos/fastly.py", "Surrogate-Key")]
)
def test_a_purge_reaches_the_cdn_and_drops_all_sizes_of_one_original(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, header: str
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    storage = {**local_storage("photos", originals), "cache_tag_header": header}
    mine = ["/img/photos/thumbs/50x/quarters.jpg", "/img/photos/thumbs/x70/filters:format(webp)/quarters.jpg"]
    other = "/img/photos/thumbs/50x/quarters.png"
    with override_settings(THUMBS={"STORAGES": [storage], "RUN_DIR": str(tmp_path)}), running(FakeCDN(header)) as cdn:
        for path in (*mine, other):
            assert cdn.get(path)
        with connected(receivers()[file], f"http://127.0.0.1:{cdn.port}"):
            thumbs.purge("photos", "quarters.jpg")
        assert (list(cdn.kept), cdn.refused) == ([other], [])


def test_a_cdn_that_refuses_is_logged_without_the_token_and_the_purge_is_done(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in {**SECRETS, "FASTLY_TOKEN": "wrong-token"}.items():
        monkeypatch.setenv(name, value)
    storage = {**local_storage("photos", originals), "cache_tag_header": "Surrogate-Key"}
    settings = {"STORAGES": [storage], "RUN_DIR": str(tmp_path)}
    with override_settings(THUMBS=settings), running(FakeCDN("Surrogate-Key")) as cdn:
        with connected(receivers()["photos/fastly.py"], f"http://127.0.0.1:{cdn.port}"):
            assert thumbs.purge("photos", "quarters.jpg") == 0
        assert len(cdn.refused) == 1
    assert "purge_fastly of thumbs.signals.purged failed: HTTPError" in caplog.text
    assert "wrong-token" not in caplog.text
    for record in caplog.records:
        if record.exc_info and isinstance(record.exc_info[1], HTTPError):
            record.exc_info[1].close()


@pytest.mark.system
def test_the_line_for_a_shell_prints_the_same_tag(originals: Path, tmp_path: Path) -> None:
    line = next(block.text for block in blocks(GUIDE) if "b2sum" in block.text)
    printed = subprocess.run(["bash", "-c", line], check=True, capture_output=True, text=True).stdout
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", originals)], "RUN_DIR": str(tmp_path)}):
        assert printed.strip() == thumbs.cache_tag("photos", "cats/tom.jpg")
