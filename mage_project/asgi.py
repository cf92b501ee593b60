"""`gunicorn -k asgi mage_project.asgi`: the ASGI front before the Django project."""

import gc
import os

from django.core.asgi import get_asgi_application

from thumbs import checks
from thumbs.asgi import ThumbsASGI

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mage_project.settings")

application = ThumbsASGI(get_asgi_application())  # type: ignore[arg-type]  # Django's is typed narrower
checks.require(but=checks.STATE_OF_THE_MACHINE)

# What is loaded stays: the collector need not walk through all of Django again and again while requests are served.
gc.collect()
gc.freeze()
