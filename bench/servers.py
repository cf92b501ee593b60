"""The servers under test: each runs on loopback, in its fastest comparable configuration, until its block ends."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench import install
from bench.processes import LOOPBACK, UnavailableError, free_port, running

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Workspace:
    """The directories of a run: `scratch` is kept, `run` is deleted at the end, `photos` has the originals.

    `cores` is the number of usable cores.
    """

    scratch: Path
    run: Path
    photos: Path
    cores: int


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `about` has its version and configuration; `template` is for `load.Template`.

    `pid` is 0 where it is not known.
    """

    port: int
    about: str
    template: str = ""
    pid: int = 0


# ------------------------------------------------------------------------------------------ Mage


@contextmanager
def mage(
    workspace: Workspace,
    *,
    tree: Path = PROJECT,
    home: str = "mage",
    isolation: str | None = None,
    dialects: Sequence[object] = (),
) -> Iterator[Server]:
    """`run_thumb_server` of the checkout `tree`, with the storages `memory` and `disk` for hits, and `cold` for misses.

    All have the root `workspace.photos`; `cold` has no cache. `home` is the directory of its files in `workspace.run`.
    `isolation` is where it renders, by default as the server decides. `dialects` are those of its configuration.
    """
    port, directory = free_port(), workspace.run / home
    directory.mkdir()
    disk = {"enabled": True, "dir": str(directory / "cache"), "ttl_seconds": 86_400, "max_size_mb": 512}
    off = {"enabled": False, "dir": str(directory / "unused"), "ttl_seconds": 86_400}
    memory = {"enabled": True, "max_size_mb": 256}
    caches = {"memory": {"memory": memory, "disk": off}, "disk": {"disk": disk}, "cold": {}}
    storages = [
        {"name": name, "driver": "local", "root": str(workspace.photos), "cache": cache}
        for name, cache in caches.items()
    ]
    config = directory / "storages.json"
    config.write_text(json.dumps({"storages": storages} | ({"dialects": dialects} if dialects else {}), indent=2))
    command = (python_of(tree), tree / "manage.py", "run_thumb_server", "--bind", f"{LOOPBACK}:{port}")
    workers = ("--workers", str(workspace.cores))
    env = {**os.environ, "STORAGES_CONFIG_PATH": str(config), "LOG_LEVEL": "WARNING", "PYTHONPATH": str(tree)}
    env |= {"MAGE_ISOLATION": isolation} if isolation else {}
    with running((*command, *workers), log=directory / "log", env=env, cwd=tree) as child:
        child.await_port(port)
        yield Server(
            port,
            f"{_mage_version()}: `run_thumb_server --workers {workspace.cores}`, "
            f"{_parts('gunicorn', 'uvloop', 'gunicorn_h1c', 'Django', 'pyvips-binary', 'simplejpeg')}; "
            "storages with only memory, only disk, and no cache",
            mage_template(port),
            child.process.pid,
        )


def mage_template(port: int) -> str:
    """The template of misses for a Mage that listens on `port`, with the storage `cold`."""
    fields = "{width}x{height}/filters:format({format});quality({quality})/{name}"
    return f"http://{LOOPBACK}:{port}/cold/thumbs/{fields}"


def python_of(tree: Path) -> Path:
    """The interpreter for a checkout: of its own `.venv` if it has one, else the current one."""
    own = tree / ".venv" / "bin" / "python"
    return own if own.exists() else Path(sys.executable)


def _mage_version() -> str:
    try:
        return version("mage-thumbs")
    except PackageNotFoundError:
        return "from its source tree"


def _parts(*packages: str) -> str:
    present = []
    for package in packages:
        try:
            present.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            present.append(f"no {package}")
    return ", ".join(present)


# ----------------------------------------------------------------------------------------- nginx

_NGINX = """\
{user}
worker_processes {cores};
worker_rlimit_nofile 8192;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 1024; }}
http {{
  types {{ image/jpeg jpg; }}
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 75;
  keepalive_requests 1000000000;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  server {{
    listen {host}:{port};
    root {root};
  }}
}}
"""


