"""The environment of the Jinja2 templates."""

from typing import Any

from jinja2 import Environment

from thumbs import thumb_url


def environment(**options: Any) -> Environment:
    created = Environment(**options)
    created.globals["thumb_url"] = thumb_url
    return created
