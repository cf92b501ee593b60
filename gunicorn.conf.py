"""What gunicorn takes from here when it is started in this directory, as in `gunicorn mage_project.wsgi`."""

from thumbs.server.gunicorn_conf import child_exit, limit_request_line

__all__ = ["child_exit", "limit_request_line"]
