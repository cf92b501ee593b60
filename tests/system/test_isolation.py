"""A server whose renders run in children: under each host, at its end, and when renders take too long or are lost."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import local_storage
from tests.support.isolated import document, is_locked_down, layers, render_children
from tests.support.processes import children, lives
from tests.support.servers import ROOT, Server
from tests.support.waiting import WAIT_SECONDS, eventually

HOSTS = [servers.OUR_WORKER, "asgi", "gthread", "uvicorn"]
ALL = {"process": True, "landlock": True, "seccomp": True}
SMALL = "photos/thumbs/60x40/quarters.jpg"
# No deadline stops the encoder of GIF, and this takes it a few seconds.
SLOW = "slow/thumbs/4000x4000/filters:format(gif);blur(90)/noise.jpg"
LIMITS = {"max_gif_pixels": 16_000_000, "renders": 1}


def with_slow(originals: Path, tmp_path: Path, *, limits: dict[str, int] = LIMITS, **more: object) -> dict[str, object]:
    """A document with another storage, `slow`, in which a render may take one second."""
    made = document(originals, tmp_path, limits=limits, **more)
    slow = {**local_storage("slow", originals), "limits": {"render_seconds": 1.0}}
    return {**made, "storages": [local_storage("photos", originals), slow]}


@pytest.fixture(params=HOSTS)
def server(request: pytest.FixtureRequest, originals: Path, tmp_path: Path) -> Iterator[Server]:
    with servers.standalone(with_slow(originals, tmp_path), tmp_path, worker=request.param) as running:
        yield running


def all_ended(pids: set[int]) -> None:
    """Wait until none of these processes lives."""
    eventually(lambda: not any(lives(pid) for pid in pids))


def test_a_standalone_server_renders_in_locked_down_children_and_takes_them_along(server: Server) -> None:
    assert render_children(server.process.pid) == set(), "none before the first render"
    assert server.get(SMALL).status == 200
    assert server.get("photos/thumbs/61x/quarters.jpg").status == 200
    assert layers(server) == ALL
    started = render_children(server.process.pid)
    assert len(started) == 2, "one that renders, and a spare one"
    eventually(lambda: all(is_locked_down(child) for child in started))
    server.process.send_signal(signal.SIGTERM)
    # Uvicorn ends by the signal that it was sent.
    assert server.process.wait(WAIT_SECONDS) in (0, -signal.SIGTERM)
    all_ended(started)


def test_a_render_that_no_deadline_interrupts_is_killed_at_it_and_remembered(server: Server) -> None:
    assert server.get(SMALL).status == 200
    assert server.get(SLOW).status == 504
    # As a rule the child was killed; on a fast machine it may have found out by itself.
    assert server.get(SMALL).status == 200
    assert server.get(SLOW.replace("blur", "grayscale;blur")).status == 504
    assert server.get(SMALL).status == 200
    # It has started another one if two were killed. A third one stays for a minute after the express place was used,
    # which a busy machine causes.
    eventually(lambda: len(render_children(server.process.pid)) in (2, 3))


def test_hits_and_other_renders_go_on_while_a_render_is_killed(originals: Path, tmp_path: Path) -> None:
    limits = {**LIMITS, "renders": 2}
    with servers.standalone(
        with_slow(originals, tmp_path, limits=limits), tmp_path, worker=servers.OUR_WORKER
    ) as server:
        assert server.get(SMALL).status == 200
        slow: list[int] = []
        thread = threading.Thread(target=lambda: slow.append(server.get(SLOW).status))
        thread.start()
        others = []
        width = 50
        while thread.is_alive() and width < 5000:
            width += 1
            others.append(server.get(f"photos/thumbs/{width % 90 + 10}x/quarters.jpg").status)
        thread.join(WAIT_SECONDS)
        assert slow == [504]
        assert set(others) == {200}


def test_a_child_that_is_killed_from_outside_costs_at_most_its_own_request(server: Server) -> None:
    for _ in range(2):
        assert server.get(SMALL).status == 200
        killed = render_children(server.process.pid)
        for child in killed:
            os.kill(child, signal.SIGKILL)
        all_ended(killed)
        assert server.get("photos/thumbs/61x/quarters.jpg").status in (200, 503)
        eventually(lambda: server.get("photos/thumbs/62x/quarters.jpg").status == 200)


def test_children_of_a_worker_that_is_killed_end(originals: Path, tmp_path: Path) -> None:
    with servers.standalone(document(originals, tmp_path), tmp_path, worker=servers.OUR_WORKER) as server:
        assert server.get(SMALL).status == 200
        started = render_children(server.process.pid)
        (worker,) = children(server.process.pid)
        os.kill(worker, signal.SIGKILL)
        all_ended(started)
        eventually(lambda: server.get(SMALL).status == 200)


def test_an_interrupt_of_the_whole_group_leaves_the_children_to_their_parent(originals: Path, tmp_path: Path) -> None:
    """Ctrl-C reaches every process of a terminal: a server that finishes its requests still needs its children."""
    with servers.standalone(document(originals, tmp_path), tmp_path, worker=servers.OUR_WORKER) as server:
        assert server.get(SMALL).status == 200
        for child in render_children(server.process.pid):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(child, number)
        assert server.get("photos/thumbs/61x/quarters.jpg").status == 200


def test_a_preloaded_application_starts_its_children_after_the_fork(originals: Path, tmp_path: Path) -> None:
    config = document(originals, tmp_path)
    with servers.standalone(config, tmp_path, worker=servers.OUR_WORKER, options=("--preload",)) as server:
        assert server.get(SMALL).status == 200
        assert layers(server) == ALL
        (worker,) = children(server.process.pid) - render_children(server.process.pid)
        assert render_children(worker) == render_children(server.process.pid)


def test_runserver_renders_in_children_and_takes_them_along_when_it_reloads(originals: Path, tmp_path: Path) -> None:
    config = tmp_path / "storages.json"
    servers.write_document(config, document(originals, tmp_path))
    port = servers.free_port()
    environ = {**os.environ, "STORAGES_CONFIG_PATH": str(config), "DJANGO_SETTINGS_MODULE": "mage_project.settings"}
    command = [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}"]
    log = tmp_path / "runserver.log"
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        server = Server("runserver", port, process, log)
        assert server.get(SMALL).status == 200
        started = render_children(process.pid)
        assert len(started) >= 2
        (reloaded,) = children(process.pid)
        os.kill(reloaded, signal.SIGKILL)
        all_ended(started)


@pytest.mark.parametrize("isolation", ["off", "auto"])
def test_a_site_renders_in_threads_unless_it_says_otherwise(originals: Path, tmp_path: Path, isolation: str) -> None:
    config = document(originals, tmp_path, **({} if isolation == "off" else {"isolation": isolation}))
    with servers.site(config, tmp_path, worker="gthread") as server:
        assert server.get(SMALL).status == 200
        assert bool(render_children(server.process.pid)) is (isolation == "auto")


def test_the_environment_decides_over_the_document(originals: Path, tmp_path: Path) -> None:
    config = document(originals, tmp_path, isolation="require")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAGE_ISOLATION", "off")
        with servers.standalone(config, tmp_path, worker=servers.OUR_WORKER) as server:
            assert server.get(SMALL).status == 200
            assert render_children(server.process.pid) == set()
            assert layers(server) == dict.fromkeys(ALL, False)


def test_a_wrong_value_of_the_environment_keeps_the_server_from_starting(originals: Path, tmp_path: Path) -> None:
    config = tmp_path / "storages.json"
    servers.write_document(config, document(originals, tmp_path))
    environ = {**os.environ, "STORAGES_CONFIG_PATH": str(config), "MAGE_ISOLATION": "requires"}
    environ["DJANGO_SETTINGS_MODULE"] = "mage_project.settings"
    done = subprocess.run(
        [sys.executable, "manage.py", "run_thumb_server"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert done.returncode == 1
    assert "thumbs.E003" in done.stderr
    assert "require" in done.stderr


def test_metrics_count_the_children_and_say_which_layers_hold(originals: Path, tmp_path: Path) -> None:
    config = with_slow(originals, tmp_path, metrics=True)
    with servers.standalone(config, tmp_path, worker=servers.OUR_WORKER) as server:
        assert server.get(SMALL).status == 200
        assert server.get(SLOW).status == 504
        body = servers.fetch(f"http://127.0.0.1:{server.port}/metrics").body.decode()
        assert 'mage_isolation{layer="seccomp"} 1.0' in body
        assert 'mage_render_processes_total{event="started"}' in body
