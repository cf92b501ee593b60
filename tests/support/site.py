"""A Django site of twenty lines with the app under a prefix. `gunicorn tests.support.site:application` serves it."""

import json
import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

if not settings.configured:
    settings.configure(
        **{
            "SECRET_KEY": "only for tests",
            "ALLOWED_HOSTS": ["*"],
            "INSTALLED_APPS": ["thumbs"],
            "ROOT_URLCONF": "tests.support.site",
            "MIDDLEWARE": [f"django.middleware.{name}Middleware" for name in ("security.Security", "common.Common")],
            "THUMBS": json.loads(os.environ["SITE_THUMBS"]),
            **json.loads(os.environ.get("SITE_SETTINGS", "{}")),
        }
    )

urlpatterns = [path("img/", include("thumbs.urls"))]
application = get_wsgi_application()
asgi_application = get_asgi_application()
