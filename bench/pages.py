"""`python -m bench.pages DIRECTORY`: pictures of the playground and of the cache console, from the running product.

Chromium shows the pages, and Mage makes the pictures: a screenshot is an original, and a thumbnail of it in WebP is
what is written.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.browser.chromium import find
from mage_project import demo

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 1280, 860
MAX_BYTES = 140_000  # of each picture
_PORTS = (8490, 8491)
_SECONDS = 120.0
_VIEW = (
    "?storage=demo&key=lake.jpg&size=480x360&filters=format(webp);quality(72);pcrop(24.5,12,92,88);gravity(0.66,0.42)"
)
_SITE = """
import json, os
from django.conf import settings
settings.configure(**json.loads(os.environ["SITE"]))
import django
django.setup()
from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import include, path
urlpatterns = [path("admin/", admin.site.urls), path("img/", include("thumbs.urls")),
               path("static/<path:path>", serve, {"insecure": True})]
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
_USER = """
import site_of_the_pictures
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
client = Client()
client.force_login(User.objects.create(username="editor", first_name="Ada", is_staff=True, is_superuser=True))
print(client.cookies["sessionid"].value)
from thumbs import thumb_url
print(thumb_url("photos", "lake.jpg", "400x300"))
"""


def main(directory: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        demo.draw(work / "originals")
        (work / "storages.json").write_text(json.dumps(demo.storages(work)))
        environ = {**os.environ, "STORAGES_CONFIG_PATH": str(work / "storages.json"), "PORT": str(_PORTS[0])}
        environ.pop("DJANGO_SETTINGS_MODULE", None)
        server = [sys.executable, "manage.py", "run_thumb_server", "--workers", "1"]
        with _running(server, environ, _PORTS[0], "/health"), find().started(seconds=_SECONDS) as driver:
            _size(driver)
            _write(driver, work, directory / "playground.webp", lambda: _playground(driver))
            _console(driver, work, directory)


def _playground(driver: "Chrome") -> None:
    driver.get(f"http://127.0.0.1:{_PORTS[0]}/{_VIEW}")
    _until(lambda: driver.execute_script("return document.documentElement.dataset.ready") == "yes")
    _until(lambda: driver.find_element("id", "result").get_attribute("aria-busy") == "false")
    _until(lambda: driver.find_element("id", "original").is_displayed())  # which the browser loads on its own
    _until(lambda: driver.find_element("id", "box").is_displayed())


def _console(driver: "Chrome", work: Path, directory: Path) -> None:
    contrib = [f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages")]
    cache = {"disk": {"enabled": True, "dir": str(work / "site-cache"), "max_size_mb": 1}}
    storage = {"driver": "local", "root": str(work / "originals"), "signature_secret_key": "only for pictures"}
    middleware = ("sessions.middleware.Session", "auth.middleware.Authentication", "messages.middleware.Message")
    settings = {
        "SECRET_KEY": "only for pictures",
        "ALLOWED_HOSTS": ["*"],
        "INSTALLED_APPS": [*contrib, "django.contrib.staticfiles", "thumbs", "thumbs.console"],
        "MIDDLEWARE": [f"django.contrib.{name}Middleware" for name in middleware],
        "ROOT_URLCONF": "site_of_the_pictures",
        "STATIC_URL": "/static/",
        "USE_TZ": True,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(work / "db.sqlite3")}},
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        "THUMBS": {"STORAGES": [{"name": "photos", **storage, "cache": cache}], "METRICS": True},
    }
    (work / "site_of_the_pictures.py").write_text(_SITE)
    environ = {**os.environ, "SITE": json.dumps(settings), "PYTHONPATH": f"{work}:{ROOT}"}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    made = subprocess.run([sys.executable, "-c", _USER], env=environ, capture_output=True, text=True, check=True)
    application = "site_of_the_pictures:application"
    server = [
        sys.executable,
        "-m",
        "gunicorn",
        application,
        "--bind",
        f"127.0.0.1:{_PORTS[1]}",
        "--threads",
        "8",
        "--no-control-socket",
    ]
    with _running(server, environ, _PORTS[1], "/admin/login/"):
        page = f"http://127.0.0.1:{_PORTS[1]}/admin/thumbs_console/cache/"
        driver.get(page)
        cookie, url_of_a_miss = made.stdout.split()
        driver.add_cookie({"name": "sessionid", "value": cookie})

        def are_drawn() -> bool:
            pictures = "return [...document.images].every((each) => each.complete && each.naturalWidth > 0)"
            return bool(driver.execute_script(pictures))

        def show() -> None:
            driver.get(f"{page}?browse=1&storage=photos")
            _until(are_drawn)
            shown = driver.execute_script("return [...document.images].map(({ src }) => src)")
            for url in (*shown, *shown, *shown[:3]):  # hits, which the charts count
                urllib.request.urlopen(url, timeout=_SECONDS).close()
            time.sleep(1.5)  # a process writes its counts with its next write after a second
            urllib.request.urlopen(f"http://127.0.0.1:{_PORTS[1]}{url_of_a_miss}", timeout=_SECONDS).close()
            driver.get(f"{page}?browse=1&storage=photos")
            _until(are_drawn)

        _write(driver, work, directory / "console.webp", show)


def _write(driver: "Chrome", work: Path, path: Path, show: Callable[[], None]) -> None:
    """Show a page, take a screenshot, and have the server of the demo make the picture of it."""
    show()
    shot = work / "originals" / f"{path.stem}-{time.time_ns()}.png"
    driver.save_screenshot(str(shot))
    url = f"http://127.0.0.1:{_PORTS[0]}/demo/thumbs/x/filters:format(webp);quality(86);max_bytes({MAX_BYTES})/{shot.name}"
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
        path.write_bytes(answer.read())
    shot.unlink()
    print(path, path.stat().st_size)


def _size(driver: "Chrome") -> None:
    metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@contextlib.contextmanager
def _running(command: list[str], environ: dict[str, str], port: int, path: str) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT, env=environ)
    try:
        _until(lambda: _answers(f"http://127.0.0.1:{port}{path}"))
        yield
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
        return True
    return False


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the page did not come up")
        time.sleep(0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
