"""The unit, the compose file and the image: what they name is there, and the image's steps make a server."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import pictures, servers
from tests.support.behind_nginx import PICTURE
from tests.support.deployed import DEPLOY, nginx, swapped, thumb_server
from tests.support.fronts import SECRET, signature
from tests.support.image_steps import MAGE_UID, Image
from tests.support.processes import workers_of
from tests.support.servers import ROOT, Server
from tests.support.waiting import WAIT_SECONDS

# ------------------------------------------------------------------------------------------------- the unit


def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    program = servers.service("systemd-analyze")
    unit = tmp_path / "mage.service"
    unit.write_text(swapped((DEPLOY / "mage.service").read_text(), {"/opt/mage/venv/bin/python": sys.executable}))
    done = subprocess.run([program, "verify", "--man=no", str(unit)], check=False, capture_output=True, text=True)
    about_it = [line for line in done.stderr.splitlines() if "mage.service" in line]
    assert (done.returncode, about_it) == (0, [])


def test_systemd_and_compose_give_the_server_the_time_that_it_takes_to_stop() -> None:
    command = (ROOT / "thumbs" / "management" / "commands" / "run_thumb_server.py").read_text()
    supervisor = (ROOT / "thumbs" / "server" / "supervisor.py").read_text()
    graceful = int(re.findall(r'"--graceful-timeout", "(\d+)"', command)[0])
    janitor = float(re.findall(r"_GRACE_SECONDS = ([\d.]+)", supervisor)[0])
    unit, compose = (DEPLOY / "mage.service").read_text(), (DEPLOY / "compose.yaml").read_text()
    assert int(re.findall(r"^TimeoutStopSec=(\d+)", unit, re.MULTILINE)[0]) > graceful + janitor
    assert int(re.findall(r"stop_grace_period: (\d+)s", compose)[0]) > graceful + janitor


# ------------------------------------------------------------------------------------------------ containers


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def test_the_compose_file_mounts_what_is_there_and_watches_every_service(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (DEPLOY / source).is_file() if source.startswith("./") else source in compose["volumes"]
        assert service["healthcheck"] if "build" not in service else "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
        assert service["networks"], name


def test_nginx_in_the_compose_file_forwards_to_the_containers_of_the_compose_file(compose: dict[str, Any]) -> None:
    addresses = {
        f"{service['networks']['inside']['ipv4_address']}:8080"
        for name, service in compose["services"].items()
        if name.startswith("web")
    }
    text = (DEPLOY / "nginx-servers.compose.conf").read_text()
    assert set(re.findall(r"^server (\S+) max_fails=3 fail_timeout=5s;$", text, re.MULTILINE)) == addresses
    assert len(addresses) == 2


@pytest.mark.slow
def test_what_the_compose_file_starts_works_without_a_container(
    compose: dict[str, Any], originals: Path, tmp_path: Path
) -> None:
    """moto for the S3-compatible service, and no container engine: everything else is as the files say."""
    document = json.loads((DEPLOY / "storages.compose.json").read_text())
    variables = {"S3_ACCESS_KEY": "access", "S3_SECRET_KEY": "secret", "PICTURES_SECRET": SECRET}
    with contextlib.ExitStack() as stack:
        variables["S3_ENDPOINT"] = f"http://127.0.0.1:{stack.enter_context(servers.moto(tmp_path))}"
        fleet = document["caches"]["fleet"]
        fleet["location"] = f"127.0.0.1:{stack.enter_context(servers.memcached(tmp_path))}"
        assert set(fleet["options"]) == {"connect_timeout", "timeout"}
        fleet["options"] = dict.fromkeys(fleet["options"], 10)  # for a machine that is busy with other tests
        assert set(compose["x-mage"]["environment"]) == set(variables)
        for _ in range(2):  # a second time it finds the bucket
            arguments = compose["services"]["bucket"]["command"][1:]
            environ = {**os.environ, **variables}
            subprocess.run([sys.executable, *arguments], check=True, cwd=tmp_path, env=environ, timeout=WAIT_SECONDS)
        webs = []
        for name in ("web1", "web2"):
            document["storages"][0]["cache"]["disk"]["dir"] = str(tmp_path / f"cache-{name}")
            webs.append(stack.enter_context(thumb_server(document, tmp_path / name, environ=variables)))
        through = stack.enter_context(nginx(tmp_path / "nginx", [web.port for web in webs]))
        path = f"pictures/thumbs/{signature('/pictures/thumbs/400x300/rings.jpg')}/400x300/rings.jpg"
        answers = [through.get(path), *(web.get(path) for web in webs)]
        assert [answer.headers["x-cache"] for answer in answers] == ["MISS", "HIT", "HIT"]
        assert any('desc="shared"' in answer.headers["server-timing"] for answer in answers)
        assert {answer.body for answer in answers} == {answers[0].body}
        assert pictures.decoded(answers[0].body).size == (400, 300)


# ------------------------------------------------------------------------------------------------- the image


def _others_may_use(program: Path) -> bool:
    """Whether an account that is not root could run this: each directory on the way lets it through."""
    return all(place.stat().st_mode & 0o001 for place in (program, *program.parents))


@pytest.mark.slow
def test_the_images_steps_make_a_server_in_an_empty_directory(image: Image, originals: Path, tmp_path: Path) -> None:
    image.build((ROOT / "Dockerfile").read_text())
    copied = {path.name for path in (image.root / "app").iterdir()} - {"__pycache__"}
    assert copied == {"gunicorn.conf.py", "mage_project", "manage.py", "thumbs"}
    served = image.root / "srv"
    served.mkdir()
    shutil.copy(originals / "quarters.jpg", served)
    disk = {"enabled": True, "dir": str(image.root / "var/cache/mage/photos"), "max_size_mb": 10}
    storage = {"name": "photos", "driver": "local", "root": str(served), "cache": {"disk": disk}}
    config = image.root / "etc/mage/storages.json"
    config.write_text(json.dumps({"storages": [storage], "run_dir": str(image.root / "var/cache/mage/run")}))
    port = servers.free_port()
    environ = {**image.environ, "PORT": str(port)}
    assert environ["STORAGES_CONFIG_SEARCH"] == str(config)
    assert "STORAGES_CONFIG_PATH" not in environ
    # As the image's account, where this machine's Python lets others in.
    as_account = os.getuid() == 0 and _others_may_use(Path(sys.executable).resolve())
    account: dict[str, Any] = {"user": MAGE_UID, "group": MAGE_UID, "extra_groups": []} if as_account else {}
    log = tmp_path / "log"
    _, _, check = image.last["HEALTHCHECK"].partition("CMD ")
    with log.open("wb") as output:
        in_image: dict[str, Any] = {"cwd": image.workdir, "env": environ, "stdout": output, "stderr": output, **account}
        command = json.loads(image.last["CMD"])
        python = shutil.which(command[0], path=environ["PATH"])
        assert python == str(image.root / "opt/mage/bin/python")
        process = subprocess.Popen([python, *command[1:]], **in_image)
        try:
            servers.wait_for_port(port, process, log)
            server = Server("image", port, process, log)
            assert [server.get(f"photos/{PICTURE}").headers["x-cache"] for _ in range(2)] == ["MISS", "HIT"]
            assert list((image.root / "var/cache/mage/photos").rglob("*"))
            healthy = [python, *json.loads(check)[1:]]
            assert subprocess.run(healthy, check=False, timeout=WAIT_SECONDS, **in_image).returncode == 0
            worker = min(workers_of(server.process.pid))
            assert subprocess.run([python, "-c", "import gunicorn_h1c"], check=False, **in_image).returncode == 0
            if as_account:
                assert Path(f"/proc/{worker}").stat().st_uid == MAGE_UID
            _check_jemalloc(environ, worker)
            process.send_signal(signal.SIGTERM)
            assert process.wait(WAIT_SECONDS) == 0, log.read_text()
            assert subprocess.run(healthy, check=False, timeout=WAIT_SECONDS, **in_image).returncode != 0
        finally:
            process.kill()
            process.wait()


def _check_jemalloc(environ: Mapping[str, str], pid: int) -> None:
    """The dynamic linker goes on without a library that it does not find: so look whether it is there."""
    known = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    if f"{environ['LD_PRELOAD']} " in known or os.environ.get("MAGE_REQUIRE_SERVICES"):
        assert environ["LD_PRELOAD"] in Path(f"/proc/{pid}/maps").read_text()
