"""A site whose middleware sets cookies."""

from pathlib import Path

PICTURE = "public/thumbs/90x60/quarters.jpg"
SETTINGS: dict[str, object] = {
    "MIDDLEWARE": [
        "tests.support.cookie_middleware.sets_cookies",
        "django.middleware.gzip.GZipMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "tests.support.cookie_middleware.counts_visits",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
    ],
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
    "SESSION_SAVE_EVERY_REQUEST": True,
}


def storages_of(root: Path) -> dict[str, object]:
    local = {"driver": "local", "root": str(root)}
    return {
        "storages": [
            {"name": "public", **local},
            {"name": "private", **local, "cache_control": "private, max-age=60"},
        ]
    }
