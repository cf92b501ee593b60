"""A copied log: another process writes the lines that this one would, without the same secrets."""

import json
import logging
import pickle
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.modules import ROOT
from thumbs.observability import redaction
from thumbs.observability.log_format import JsonFormatter
from thumbs.observability.log_setup import LogSetup

_OTHER = """
import logging, pickle, sys
pickle.load(sys.stdin.buffer).apply()
logging.getLogger("thumbs").info("opened with %s", "a secret of the test")
logging.getLogger("thumbs.janitor").debug("not written")
logging.getLogger("thumbs.janitor").warning("swept")
assert "django" not in sys.modules
"""


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """Loggers as a process of our own has them, but for the handlers that pytest adds to the root afterwards."""
    names = (None, *redaction.OUR_LOGGERS)
    before = [(each, each.handlers[:], each.level, each.filters[:]) for each in map(logging.getLogger, names)]
    for logger, *_ in before:
        logger.handlers.clear()
    redaction.hide_for_now(["a secret of the test"])
    yield
    redaction.hide_for_now([])
    for logger, handlers, level, filters in before:
        logger.handlers[:], logger.filters[:] = handlers, filters
        logger.setLevel(level)


def written_elsewhere(setup: LogSetup | None) -> tuple[str, str]:
    """What another process with this setup writes to stdout and stderr."""
    assert setup is not None
    done = subprocess.run(
        [sys.executable, "-c", _OTHER], input=pickle.dumps(setup), cwd=ROOT, capture_output=True, check=True
    )
    return done.stdout.decode(), done.stderr.decode()


def add_handler(name: str | None, formatter: logging.Formatter | None, level: int) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr if name is None else sys.stdout)
    handler.setFormatter(formatter)
    logging.getLogger(name).addHandler(handler)
    logging.getLogger(name).setLevel(level)
    return handler


def test_levels_handlers_and_formats_are_those_of_this_process() -> None:
    logging.getLogger().handlers.clear()
    add_handler(None, logging.Formatter("{levelname} {name}: {message}", style="{"), logging.WARNING)
    logging.getLogger("thumbs").setLevel(logging.INFO)
    add_handler("thumbs.janitor", JsonFormatter(), logging.NOTSET)
    stdout, stderr = written_elsewhere(LogSetup.copy_of_this_process())
    assert stderr.splitlines() == ["INFO thumbs: opened with [hidden]", "WARNING thumbs.janitor: swept"]
    assert json.loads(stdout)["message"] == "swept"


def test_without_a_handler_only_warnings_are_written_as_by_python() -> None:
    logging.getLogger().handlers.clear()
    assert written_elsewhere(LogSetup.copy_of_this_process()) == ("", "swept\n")


def test_a_log_with_parts_of_other_classes_is_not_copied() -> None:
    class Own(logging.StreamHandler):  # type: ignore[type-arg]
        pass

    logging.getLogger().handlers.clear()
    handler = add_handler(None, None, logging.INFO)
    assert LogSetup.copy_of_this_process() is not None
    handler.addFilter(lambda _: True)
    assert LogSetup.copy_of_this_process() is None
    logging.getLogger().handlers[:] = [Own(sys.stderr)]
    assert LogSetup.copy_of_this_process() is None
    logging.getLogger().handlers.clear()
    logging.getLogger("thumbs").addFilter(lambda _: True)
    assert LogSetup.copy_of_this_process() is None


def test_a_log_with_records_of_another_class_is_not_copied() -> None:
    class Own(logging.LogRecord):
        pass

    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Own)
    try:
        assert LogSetup.copy_of_this_process() is None
    finally:
        logging.setLogRecordFactory(before)
