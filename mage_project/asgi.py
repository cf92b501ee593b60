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

django: Application = get_asgi_application()  # type: ignore[assignment]  # Django's type is narrower


async def http_without_body(scope: Scope, receive: Receive, send: Send) -> None:
    """Django, which gets HTTP requests without their bodies.

    Django raises an error for a WebSocket, so it is closed here. Django also writes every request body into a
    temporary file before it resolves the URL; no view here reads a body.
    """
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
    elif scope["type"] == "http":
        await django(_in_origin_form(scope), _bodiless(receive), send)
    else:
        await django(scope, receive, send)


def _in_origin_form(scope: Scope) -> Scope:
    """`scope` with the path of a target in absolute form; ASGI servers pass the whole target as the path."""
    target = raw_target(scope)
    path = None if target.startswith(b"/") else path_of(target)
    if path is None:
        return scope
    return {**scope, "path": path.decode("utf-8", "replace"), "raw_path": quote(path).encode()}


def _bodiless(receive: Receive) -> Receive:
    """`receive` that reports an empty body and drops the real one."""
    sent = False

    async def received() -> MutableMapping[str, Any]:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        while (message := await receive())["type"] == "http.request":
            pass
        return message

    return received


application = ThumbsASGI(http_without_body, whole_server=True)
config.require(ignore=config.TRANSIENT)

# All modules stay loaded: exclude their objects from every later run of the garbage collector.
gc.collect()
gc.freeze()
