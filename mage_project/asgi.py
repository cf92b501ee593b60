"""`gunicorn -k asgi mage_project.asgi`: the ASGI front before the Django project."""

import gc
import os
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote

from django.core.asgi import get_asgi_application

from thumbs.asgi import Application, Receive, Scope, Send, ThumbsASGI, raw_target
from thumbs.checks import config
from thumbs.http.targets import path_of

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mage_project.settings")

django: Application = get_asgi_application()  # type: ignore[assignment]  # Django's is typed narrower


async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
    """Django without what anybody may ask for and nobody needs here.

    It speaks HTTP only, and would raise at a web socket: close it instead. It would also write the body of any request
    into a temporary file before it looks whose it is: nothing here has a use for one.
    """
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
    elif scope["type"] == "http":
        await django(_in_origin_form(scope), _bodiless(receive), send)
    else:
        await django(scope, receive, send)


def _in_origin_form(scope: Scope) -> Scope:
    """`scope` with the path of a target in absolute form, which ASGI servers take for a path as a whole."""
    target = raw_target(scope)
    path = None if target.startswith(b"/") else path_of(target)
    if path is None:
        return scope
    return {**scope, "path": path.decode("utf-8", "replace"), "raw_path": quote(path).encode()}


def _bodiless(receive: Receive) -> Receive:
    told = False

    async def received() -> MutableMapping[str, Any]:
        nonlocal told
        if not told:
            told = True
            return {"type": "http.request", "body": b"", "more_body": False}
        while (message := await receive())["type"] == "http.request":
            pass
        return message

    return received


application = ThumbsASGI(guarded, whole_server=True)
config.require(ignore=config.TRANSIENT)

# What is loaded stays: the collector need not walk through all of Django again and again while requests are served.
gc.collect()
gc.freeze()
