"""The programs around Mage: each can be paused, killed and started again on its port."""

import json
import os
import pwd
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.processes import LOOPBACK, Child, UnavailableError, free_port, running
from bench.servers import PROJECT

_UNPRIVILEGED = 65534  # the user id that Debian reserves for programs without files
BUCKET, THUMBNAILS = "originals", "thumbnails"
ACCESS_KEY, SECRET_KEY = "bench", "of-the-bench"


class Service:
    """A program that listens on `port` of the loopback. Its log files are in `home`."""

    def __init__(self, name: str, home: Path, command: Callable[[int], Sequence[str]]) -> None:
        self.name = name
        self.port = free_port()
        self._home = home
        self._command = command
        self._stack = ExitStack()
        self._starts = 0
        home.mkdir(parents=True, exist_ok=True)

    def start(self, *, env: Mapping[str, str] | None = None, before: Sequence[str] = ()) -> Child:
        """Start it and wait for its port; `before` are the first words of the command, such as those of prlimit."""
        self._starts += 1
        log = self._home / f"{self.name}-{self._starts}.log"
        command = [*before, *self._command(self.port)]
        child = self._stack.enter_context(running(command, log=log, env=env, cwd=PROJECT))
        self.child = child
        child.await_port(self.port)
        return child

    @property
    def logs(self) -> list[Path]:
        """The log of each start."""
        return [self._home / f"{self.name}-{number + 1}.log" for number in range(self._starts)]

    def send(self, number: int) -> None:
        os.kill(self.child.process.pid, number)

    def kill(self) -> None:
        """Kill it, and wait until its port is free."""
        self.send(signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """End it and all that it has started."""
        self._stack.close()


def program(name: str, package: str) -> str:
    """Its path. Raises `UnavailableError` where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise UnavailableError(f"{name} is not installed (on Debian: apt-get install {package})")
    return found


def memcached(home: Path) -> Service:
    user = ("-u", pwd.getpwuid(_UNPRIVILEGED).pw_name) if os.geteuid() == 0 else ()
    path = program("memcached", "memcached")
    return Service("memcached", home, lambda port: (path, "-l", LOOPBACK, "-p", str(port), "-m", "64", *user))


def redis(home: Path) -> Service:
    path = program("redis-server", "redis-server")
    kept = ("--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
    return Service("redis", home, lambda port: (path, "--bind", LOOPBACK, "--port", str(port), *kept))


def moto(home: Path, name: str = "moto") -> Service:
    """moto's S3 server, of the extra `test`."""
    return Service(name, home, lambda port: (sys.executable, "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)))


def fill_bucket(port: int, bucket: str, files: Sequence[Path] = ()) -> None:
    """Make a bucket of the server on `port`, with these files."""
    import boto3  # noqa: PLC0415 - after the services were found

    client = boto3.client(
        "s3",
        endpoint_url=f"http://{LOOPBACK}:{port}",
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )
    client.create_bucket(Bucket=bucket)
    for file in files:
        client.put_object(Bucket=bucket, Key=file.name, Body=file.read_bytes())
    client.close()


def nginx(home: Path, ports: Sequence[int]) -> Service:
    """nginx with the files of `deploy/`, before the servers on `ports`; only ports, paths and the user are others."""
    path = program("nginx", "nginx-light")
    deploy = PROJECT / "deploy"
    home.mkdir(parents=True, exist_ok=True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    directories = " ".join(f"{kind}_temp_path {home}/{kind};" for kind in kinds)

    def command(port: int) -> Sequence[str]:
        swaps = {
            "user www-data;": f"user {pwd.getpwuid(os.geteuid()).pw_name};",
            "worker_processes auto;": "worker_processes 1;",
            "listen 80 ": f"listen {LOOPBACK}:{port} ",
            "/var/log/nginx": str(home),
            "http {\n": f"http {{\n    {directories}\n",
        }
        line = next(
            line for line in (deploy / "nginx-servers.conf").read_text().splitlines() if line.startswith("server ")
        )
        servers = [_swapped(line, {f"{LOOPBACK}:8080": f"{LOOPBACK}:{each}"}) for each in ports]
        (home / "nginx.conf").write_text(_swapped((deploy / "nginx.conf").read_text(), swaps))
        (home / "nginx-servers.conf").write_text("\n".join(servers) + "\n")
        where = ("-c", f"{home}/nginx.conf", "-p", str(home), "-e", f"{home}/error.log")
        return (path, *where, "-g", f"daemon off; pid {home}/nginx.pid;")

    return Service("nginx", home, command)


def _swapped(text: str, swaps: Mapping[str, str]) -> str:
    for old, new in swaps.items():
        if old not in text:
            raise UnavailableError(f"deploy/ has no {old!r} any more")
        text = text.replace(old, new)
    return text


def write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=2))
