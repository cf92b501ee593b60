"""Copies how Mage's loggers are set up from one process to another, which has neither Django nor its settings."""

import logging
import sys
from dataclasses import dataclass
from typing import Self

from thumbs.observability import redaction
from thumbs.observability.log_format import JsonFormatter

_ROOT = "root"
_STREAMS = ("stderr", "stdout")
_FORMATTERS = (type(None), logging.Formatter, JsonFormatter)


@dataclass(frozen=True, slots=True)
class _Handler:
    """A `logging.StreamHandler`. `stream` is a name in `sys`."""

    stream: str
    level: int
    formatter: logging.Formatter | None

    @classmethod
    def copy_of(cls, handler: logging.Handler) -> Self | None:
        if type(handler) is not logging.StreamHandler or handler.filters or type(handler.formatter) not in _FORMATTERS:
            return None
        name = next((name for name in _STREAMS if handler.stream is getattr(sys, name)), None)
        return None if name is None else cls(name, handler.level, handler.formatter)

    def made(self) -> logging.Handler:
        handler = logging.StreamHandler(getattr(sys, self.stream))
        handler.setLevel(self.level)
        handler.setFormatter(self.formatter)
        return handler


@dataclass(frozen=True, slots=True)
class _Logger:
    name: str
    level: int
    propagate: bool
    disabled: bool
    handlers: tuple[_Handler, ...]

    @classmethod
    def copy_of(cls, name: str) -> Self | None:
        logger = logging.getLogger(None if name == _ROOT else name)
        handlers = [_Handler.copy_of(handler) for handler in logger.handlers]
        known = tuple(handler for handler in handlers if handler is not None)
        if len(known) < len(handlers) or any(each is not redaction.clean for each in logger.filters):
            return None
        return cls(name, logger.level, logger.propagate, logger.disabled, known)

    def set_up(self) -> None:
        logger = logging.getLogger(None if self.name == _ROOT else self.name)
        logger.setLevel(self.level)
        logger.propagate, logger.disabled = self.propagate, self.disabled
        logger.handlers[:] = [handler.made() for handler in self.handlers]


@dataclass(frozen=True, slots=True)
class LogSetup:
    """Levels, handlers and formats of Mage's loggers and of the root, and the spellings of secrets to remove."""

    loggers: tuple[_Logger, ...]
    disabled_level: int
    secrets: frozenset[str]

    @classmethod
    def copy_of_this_process(cls) -> Self | None:
        """None where a handler, filter or record is of another class than those that the standalone server uses."""
        loggers = [_Logger.copy_of(name) for name in (_ROOT, *redaction.OUR_LOGGERS)]
        known = tuple(logger for logger in loggers if logger is not None)
        if len(known) < len(loggers) or not redaction.has_plain_records():
            return None
        return cls(known, logging.root.manager.disable, redaction.spellings())

    def apply(self) -> None:
        """Set the loggers of this process up. It must be Mage's own: every record of it is redacted."""
        redaction.install()
        redaction.hide_spellings(self.secrets)
        logging.disable(self.disabled_level)
        for logger in self.loggers:
            logger.set_up()
