"""`gunicorn -k asgi tests.gallery.asgi`: the gallery under ASGI."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.gallery.settings")
application = get_asgi_application()
asgi_application = application  # the name that `tests.support.servers.site` starts
