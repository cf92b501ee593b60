"""The wheel with its base dependencies only: a site with pictures on disk works, all else says what to install."""

import os
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import pictures, wheels
from tests.support.servers import fetch, free_port, running, wait_for_port

_ABSENT = (
    *("boto3", "botocore", "urllib3", "storages", "pymemcache", "redis", "prometheus_client", "gunicorn", "uvloop"),
    *("imagecodecs", "numpy", "pillow_heif", "PIL"),
)
_SETTINGS = """
import os
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parents[1]
SECRET_KEY, DEBUG, ALLOWED_HOSTS, USE_TZ = "only for tests", False, ["*"], True
INSTALLED_APPS, ROOT_URLCONF = ["thumbs"], "shop.urls"
WSGI_APPLICATION, ASGI_APPLICATION = "shop.wsgi.application", "shop.asgi.application"
MEDIA_ROOT = BASE_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "bucket": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"bucket_name": "b"}},
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if os.environ.get("NEEDS") == "redis":
    CACHES["redis"] = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
if os.environ.get("NEEDS") == "memcached":
    CACHES["memcached"] = {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": "127.0.0.1:1"}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
cache = {"memory": {"enabled": True, "max_size_mb": 4}, "disk": {"enabled": True, "dir": str(BASE_DIR / "cache")}}
own = {"name": "media", "driver": "django", "alias": "default", "signature_secret_key": "django", "cache": cache}
kept = {"memory": {"enabled": True, "max_size_mb": 4}}
disk = {"name": "disk", "driver": "local", "root": str(MEDIA_ROOT), "allowed_sizes": ["90x60"], "cache": kept}
THUMBS = {"STORAGES": [own, disk], "RUN_DIR": str(BASE_DIR / "run")}
more = {
    "s3": {"driver": "s3", "bucket": "b"},
    "storages": {"driver": "django", "alias": "bucket"},
    "redis": {"driver": "local", "root": str(MEDIA_ROOT), "cache": {"shared": {"alias": "redis"}}},
    "memcached": {"driver": "local", "root": str(MEDIA_ROOT), "cache": {"shared": {"alias": "memcached"}}},
}.get(os.environ.get("NEEDS"))
if more:
    THUMBS["STORAGES"].append({"name": "more", "signature_secret_key": "django", **more})
THUMBS["METRICS"] = os.environ.get("NEEDS") == "metrics"
if os.environ.get("NEEDS") == "jxl":
    disk["formats"] = ["jxl", "jpeg"]
if os.environ.get("NEEDS") in ("jxl", "heic"):
    THUMBS["INPUT_FORMATS"] = ["jpeg", "png", os.environ["NEEDS"]]
"""
_FILES = {
    "manage.py": """
        import os, sys
        from django.core.management import execute_from_command_line
        os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
        execute_from_command_line(sys.argv)
        """,
    "shop/__init__.py": "",
    "shop/urls.py": """
        from django.urls import include, path
        urlpatterns = [path("img/", include("thumbs.urls"))]
        """,
    "shop/wsgi.py": """
        from django.core.wsgi import get_wsgi_application
        application = get_wsgi_application()
        """,
    "shop/asgi.py": """
        from django.core.asgi import get_asgi_application
        application = get_asgi_application()
        """,
    "shop/settings.py": _SETTINGS,
    "look.py": """
        import asyncio, importlib.util, os, sys
        os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
        import django
        django.setup()
        from django.template import Context, Template
        from django.test import Client
        import thumbs
        from thumbs.asgi import ThumbsASGI
        from thumbs.wsgi import ThumbsWSGI
        found = [name for name in sys.argv[1:] if importlib.util.find_spec(name)]
        assert not found, found
        text = '{% load thumbs %}{% thumb_url "media" "photo.jpg" "90x60" "format(webp)" %}'
        url = Template(text).render(Context())
        for layer in ("MISS", "HIT"):
            answer = Client().get(url)
            assert answer.status_code == 200, answer.content
            assert (answer["X-Cache"], answer["Content-Type"]) == (layer, "image/webp"), answer.headers
        assert thumbs.purge("media", "photo.jpg") == 2  # an entry in memory, and one on disk
        assert Client().get(url)["X-Cache"] == "MISS"
        statuses = []
        path = "/img/disk/thumbs/90x60/photo.jpg"
        environ = {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.0", "PATH_INFO": path}
        body = b"".join(ThumbsWSGI(None, prefix="/img/")(environ, lambda status, headers: statuses.append(status)))
        assert (statuses, body[:2]) == (["200 OK"], b"\\xff\\xd8"), statuses
        print(url)
        """,
}


