"""The standard error of commands that serve, as log records: with LOG_FORMAT=json, every line must be an object."""

import logging

from django.core.management.base import BaseCommand, OutputWrapper

from thumbs.conf.document import JSON_LINES
from thumbs.wiring.process import configuration

logger = logging.getLogger("thumbs")


class LogStream:
    """A text stream whose writes are warnings of the logger `thumbs`."""

    def write(self, text: str) -> int:
        if text.strip():
            logger.warning("%s", text.strip())
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def log_stderr(command: BaseCommand) -> None:
    """Let `command` log what it would write to standard error, where the log has lines of JSON."""
    if configuration().document.log_format == JSON_LINES:
        command.stderr = OutputWrapper(LogStream())  # type: ignore[arg-type]
