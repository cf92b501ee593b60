"""nginx as the origin of pictures, with an access log that says of each request how it was made."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.support.authority import Authority
from tests.support.servers import free_port, running, service, wait_for_port
from tests.support.waiting import eventually

_CONF = """
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
daemon off;
events {{ worker_connections 256; }}
http {{
  types {{ image/jpeg jpg; image/png png; }}
  map "$http_if_none_match$http_if_modified_since" $condition {{
    "" "-";
    default "$http_if_none_match$http_if_modified_since";
  }}
  log_format of_test '$uri $status $connection "$condition"';
  access_log {directory}/access.log of_test;
  client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {files};
    location /chunked/ {{ proxy_pass http://127.0.0.1:{port}/; proxy_buffering off; gzip on; gzip_min_length 1; }}
    location /gzip/ {{ alias {files}/; gzip on; gzip_min_length 1; gzip_types image/jpeg; gzip_http_version 1.0; }}
    location /moved/ {{ rewrite ^/moved/(.*)$ /$1 redirect; }}
    location = /gone.jpg {{ return 410; }}
    location = /closed.jpg {{ return 403; }}
    location = /broken.jpg {{ return 500; }}
    location = /none.html {{ return 200 "<html>nothing here</html>"; }}
    location /dated/ {{ alias {files}/; etag off; }}
    location /slow/ {{ alias {files}/; limit_rate 4k; }}
  }}
  {more}
}}
"""
# Servers with TLS: any client, and only clients with a certificate.
_TLS = """
  log_format of_tls '$uri $status $ssl_server_name $http_host $ssl_protocol $ssl_client_verify $connection';
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    access_log {directory}/tls.log of_tls;
    root {files};
  }}
  server {{
    listen 127.0.0.1:{strict_port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_client_certificate {authority}; ssl_verify_client on;
    access_log {directory}/tls.log of_tls;
    root {files};
  }}
"""


class TlsRequest(NamedTuple):
    """A line of the access log of a server with TLS."""

    uri: str
    status: str
    server_name: str
    host: str
    protocol: str
    client: str
    connection: str


@dataclass(frozen=True)
class TlsOrigin:
    """`strict_port` takes only clients with a certificate of the authority."""

    port: int
    strict_port: int
    log: Path

    def requests(self, *, at_least: int = 0) -> list[TlsRequest]:
        """The requests so far, when there are `at_least` that many."""
        eventually(lambda: len(self._lines()) >= at_least)
        return [TlsRequest(*line.split(" ")) for line in self._lines()]

    def _lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@dataclass(frozen=True)
class NginxOrigin:
    port: int
    files: Path
    log: Path

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def requests(self, path: str, *, at_least: int = 0) -> list[tuple[int, str]]:
        """Status and condition of each request for `path`, when there are `at_least` that many."""
        eventually(lambda: len(self._rows(path)) >= at_least)
        return [(int(status), condition.strip('"')) for _, status, _, condition in self._rows(path)]

    @property
    def connections(self) -> int:
        """How many connections have sent a request."""
        return len({row[2] for row in self._rows(None)})

    def _rows(self, path: str | None) -> list[tuple[str, str, str, str]]:
        rows = (line.split(" ", 3) for line in self.log.read_text().splitlines())
        return [(row[0], row[1], row[2], row[3]) for row in rows if path in (None, row[0])]


@contextlib.contextmanager
def nginx_origin(files: Path, directory: Path, port: int | None = None, *, more: str = "") -> Iterator[NginxOrigin]:
    """An nginx that serves `files`. `more` is of its configuration, beside the server."""
    directory.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    conf = directory / "nginx.conf"
    user = "user root;\n" if Path(directory).owner() == "root" else ""
    conf.write_text(user + _CONF.format(directory=directory, files=files, port=port, more=more))
    command = [service("nginx"), "-c", str(conf), "-e", str(directory / "start.log")]
    with running(command, log=directory / "nginx.log") as process:
        wait_for_port(port, process, directory / "nginx.log")
        yield NginxOrigin(port, files, directory / "access.log")


@contextlib.contextmanager
def tls_origin(files: Path, directory: Path, authority: Authority, *names: str) -> Iterator[TlsOrigin]:
    """An nginx that serves `files` over TLS, with a certificate for `names`."""
    certificate, key = authority.issue(*names)
    ports = {"port": free_port(), "strict_port": free_port()}
    more = _TLS.format(
        directory=directory, files=files, certificate=certificate, key=key, authority=authority.file, **ports
    )
    with nginx_origin(files, directory, more=more):
        yield TlsOrigin(**ports, log=directory / "tls.log")
