"""Private pictures under real servers: behind Mage's worker, behind nginx, and nowhere else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import deployed, servers
from tests.support.commands import environ_with, manage
from tests.support.servers import ROOT, Server

SITE = "tests.support.private_site"
MEMBER = {"Cookie": "member=yes"}
PICTURE = "bills/thumbs/90x60/filters:format(webp);quality(70)/quarters.jpg"


def storage(originals: Path, **keys: object) -> dict[str, object]:
    cache = {"memory": {"enabled": True, "max_size_mb": 4}}
    return {"driver": "local", "root": str(originals), "allowed_sizes": ["90x60"], "cache": cache, **keys}


@pytest.mark.parametrize("worker", [servers.OUR_WORKER, "asgi", "gthread"])
def test_every_worker_asks_the_check_before_a_hit(originals: Path, tmp_path: Path, worker: str) -> None:
    thumbs = {"storages": [storage(originals, name="bills", private=True), storage(originals, name="open")]}
    with servers.site(thumbs, tmp_path, worker=worker, module=SITE, settings={"ROOT_URLCONF": SITE}) as server:
        for prefix, path, headers, status in (
            ("/checked/", PICTURE, MEMBER, 200),
            ("/checked/", PICTURE, {}, 403),
            ("/img/", PICTURE, MEMBER, 404),
            ("/img/", PICTURE.replace("bills", "open"), {}, 200),
            ("/checked/", PICTURE.replace("bills", "open"), MEMBER, 404),
        ) * 2:
            server.prefix = prefix
            answer = server.get(path, headers=headers)
            assert answer.status == status, (prefix, path)
        server.prefix = "/checked/"
        hit = server.get(PICTURE, headers=MEMBER)
        assert (hit.headers["x-cache"], hit.headers["cache-control"]) == ("HIT", "private, max-age=86400")
        condition = {"If-None-Match": hit.headers["etag"]}
        assert server.get(PICTURE, headers={**MEMBER, **condition}).status == 304
        assert server.get(PICTURE, headers=condition).status == 403


def test_the_standalone_server_does_not_start_with_a_private_storage(originals: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [storage(originals, name="bills", private=True)])
    for command in (["check"], ["run_thumb_server", "--bind", f"127.0.0.1:{servers.free_port()}"]):
        done = manage(environ, *command)
        assert done.returncode == 1
        assert "(thumbs.E022) storages[bills].private" in done.stderr
        assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------- behind nginx


@pytest.fixture(scope="module")
def front(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """nginx with the locations of docs/django.md, before a site and a `run_thumb_server`."""
    work = tmp_path_factory.mktemp("accel")
    (work / "site").mkdir()
    thumbs = {"storages": [storage(originals, name="open")]}
    site = servers.site(thumbs, work / "site", module=SITE, settings={"ROOT_URLCONF": SITE})
    mage = deployed.thumb_server({"storages": [storage(originals, name="bills")]}, work / "mage")
    with site as site_server, mage as thumb_server:
        shown = re.search(r"```nginx\n(location /private/.*?)```", (ROOT / "docs/django.md").read_text(), re.DOTALL)
        assert shown is not None
        ports = {
            "http://site": f"http://127.0.0.1:{site_server.port}",
            "127.0.0.1:8081": f"127.0.0.1:{thumb_server.port}",
        }
        port = servers.free_port()
        kept = " ".join(
            f"{kind}_temp_path {work}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        locations = deployed.swapped(shown[1], ports)
        (work / "nginx.conf").write_text(
            f"user root; worker_processes 1; events {{}} http {{ {kept} access_log {work}/access.log;\n"
            f"server {{ listen 127.0.0.1:{port}; {locations} }} }}"
        )
        options = ("-c", f"{work}/nginx.conf", "-p", str(work), "-e", f"{work}/error.log")
        command = [servers.service("nginx"), *options, "-g", f"daemon off; pid {work}/nginx.pid;"]
        with servers.running(command, log=work / "output") as process:
            servers.wait_for_port(port, process, work / "output")
            yield Server("nginx", port, process, work / "access.log", prefix="/private/")


def test_nginx_sends_a_picture_only_where_the_site_allows_it(front: Server) -> None:
    for _ in range(2):
        answer = front.get(PICTURE, headers=MEMBER)
        assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
        assert answer.headers["cache-control"] == "private, max-age=300"
        assert front.get(PICTURE).status == 403
    assert answer.headers["x-cache"] == "HIT"
    again = {**MEMBER, "If-None-Match": answer.headers["etag"]}
    assert front.get(PICTURE, headers=again).status == 304


def test_the_way_behind_nginx_is_closed_to_clients(front: Server) -> None:
    front.prefix = "/thumbs-internal/"
    try:
        assert front.get(PICTURE, headers=MEMBER).status == 404
    finally:
        front.prefix = "/private/"


def test_errors_of_mage_come_through_nginx_as_they_are(front: Server) -> None:
    missing = front.get(PICTURE.replace("quarters", "none"), headers=MEMBER)
    assert (missing.status, missing.headers["content-type"]) == (404, "application/problem+json")
