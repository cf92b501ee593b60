"""nginx with the configuration of `deploy/`, and Mage as the unit and the image start it."""

import contextlib
import os
import pwd
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from tests.support import servers
from tests.support.documented_install import installed
from tests.support.missing_extras import need
from tests.support.processes import workers_of
from tests.support.servers import ROOT, Server
from tests.support.waiting import eventually

DEPLOY = ROOT / "deploy"


def swapped(text: str, swaps: Mapping[str, str]) -> str:
    for old, new in swaps.items():
        assert old in text, f"the file has no {old!r} any more"
        text = text.replace(old, new)
    return text


_OF_A_DIALECT = '#dialect "~^/_ipx/" /_ipx/;'


def write_nginx(
    directory: Path,
    ports: Sequence[int],
    *,
    parts: Sequence[str] = (),
    dialects: Sequence[str] = (),
    listen: str = "",
) -> list[str]:
    """Our configuration as it is, but for its ports, its files and its user. Gives the command that runs it.

    `dialects` are lines in the place of the one of the part `dialect`.
    """
    program = servers.service("nginx")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    kept = " ".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds)
    text = swapped(
        (DEPLOY / "nginx.conf").read_text(),
        {
            "user www-data;": f"user {pwd.getpwuid(os.getuid()).pw_name};",
            "worker_processes auto;": "worker_processes 1;",
            "listen 80 ": f"listen {listen or f'127.0.0.1:{servers.free_port()}'} ",
            "listen 443 ": f"listen 127.0.0.1:{servers.free_port()} ",
            "/var/log/nginx": str(directory),
            "/var/cache/nginx-mage": f"{directory}/cache",
            "/etc/nginx/tls": str(directory),
            "http {\n": f"http {{\n    {kept}\n",
            _OF_A_DIALECT: "\n".join(f"#dialect {line}" for line in dialects) or _OF_A_DIALECT,
        },
    )
    for part in parts:
        assert f"#{part} " in text
        text = text.replace(f"#{part} ", "")
    line = next(row for row in (DEPLOY / "nginx-servers.conf").read_text().splitlines() if row.startswith("server "))
    lines = [swapped(line, {"127.0.0.1:8080": f"127.0.0.1:{port}"}) for port in ports]
    (directory / "nginx.conf").write_text(text)
    (directory / "nginx-servers.conf").write_text("\n".join(lines) + "\n")
    where = ("-c", f"{directory}/nginx.conf", "-p", str(directory), "-e", f"{directory}/error.log")
    return [program, *where, "-g", f"daemon off; pid {directory}/nginx.pid;"]


@contextlib.contextmanager
def nginx(
    directory: Path,
    ports: Sequence[int],
    *,
    parts: Sequence[str] = (),
    dialects: Sequence[str] = (),
    listening: str = "",
    port: int = 0,
) -> Iterator[Server]:
    """nginx before the servers on `ports`; its logs are in `directory`. `listening` are options of its socket."""
    directory.mkdir(exist_ok=True)
    port = port or servers.free_port()
    listen = f"127.0.0.1:{port} {listening}"
    command = write_nginx(directory, ports, parts=parts, dialects=dialects, listen=listen)
    with servers.running(command, log=directory / "output") as process:
        servers.wait_for_port(port, process, directory / "output")
        yield Server("nginx", port, process, directory / "access.log")


@contextlib.contextmanager
def thumb_server(
    document: Mapping[str, object], directory: Path, *, port: int = 0, workers: int = 1, environ: Mapping[str, str] = {}
) -> Iterator[Server]:
    """`run_thumb_server` as the unit and the image start it, where the documentation installs it."""
    need("server")
    directory.mkdir(exist_ok=True)
    port = port or servers.free_port()
    config = _write(document, directory)
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}"]
    log = directory / "server.log"
    everything = {**kept, "STORAGES_CONFIG_PATH": str(config), **environ}
    command += ["--workers", str(workers)]
    with servers.running(command, log=log, environ=everything, directory=installed()) as process:
        servers.wait_for_port(port, process, log)
        yield Server("mage", port, process, log)


def _write(document: Mapping[str, object], directory: Path) -> Path:
    config = directory / "storages.json"
    servers.write_document(config, {"run_dir": str(directory / "run"), **document})
    return config


def reload(server: Server, document: Mapping[str, object]) -> None:
    """Give `thumb_server` another configuration. Returns when every worker that answers has read it."""
    _write(document, server.log.parent)
    before = workers_of(server.process.pid)
    server.process.send_signal(signal.SIGHUP)

    def replaced() -> bool:
        now = workers_of(server.process.pid)
        return len(now) == len(before) and not now & before

    eventually(replaced)


class Recorder:
    """An upstream that records what it is sent, byte for byte, and answers with `status` and the headers `answer`."""

    def __init__(self, *answer: tuple[str, str]) -> None:
        self.status = 200
        self.answer: Sequence[tuple[str, str]] = answer
        self.together: threading.Barrier | None = None  # each request waits here for the others
        self.targets: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                line: bytes = self.raw_requestline  # type: ignore[attr-defined]  # a bytes, unlike `path` untouched
                recorder.targets.append(line.split(b" ", 1)[1].rpartition(b" ")[0])
                recorder.headers.append({name.lower(): value for name, value in self.headers.items()})
                recorder.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
                if recorder.together is not None:
                    recorder.together.wait()
                self.send_response(recorder.status)
                for name, value in recorder.answer:
                    self.send_header(name, value)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
