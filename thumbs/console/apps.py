"""The Django app: `thumbs.console` in INSTALLED_APPS, beside `django.contrib.admin`."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "thumbs.console"
    label = "thumbs_console"
    verbose_name = "Thumbnails"
    default_auto_field = "django.db.models.BigAutoField"
