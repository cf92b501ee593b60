"""`gunicorn -k asgi mage_project.asgi`: the ASGI front before the Django project."""

import gc
import os

from django.core.asgi import get_asgi_application

from thumbs.asgi import ThumbsASGI
from thumbs.wiring import require_configuration

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mage_project.settings")

application = ThumbsASGI(get_asgi_application())  # type: ignore[arg-type]  # Django's is typed narrower
require_configuration()

# What is loaded stays: the collector need not walk through all of Django again and again while requests are served.
gc.collect()
gc.freeze()
