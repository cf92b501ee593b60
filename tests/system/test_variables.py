"""`${NAME}` in a standalone document: replaced in what the settings read too, and an error where it is not set."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.commands import environ_with, finished, local_storage, manage
from tests.support.servers import write_document

_SETTINGS = """
import json
from mage_project import settings
print(json.dumps([settings.CACHES, settings.LOGGING["loggers"]["thumbs"], settings.LOGGING["handlers"]["stderr"]]))
"""
_FLEET = {"backend": "django.core.cache.backends.redis.RedisCache", "location": "redis://:${PW}@127.0.0.1:6379"}


def environ_of(directory: Path, variables: dict[str, str], **document: object) -> dict[str, str]:
    """The environment of a server whose document has these keys; other variables of logging are not set."""
    environ = environ_with(directory, [])
    storage = {**local_storage("photos", directory), "allowed_sizes": ["9x9"]}
    write_document(directory / "storages.json", {"storages": [storage], **document})
    kept = {name: value for name, value in environ.items() if name not in ("LOG_LEVEL", "LOG_FORMAT")}
    return {**kept, **variables}


def settings_of(environ: dict[str, str]) -> tuple[dict[str, dict[str, object]], object, object]:
    """The caches, the level of Mage's log, and the formatter of its lines, in the settings of a new process."""
    done = finished([sys.executable, "-c", _SETTINGS], environ)
    assert done.returncode == 0, done.stderr
    caches, thumbs, stderr = json.loads(done.stdout)
    return caches, thumbs["level"], stderr["formatter"]


def test_names_in_caches_and_in_the_keys_of_the_log_are_replaced(tmp_path: Path) -> None:
    variables = {"PW": "x", "LEVEL": "error", "LINES": "json"}
    keys = {"caches": {"fleet": _FLEET}, "log_level": "${LEVEL}", "log_format": "${LINES}"}
    environ = environ_of(tmp_path, variables, **keys)
    caches, level, formatter = settings_of(environ)
    assert caches["fleet"]["LOCATION"] == "redis://:x@127.0.0.1:6379"
    assert (level, formatter) == ("ERROR", "json")
    done = manage(environ, "check", "--fail-level", "ERROR")
    assert done.returncode == 0, done.stderr


def test_a_name_that_is_not_set_is_an_error_of_the_check_and_not_of_the_settings(tmp_path: Path) -> None:
    environ = environ_of(tmp_path, {}, caches={"fleet": _FLEET}, log_level="${level}", log_format="${lines}")
    caches, level, formatter = settings_of(environ)
    assert caches["fleet"]["LOCATION"] == _FLEET["location"]
    assert (level, formatter) == ("INFO", "text")
    done = manage(environ, "check")
    assert done.returncode != 0
    for place, name in (("caches.fleet.location", "PW"), ("log_level", "level"), ("log_format", "lines")):
        sentence = f"names the environment variable {name}, which is not set."
        assert f"(thumbs.E006) storages.json.{place}: {sentence}" in done.stderr
    assert done.stderr.count("HINT: Set it in the environment of the server") == 3
    assert "Django site" not in done.stderr


@pytest.mark.parametrize(
    ("variables", "place"), [({}, "storages.json.log_level"), ({"LOG_LEVEL": "verbose"}, "LOG_LEVEL")]
)
def test_a_wrong_level_is_named_by_the_place_where_it_is_set(
    tmp_path: Path, variables: dict[str, str], place: str
) -> None:
    done = manage(environ_of(tmp_path, variables, log_level="verbose"), "check")
    assert done.returncode != 0
    assert f"(thumbs.E003) {place}: must be one of DEBUG, " in done.stderr


def test_a_level_may_be_in_small_letters_in_the_document_too(tmp_path: Path) -> None:
    environ = environ_of(tmp_path, {}, log_level="warning")
    assert settings_of(environ)[1] == "WARNING"
    assert manage(environ, "check", "--fail-level", "ERROR").returncode == 0
