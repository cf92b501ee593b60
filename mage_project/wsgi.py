"""`gunicorn mage_project.wsgi`: the WSGI front before the Django project."""

import os

from django.core.wsgi import get_wsgi_application

from thumbs.checks import config
from thumbs.wsgi import ThumbsWSGI

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mage_project.settings")

application = ThumbsWSGI(get_wsgi_application(), whole_server=True)
config.require(ignore=config.TRANSIENT)
