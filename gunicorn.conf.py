"""What gunicorn takes from here when it is started in this directory, as in `gunicorn mage_project.wsgi`."""

import os

from thumbs.observability import redaction

# Before gunicorn says anything: with DEBUG it begins with its own configuration, `raw_env` included.
redaction.install()

# A target over 2,048 bytes is answered by us. Gunicorn's own limit, 4,094, would answer first.
limit_request_line = 8190


def child_exit(_: object, worker: object) -> None:
    """A worker that is gone has nothing waiting or running: its gauges must not be added up any more."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - without metrics it is not needed

        mark_process_dead(worker.pid)  # type: ignore[attr-defined, no-untyped-call]