@contextmanager
def nginx(workspace: Workspace, root: Path) -> Iterator[Server]:
    """nginx serving the files under `root`."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise UnavailableError("it is not installed (on Debian: apt-get install nginx-light)")
    port, home = free_port(), workspace.run / "nginx"
    home.mkdir()
    config = home / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # workers of another user could not read our directory
    config.write_text(_NGINX.format(user=user, cores=workspace.cores, home=home, host=LOOPBACK, port=port, root=root))
    command = (program, "-p", home, "-e", home / "error.log", "-c", config, "-g", "daemon off;")
    with running(command, log=home / "log") as child:
        child.await_port(port)
        printed = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
        yield Server(
            port,
            f"{printed.strip().rpartition('/')[2]}: {workspace.cores} worker processes, sendfile, tcp_nopush, "
            "keep-alive without a limit, no access log, static files of the same bytes",
        )


# --------------------------------------------------------------------------------------- thumbor

_THUMBOR = """\
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = {photos!r}
STORAGE = "thumbor.storages.no_storage"
RESULT_STORAGE = None
PROGRESSIVE_JPEG = False
ALLOW_UNSAFE_URL = True
"""


@contextmanager
def thumbor(workspace: Workspace) -> Iterator[Server]:
    """thumbor from PyPI with its Pillow engine, one process per core."""
    packages = install.thumbor(workspace.scratch)
    port, home = free_port(), workspace.run / "thumbor"
    home.mkdir()
    config = home / "thumbor.conf"
    config.write_text(_THUMBOR.format(photos=str(workspace.photos)))
    command = (packages / "bin" / "thumbor", "-i", LOOPBACK, "-p", str(port), "-c", config, "-l", "error")
    with running((*command, "--processes", str(workspace.cores)), log=home / "log", cwd=home) as child:
        child.await_port(port)
        yield Server(
            port,
            f"{install.python_version(packages, 'thumbor')}: `--processes {workspace.cores}`, "
            f"Pillow {install.python_version(packages, 'pillow')}, file loader, no storage, no result storage, "
            "baseline JPEG, Pillow's default WebP effort 4",
            f"http://{LOOPBACK}:{port}/unsafe/{{width}}x{{height}}/"
            "filters:format({format}):quality({quality})/{name}",
            child.process.pid,
        )


# ------------------------------------------------------------------------------------------- ipx

_IPX = """\
import { createServer } from "node:http";
import { createIPX, createIPXNodeServer, ipxFSStorage } from "ipx";

const [dir, host, port] = process.argv.slice(2);
const ipx = createIPX({ storage: ipxFSStorage({ dir }), sharpOptions: { jpegProgressive: false } });
createServer(createIPXNodeServer(ipx)).listen(Number(port), host);
"""


@contextmanager
def ipx(workspace: Workspace) -> Iterator[Server]:
    """ipx from npm. One process: the threads of sharp use all cores, and a cluster of two was never faster."""
    packages = install.ipx(workspace.scratch)
    port, home = free_port(), workspace.run / "ipx"
    home.mkdir()
    script = packages / "bench.mjs"  # beside node_modules, where node looks for imports
    script.write_text(_IPX)
    threads = max(4, workspace.cores)  # libuv's default is 4
    env = {**os.environ, "UV_THREADPOOL_SIZE": str(threads), "NODE_ENV": "production"}
    command = ("node", script, workspace.photos, LOOPBACK, str(port))
    with running(command, log=home / "log", env=env) as child:
        child.await_port(port)
        printed = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
        yield Server(
            port,
            f"{install.node_version(packages, 'ipx')}: node {printed.strip()}, "
            f"sharp {install.node_version(packages, 'sharp')}, one process, "
            f"{threads} threads, file storage, baseline JPEG, sharp's default WebP effort 4",
            f"http://{LOOPBACK}:{port}/s_{{width}}x{{height}},f_{{format}},q_{{quality}}/{{name}}",
            child.process.pid,
        )


def machine(cores: int) -> str:
    """The machine in one line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{cores} cores ({model}), Linux {platform.release()}, Python {platform.python_version()}"
