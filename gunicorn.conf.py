"""What gunicorn takes from here when it is started in this directory, as in `gunicorn mage_project.wsgi`."""

# A target over 2,048 bytes is answered by us. Gunicorn's own limit, 4,094, would answer first.
limit_request_line = 8190
