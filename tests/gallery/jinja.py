"""The environment of the Jinja2 templates."""

from typing import Any

from jinja2 import Environment


def environment(**options: Any) -> Environment:
    return Environment(**options, extensions=["thumbs.jinja2.ThumbsExtension"])
