"""A Django site for the tests: the app, and two with models that have files. Each test brings its own THUMBS."""

SECRET_KEY = "only for tests"
INSTALLED_APPS = ["thumbs", "tests", "tests.gallery"]
_IN_MEMORY = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
DATABASES = {"default": _IN_MEMORY, "other": {**_IN_MEMORY}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "tests.support.site"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "tests"}}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
THUMBS: dict[str, object] = {"STORAGES": []}
