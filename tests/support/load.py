"""Clients that send requests while something else happens."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.servers import Server
from tests.support.waiting import LONG_WAIT_SECONDS, WAIT_SECONDS

_BROKEN = (OSError, http.client.HTTPException, EOFError)


class Client:
    """One kept-alive connection, opened again when it breaks."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.retry_after: str | None = None
        self._connection = self._opened()

    def status(self, path: str) -> int:
        """0 for a connection that broke."""
        try:
            self._connection.request("GET", f"/{path}")
            answer = self._connection.getresponse()
            answer.read()
        except _BROKEN:
            self._connection.close()
            self._connection = self._opened()
            return 0
        self.retry_after = answer.headers.get("Retry-After")
        return answer.status

    def close(self) -> None:
        self._connection.close()

    def _opened(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=LONG_WAIT_SECONDS)


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[list[BaseException]]:
    """Do `act` again and again in a thread of its own; what it raised is in the list afterwards."""
    over, failures = threading.Event(), []

    def run() -> None:
        try:
            while not over.is_set():
                act()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield failures
    finally:
        over.set()
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
