"""Gunicorn's logger with lines of JSON: `--logger-class thumbs.server.json_logger.JsonLogger`."""

from typing import Any

from gunicorn.glogging import Logger

from thumbs.observability.log_format import JsonFormatter


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Its handlers for the error log and the access log write JSON."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(JsonFormatter())
