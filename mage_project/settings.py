"""Settings of the standalone server, from the environment. It is read once."""

import os

from thumbs.conf.document import JSON_LINES, LOG_LEVELS
from thumbs.conf.loading import caches_of, text_of
from thumbs.observability import redaction


def _value(name: str) -> int | str:
    """The value of a variable, a number where it is one. Other text is kept for the system check to report."""
    value = os.environ.get(name, "")
    if name in _NUMBERS:
        return int(value) if value.isdecimal() and value.isascii() else value
    return value if name == "MAGE_HOST" else value.lower()


# The keys of the configuration that variables set.
_VARIABLES = {
    "port": "PORT",
    "workers": "WEB_CONCURRENCY",
    "vips_concurrency": "VIPS_CONCURRENCY",
    "isolation": "MAGE_ISOLATION",
    "playground": "MAGE_PLAYGROUND",
    "host": "MAGE_HOST",
    "log_level": "LOG_LEVEL",
    "log_format": "LOG_FORMAT",
}
_NUMBERS = ("PORT", "WEB_CONCURRENCY", "VIPS_CONCURRENCY")
# The configuration is the file that is named, else the first of several that exists. The image sets the first variable.
_SEARCHED = [*filter(None, os.environ.get("STORAGES_CONFIG_SEARCH", "").split(":")), "storages.json"]
_STORAGES_FILE = os.environ.get("STORAGES_CONFIG_PATH") or _SEARCHED
_LOG_LEVEL = (os.environ.get("LOG_LEVEL") or text_of(_STORAGES_FILE, "log_level", os.environ)).upper()
_LOG_FORMAT = (os.environ.get("LOG_FORMAT") or text_of(_STORAGES_FILE, "log_format", os.environ)).lower()

# OpenTelemetry's own variables, which its SDK reads as well: where spans are sent, and whether at all.
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_ENDPOINT = next((name for name in _ENDPOINTS if os.environ.get(name)), "")
_IS_UNTRACED = (
    os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    or os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
)
_TRACING: dict[str, object] = {"TRACING": not _IS_UNTRACED} if _ENDPOINT or _IS_UNTRACED else {}

_SET = {key: name for key, name in _VARIABLES.items() if os.environ.get(name)}

THUMBS: dict[str, object] = {
    "STORAGES_FILE": _STORAGES_FILE,
    "ENVIRON": True,
    "DEFAULTS": {"isolation": "auto", "host": "0.0.0.0"},
    "VARIABLES": {**_SET, **({"tracing": _ENDPOINT} if _ENDPOINT else {})},
    **{key.upper(): _value(name) for key, name in _SET.items()},
    # In upper case wherever it comes from. Without one, the check of the document reports what is wrong there.
    **({"LOG_LEVEL": _LOG_LEVEL} if _LOG_LEVEL else {}),
    **_TRACING,
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
    **caches_of(_STORAGES_FILE, os.environ),
}

# Before anything is logged, in every process: all servers and commands import the settings.
redaction.install()

_LEVEL = _LOG_LEVEL if _LOG_LEVEL in LOG_LEVELS else "INFO"
# The clients of object stores log each request at INFO.
_CLIENTS = ("azure", "boto3", "botocore", "google", "opentelemetry", "paramiko", "s3transfer", "urllib3")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "thumbs.observability.log_format.JsonFormatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json" if _LOG_FORMAT == JSON_LINES else "text",
        },
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
        **{name: {"level": "WARNING" if _LEVEL in ("DEBUG", "INFO") else _LEVEL} for name in _CLIENTS},
        # Each line is whole, without a prefix.
        "thumbs.access": {"handlers": ["access"], "level": "INFO", "propagate": False},
    },
}
