"""The configuration of a gunicorn that is started by hand: `gunicorn --config python:thumbs.server.gunicorn_conf`.

`run_thumb_server` needs none of it: it gives its limit as an option, and its worker class does the rest.
"""

from typing import Any

from thumbs.observability import redaction
from thumbs.server import gauges

# Before gunicorn says anything: with DEBUG it begins with its own configuration, `raw_env` included.
redaction.install()

# A target over 2,048 bytes is answered by us. Gunicorn's own limit, 4,094, would answer first.
limit_request_line = 8190


def child_exit(_: object, worker: Any) -> None:
    """Gunicorn's main process calls this when a worker has ended."""
    gauges.forget(worker.pid)
