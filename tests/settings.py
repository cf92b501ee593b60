"""A Django site for the tests: nothing but the app. Each test brings its own THUMBS."""

SECRET_KEY = "only for tests"
INSTALLED_APPS = ["thumbs"]
ROOT_URLCONF = "tests.site"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "tests"}}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
THUMBS: dict[str, object] = {"STORAGES": []}
