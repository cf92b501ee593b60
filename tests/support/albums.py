"""The gallery with the app `tests.albums`, under a strict Content-Security-Policy, and a signed-in browser."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tests.gallery import settings
from tests.support.browser import browser
from tests.support.gallery import Gallery, make_gallery

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tests.support.servers import Server

_SETTINGS = {
    "INSTALLED_APPS": [*settings.INSTALLED_APPS, "tests.albums"],
    "MIDDLEWARE": ["tests.albums.csp.StrictPolicyMiddleware", *settings.MIDDLEWARE],
    "ROOT_URLCONF": "tests.albums.urls",
}
_SESSION = """
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client
user, _ = User.objects.get_or_create(username={name!r}, is_staff=True, is_superuser={superuser})
user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
client = Client()
client.force_login(user)
print(client.cookies[settings.SESSION_COOKIE_NAME].value)
"""


def make_albums(
    directory: Path, *, thumbs: Mapping[str, object] | None = None, settings: Mapping[str, object] | None = None
) -> Gallery:
    """The site with an empty database. `thumbs` and `settings` are as for `make_gallery`."""
    return make_gallery(directory, thumbs=thumbs, settings={**_SETTINGS, **(settings or {})})


def session(gallery: Gallery, *, superuser: bool = True) -> str:
    """The session of a superuser, or of a member of the staff that may view everything and change nothing."""
    name = "editor" if superuser else "reader"
    return gallery.copy(_SESSION.format(name=name, superuser=superuser)).strip()


@contextlib.contextmanager
def signed_in(
    server: "Server", cookie: str, *, width: int = 1200, dark: bool = False, script: bool = True
) -> Iterator["Chrome"]:
    """A browser with the session `cookie`; the rest is as for `browser`."""
    with browser(width=width, dark=dark, script=script) as driver:
        driver.get(server.url("admin/login/"))
        driver.add_cookie({"name": "sessionid", "value": cookie})
        yield driver
