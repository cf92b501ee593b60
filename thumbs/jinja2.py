"""`thumbs.jinja2.ThumbsExtension`: `thumb`, `thumb_img`, `thumb_picture` and `thumb_url` in templates of Jinja2."""

from jinja2 import Environment
from jinja2.ext import Extension

from thumbs.toolkit.tags import thumb_img_tag, thumb_picture_tag, thumb_tag, thumb_url_tag


class ThumbsExtension(Extension):
    """Adds the functions to the globals of the environment. What they return is escaped by `__html__`."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals.update(
            thumb=thumb_tag, thumb_img=thumb_img_tag, thumb_picture=thumb_picture_tag, thumb_url=thumb_url_tag
        )
