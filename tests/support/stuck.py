"""`tests.support.wrapped`, in which a thumbnail 666 pixels wide is never ready, and that is found out soon."""

import threading
from typing import Any

from tests.support.wrapped import application, asgi_application
from thumbs.image.transforms import Transform
from thumbs.pipeline.ports import Picture
from thumbs.render.renderer import Renderer
from thumbs.wiring import build

__all__ = ["application", "asgi_application"]
_render = Renderer.render


def _never(self: Renderer, data: bytes, transform: Transform, *arguments: Any, **options: Any) -> Picture:
    if transform.width == 666:
        threading.Event().wait()
    return _render(self, data, transform, *arguments, **options)


build._STUCK_SECONDS = 1.0
Renderer.render = _never  # type: ignore[method-assign,assignment]
