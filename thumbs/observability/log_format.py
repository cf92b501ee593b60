"""Formats log records as lines of JSON."""

import json
import logging
from datetime import UTC, datetime

from thumbs.observability.redaction import redacted

# What `pipeline.reporting.failure_log` adds to a record, and what is taken over from records of others.
EXTRAS = ("storage", "key", "request_id", "code", "error", "left_out")
_ACCESS = "thumbs.access"


class JsonFormatter(logging.Formatter):
    """One JSON object for each record. A record of the access log is one already."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.name == _ACCESS and message.startswith("{"):
            return message
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
        }
        for name in EXTRAS:
            value = getattr(record, name, None)
            if value not in (None, ""):
                line[name] = redacted(value) if isinstance(value, str) else value
        if record.exc_text or (record.exc_info and record.exc_info[0] is not None):
            line["exception"] = record.exc_text or redacted(self.formatException(record.exc_info))  # type: ignore[arg-type]
        if record.stack_info:
            line["stack"] = record.stack_info
        return json.dumps(line, default=str)
