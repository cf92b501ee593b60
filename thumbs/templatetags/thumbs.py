"""`{% load thumbs %}`: URLs of thumbnails in templates."""

from django import template

from thumbs.site.links import thumb_url

register = template.Library()


@register.simple_tag(name="thumb_url")
def thumb_url_tag(storage: str, path: object, size: str, filters: str = "", name: str | None = None) -> str:
    """`{% thumb_url "uploads" photo.image "400x300" "format(webp)" %}`: the URL, signed if the storage has a secret.

    `path` is the key of an original, or the file of a model. Raises what `thumbs.thumb_url` raises.
    """
    return thumb_url(storage, str(path), size, filters=filters, name=name)
