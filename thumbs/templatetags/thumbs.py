"""`{% load thumbs %}`: thumbnails in templates."""

from django import template

from thumbs.site.links import thumb_url

register = template.Library()


@register.simple_tag(name="thumb_url")
def thumb_url_tag(storage: str, path: object, size: str, filters: str = "", name: str | None = None) -> str:
    """`{% thumb_url "uploads" photo.image "400x300" "format(webp)" %}`: the URL, signed where the storage wants it.

    `path` is a key, or a model's file.
    """
    return thumb_url(storage, str(path), size, filters=filters, name=name)
