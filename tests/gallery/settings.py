"""The settings of the gallery: `python -m django migrate --settings tests.gallery.settings`.

A server under test gets its own from the environment: `SITE_DATABASE` is the path of an SQLite file (default: in
memory), `SITE_MEDIA` that of MEDIA_ROOT, `SITE_THUMBS` is THUMBS and `SITE_SETTINGS` more settings, both as JSON.
"""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    *(f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages", "staticfiles")),
    "thumbs",
    "tests.gallery",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "tests.gallery.urls"
WSGI_APPLICATION = "tests.gallery.wsgi.application"
ASGI_APPLICATION = "tests.gallery.asgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("SITE_DATABASE", ":memory:")}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "static/"
MEDIA_URL = "media/"
MEDIA_ROOT = os.environ.get("SITE_MEDIA", str(BASE_DIR / "media"))
TEMPLATES: list[dict[str, Any]] = [
    {
        "NAME": "django",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
if find_spec("jinja2") is not None:
    TEMPLATES.append(
        {
            "NAME": "jinja2",
            "BACKEND": "django.template.backends.jinja2.Jinja2",
            "APP_DIRS": True,
            "OPTIONS": {"environment": "tests.gallery.jinja.environment"},
        }
    )
THUMBS: dict[str, Any] = {
    "STORAGES": [
        {
            "name": "uploads",
            "driver": "django",
            "alias": "default",
            "signature_secret_key": "django",
            "cache": {"memory": {"enabled": True, "max_size_mb": 16}},
        }
    ],
    "PRESETS": {
        "card": {"size": "400x300"},
        "avatar": {"size": "64x64"},
        "hero": {"size": "1200x", "filters": "quality(75)"},
    },
}
if "SITE_THUMBS" in os.environ:
    THUMBS = json.loads(os.environ["SITE_THUMBS"])
globals().update(json.loads(os.environ.get("SITE_SETTINGS", "{}")))
