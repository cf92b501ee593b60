""".ci/smoke.py PREFIX [--all]: the wheel in the environment PREFIX imports, passes its checks and makes a thumbnail.

With `--all`, every module must import, those of the extras too.
"""

import importlib
import importlib.util
import pkgutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import django
from django.conf import settings
from django.core.management import call_command

SIZE = (120, 80)
# Modules that a site imports where it uses these packages, which no extra installs.
OF_OTHER_PACKAGES = (
    *("thumbs.jinja2", "thumbs.pytest_plugin", "thumbs.rest_framework"),
    *("thumbs.toolkit.integrations.rest", "thumbs.toolkit.integrations.rest_schema"),
    *("thumbs.console.admin", "thumbs.console.models"),  # where the app and Django's admin are installed
)


def import_everything() -> int:
    """Import every module but those of extras that are not installed; return how many there are."""
    import thumbs  # noqa: PLC0415 - it is what is tested

    if not Path(thumbs.__file__ or "").is_relative_to(sys.argv[1]):
        sys.exit(f"not the wheel's: {thumbs.__file__}")
    found = (module.name for module in pkgutil.walk_packages(thumbs.__path__, "thumbs."))
    names = [name for name in found if name not in OF_OTHER_PACKAGES]
    from thumbs import extras  # noqa: PLC0415 - as above

    absent = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            if not extras.extras_behind(error):
                raise
            absent.append(name)
    if "--all" in sys.argv and absent:
        sys.exit(f"these cannot be imported, with every extra: {absent}")
    for other in ("tests", "bench"):
        if importlib.util.find_spec(other):
            sys.exit(f"the wheel has {other} in it")
    return len(names) - len(absent)


def get(path: str) -> tuple[str, bytes]:
    """The status and the body that the WSGI wrapper answers."""
    from thumbs.wsgi import ThumbsWSGI  # noqa: PLC0415 - after Django is set up

    environ: dict[str, object] = {"PATH_INFO": path, "RAW_URI": path}
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start_response(
        status: str, _headers: list[tuple[str, str]], _error: Any = None, /
    ) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda _data: None

    def site(_environ: object, _start_response: object) -> list[bytes]:
        sys.exit(f"the wrapper passed {path} on")

    body = b"".join(ThumbsWSGI(site)(environ, start_response))
    return statuses[0], body


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        storage = {"name": "here", "driver": "local", "root": directory, "allowed_sizes": ["{}x{}".format(*SIZE)]}
        storage["cache"] = {"memory": {"enabled": True, "max_size_mb": 1}}
        settings.configure(INSTALLED_APPS=["thumbs"], ROOT_URLCONF="thumbs.urls", THUMBS={"STORAGES": [storage]})
        django.setup()
        count = import_everything()
        call_command("check", fail_level="WARNING")

        import pyvips  # noqa: PLC0415 - no process is forked after this

        pyvips.Image.black(600, 400, bands=3).write_to_file(str(Path(directory, "black.png")))
        status, body = get("/here/thumbs/{}x{}/filters:format(webp)/black.png".format(*SIZE))
        if not status.startswith("200 "):
            sys.exit(f"{status}: {body!r}")
        picture = pyvips.Image.new_from_buffer(body, "")
        if (picture.width, picture.height, picture.get("vips-loader")) != (*SIZE, "webpload_buffer"):
            sys.exit(f"not what was asked for: {picture}")
    print(f"{count} modules import, the checks pass, and a thumbnail of {len(body)} bytes is made")


main()
