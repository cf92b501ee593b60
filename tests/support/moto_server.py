"""moto's server, run as a program: a conditional write is one step, as in S3.

moto looks for the object and writes it later, so that two of many writers at once could each make it.
"""

import threading
from collections.abc import Iterable
from typing import Any

from moto import server
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

_WRITES = threading.Lock()
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")


class _Application(DomainDispatcherApplication):
    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("PUT", "POST") or not any(name in environ for name in _CONDITIONS):
            answer: Iterable[bytes] = super().__call__(environ, start_response)
            return answer
        with _WRITES:
            written: Iterable[bytes] = super().__call__(environ, start_response)
            return written


if __name__ == "__main__":
    vars(server)["DomainDispatcherApplication"] = _Application
    server.main()
