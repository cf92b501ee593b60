"""The settings that the site is developed with: its tests override what they need."""

import os
from pathlib import Path
from typing import Any

BASE_DIR = Path(os.environ.get("SITE_DIRECTORY", "/nonexistent"))
SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.staticfiles", "thumbs", "tests.ordinary_site"]
ROOT_URLCONF = "tests.ordinary_site.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "static/"
MEDIA_URL = "media/"
MEDIA_ROOT = BASE_DIR / "media"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
THUMBS: dict[str, Any] = {
    "STORAGES": [
        {
            "name": "uploads",
            "driver": "django",
            "alias": "default",
            "signature_secret_key": "django",
            "cache": {
                "memory": {"enabled": True, "max_size_mb": 16},
                "disk": {"enabled": True, "dir": str(BASE_DIR / "cache")},
            },
        }
    ],
    "PRESETS": {"card": {"size": "40x30"}},
    "PURGE_ON_MODEL_CHANGES": True,
}
