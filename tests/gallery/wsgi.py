"""`gunicorn tests.gallery.wsgi`: the gallery under WSGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.gallery.settings")
application = get_wsgi_application()
