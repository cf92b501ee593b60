"""A site with every middleware that Django brings."""

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# Names that are not the same when they are decoded twice, cut at a `?`, or taken for Latin-1.
NAMES = ["Bücher/été.jpg", "cats/tom & jerry?.jpg", "100%25.jpg", "a%2Fb.jpg", "what?.jpg", "日本.jpg", "plus+plus.jpg"]
