"""A WSGI server that keeps no raw target has the same verdicts as those that do."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import override_settings

from tests.support.waiting import WAIT_SECONDS
from thumbs.wsgi import ThumbsWSGI

REST = "local/thumbs/90x60/quarters.jpg"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=["front", "view"])
def plain_server(originals: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of the server that `runserver` is made of; below `/` with a front, or with the view alone."""
    storages = [{"name": "local", "driver": "local", "root": str(originals)}]
    with override_settings(THUMBS={"STORAGES": storages}, ROOT_URLCONF="mage_project.urls"):
        django = get_wsgi_application()
        application = ThumbsWSGI(django, whole_server=True) if request.param == "front" else django
        with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield server.server_port
            finally:
                server.shutdown()
                thread.join()


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (f"/{REST}", b"Host: h\r\n", 200),
        (f"/{REST}?a", b"Host: h\r\n", 200),
        (f"/{REST}?a#b", b"Host: h\r\n", 400),
        ("/local/thumbs/90x60/%ff.jpg", b"Host: h\r\n", 400),
        ("/local/thumbs/90x60/a%23b.jpg", b"Host: h\r\n", 404),
        (f"/{REST}", b"", 400),
        (f"/{REST}", b"Host: h\r\nHost: h\r\n", 400),
        (f"/{REST}", b"Host: u@h\r\n", 400),
    ],
)
def test_a_server_without_a_raw_target_has_the_same_verdicts(
    plain_server: int, target: str, host: bytes, status: int
) -> None:
    assert _sent(plain_server, f"GET {target} HTTP/1.1\r\n".encode() + host + b"\r\n") == status


@pytest.mark.parametrize("target", [f"http://h/{REST}", f"http://u@h/{REST}", f"http://h?/{REST}", f"ftp://h/{REST}"])
def test_a_server_that_gives_an_absolute_form_as_a_path_serves_no_thumbnail_for_it(
    plain_server: int, target: str
) -> None:
    assert _sent(plain_server, f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode()) in (400, 404)


def _sent(port: int, data: bytes) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) as connection:
        connection.sendall(data)
        with closing(http.client.HTTPResponse(connection)) as response:
            response.begin()
            return response.status
