"""Settings of the standalone server. The only module that reads the environment, and it does so once."""

import os

from thumbs.conf.document import LOG_LEVELS
from thumbs.conf.loading import caches_of
from thumbs.observability import redaction


def _whole(name: str) -> dict[str, object]:
    """The THUMBS key for a number in the environment. Other text is kept for the system check to report."""
    value = os.environ.get(name, "")
    key = _KEYS[name]
    return {key: int(value) if value.isdecimal() else value} if value else {}


_KEYS = {"PORT": "PORT", "WEB_CONCURRENCY": "WORKERS", "VIPS_CONCURRENCY": "VIPS_CONCURRENCY"}
_STORAGES_FILE = os.environ.get("STORAGES_CONFIG_PATH") or "storages.json"
_LOG_LEVEL = os.environ.get("LOG_LEVEL", "INFO").upper()
_TEXTS = {"MAGE_ISOLATION": "ISOLATION", "MAGE_PLAYGROUND": "PLAYGROUND", "MAGE_HOST": "HOST"}

THUMBS: dict[str, object] = {
    "STORAGES_FILE": _STORAGES_FILE,
    "ENVIRON": os.environ,
    "LOG_LEVEL": _LOG_LEVEL,
    "DEFAULTS": {"isolation": "auto", "host": "0.0.0.0"},
    **{key: os.environ[name] for name, key in _TEXTS.items() if os.environ.get(name)},
    **_whole("PORT"),
    **_whole("WEB_CONCURRENCY"),
    **_whole("VIPS_CONCURRENCY"),
}

# Where prometheus-client adds the counts of all workers. It reads the variable itself at import.
METRICS_DIRECTORY = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or None

# Needed only by storages whose `signature_secret_key` is "django"; a system check reports it missing.
SECRET_KEY = os.environ.get("SECRET_KEY", "")

# No response depends on the host name.
ALLOWED_HOSTS = ["*"]
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
INSTALLED_APPS = ["thumbs"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "mage_project.urls"
ASGI_APPLICATION = "mage_project.asgi.application"
WSGI_APPLICATION = "mage_project.wsgi.application"
CACHES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    **caches_of(_STORAGES_FILE),
}

# Before anything is logged, in every process: all servers and commands import the settings.
redaction.install()

_LEVEL = _LOG_LEVEL if _LOG_LEVEL in LOG_LEVELS else "INFO"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line"},
        "access": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"},
    },
    # DEBUG only for Mage and Django: other libraries log headers and bodies then, such as AWS's credentials.
    "root": {"handlers": ["stderr"], "level": "INFO" if _LEVEL == "DEBUG" else _LEVEL},
    # No lines for 4xx responses, which clients cause, nor for the 503 of `/ready`, which logs its reasons itself.
    "filters": {"raised": {"()": "django.utils.log.CallbackFilter", "callback": lambda record: bool(record.exc_info)}},
    "loggers": {
        "thumbs": {"level": _LEVEL},
        "mage_project": {"level": _LEVEL},
        "django": {"level": _LEVEL},
        "django.request": {"filters": ["raised"]},
        # Each line is one JSON object, without a prefix.
        "thumbs.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
    },
}
