"""Settings of the standalone server. The only module that reads the environment, and it does so once."""

import os

from thumbs.conf.document import LOG_LEVELS
from thumbs.conf.loading import caches_of
from thumbs.observability import redaction


def _whole(name: str) -> dict[str, object]:
    """The THUMBS key for a number in the environment; what is not a number is left for the system check to name."""
    value = os.environ.get(name, "")
    key = _KEYS[name]
    return {key: int(value) if value.isdecimal() else value} if value else {}


_KEYS = {"PORT": "PORT", "WEB_CONCURRENCY": "WORKERS", "VIPS_CONCURRENCY": "VIPS_CONCURRENCY"}
_STORAGES_FILE = os.environ.get("STORAGES_CONFIG_PATH") or "storages.json"
_LOG_LEVEL = os.environ.get("LOG_LEVEL", "INFO").upper()

THUMBS: dict[str, object] = {
    "STORAGES_FILE": _STORAGES_FILE,
    "ENVIRON": os.environ,
    "LOG_LEVEL": _LOG_LEVEL,
    **_whole("PORT"),
    **_whole("WEB_CONCURRENCY"),
    **_whole("VIPS_CONCURRENCY"),
}

# Where prometheus-client adds up the workers' counts; it reads the variable itself, when it is imported.
METRICS_DIRECTORY = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or None

# Only for storages whose `signature_secret_key` is "django"; a system check asks for it there.
SECRET_KEY = os.environ.get("SECRET_KEY", "")

# Nothing here depends on the host: a thumbnail is the same under every name.
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

# Before anything is logged, in every process of this project, whichever server or command it is.
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
    # DEBUG is for Mage and Django. What libraries tell then holds headers and bodies: AWS's answer with credentials.
    "root": {"handlers": ["stderr"], "level": "INFO" if _LEVEL == "DEBUG" else _LEVEL},
    # A request that is refused is the client's matter, and `/ready` logs by itself what it misses.
    "filters": {"raised": {"()": "django.utils.log.CallbackFilter", "callback": lambda record: bool(record.exc_info)}},
    "loggers": {
        "thumbs": {"level": _LEVEL},
        "mage_project": {"level": _LEVEL},
        "django": {"level": _LEVEL},
        "django.request": {"filters": ["raised"]},
        # A line of JSON is a line of JSON, with nothing before it.
        "thumbs.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
    },
}
