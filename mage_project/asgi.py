"""`gunicorn -k asgi mage_project.asgi`: the ASGI front before the Django project."""

import gc
import os

from django.core.asgi import get_asgi_application

from thumbs import checks
from thumbs.asgi import Application, Receive, Scope, Send, ThumbsASGI

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mage_project.settings")

django: Application = get_asgi_application()  # type: ignore[assignment]  # Django's is typed narrower


async def without_web_sockets(scope: Scope, receive: Receive, send: Send) -> None:
    """Django speaks HTTP only, and would raise at a web socket that anybody may ask for: close it instead."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
    else:
        await django(scope, receive, send)


application = ThumbsASGI(without_web_sockets)
checks.require(but=checks.STATE_OF_THE_MACHINE)

# What is loaded stays: the collector need not walk through all of Django again and again while requests are served.
gc.collect()
gc.freeze()