@dataclass(frozen=True)
class Site:
    """A site in `directory`, run with the Python of an environment that has the wheel and its base dependencies."""

    directory: Path
    python: Path

    def run(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        command = [str(self.python), "-W", "error", *arguments]
        return wheels.finished(command, self.directory, environ)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site, and beside it an environment with the wheel of this tree."""
    work = tmp_path_factory.mktemp("base")
    python = wheels.install(wheels.build(work), work / "venv")
    site = Site(work / "site", python)
    for name, text in _FILES.items():
        path = site.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    (site.directory / "media").mkdir()
    pictures.draw_all(site.directory / "media")
    shutil.copy(site.directory / "media/noise.jpg", site.directory / "media/photo.jpg")
    yield site
    shutil.rmtree(work, ignore_errors=True)


def test_a_site_with_pictures_on_disk_works_without_any_extra(installed: Site) -> None:
    checked = installed.run("manage.py", "check", "--fail-level", "WARNING")
    assert checked.returncode == 0, checked.stderr
    looked = installed.run("look.py", *_ABSENT)
    assert looked.returncode == 0, looked.stderr
    stats = installed.run("manage.py", "thumb_cache_stats", "--json")
    assert '"media"' in stats.stdout, stats.stderr
    assert installed.run("manage.py", "clear_thumb_cache").returncode == 0
    warmed = installed.run("manage.py", "warm_thumb_cache", "media", "photo.jpg", "--size", "90x60")
    assert warmed.returncode == 0, warmed.stderr
    assert installed.run("manage.py", "run_cache_janitor", "--once").returncode == 0


def test_runserver_serves_thumbnails_without_any_extra(installed: Site) -> None:
    port = free_port()
    printed = installed.run("manage.py", "thumb_url", "media", "photo.jpg", "--size", "90x60")
    assert printed.returncode == 0, printed.stderr
    command = [str(installed.python), str(installed.directory / "manage.py"), "runserver", "--noreload", str(port)]
    environ = {**os.environ, "PYTHONPATH": str(installed.directory)}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    log = installed.directory / "runserver.log"
    with running(command, log=log, environ=environ) as process:
        wait_for_port(port, process, log)
        answer = fetch(f"http://127.0.0.1:{port}{printed.stdout.strip()}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")


@pytest.mark.parametrize(
    ("needs", "extras"),
    [
        ("s3", "s3"),
        ("storages", "storages,s3"),
        ("redis", "redis"),
        ("memcached", "memcached"),
        ("metrics", "metrics"),
        ("jxl", "jxl"),
        ("heic", "heic"),
    ],
)
def test_a_configuration_that_needs_an_extra_is_an_error_and_no_traceback(
    installed: Site, needs: str, extras: str
) -> None:
    checked = installed.run("manage.py", "check", NEEDS=needs)
    assert checked.returncode == 1
    assert "thumbs.E021" in checked.stderr
    assert f'pip install "mage-thumbs[{extras}]"' in checked.stderr
    assert "Traceback" not in checked.stderr


def test_run_thumb_server_without_gunicorn_says_what_to_install(installed: Site) -> None:
    done = installed.run("manage.py", "run_thumb_server")
    assert done.returncode == 1
    assert 'Run: pip install "mage-thumbs[server]"' in done.stderr
    assert "Traceback" not in done.stderr
