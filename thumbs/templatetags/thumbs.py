"""`{% load thumbs %}`: thumbnails in templates. None of these tags asks a storage, the database or a cache."""

from django import template
from django.template.base import Parser, Token

from thumbs.toolkit import tags

register = template.Library()


@register.tag
def thumb(parser: Parser, token: Token) -> template.Node:
    """`{% thumb photo.image "card 800x" format="webp" %}`: the URL. `as t` keeps it, with its width and height."""
    return tags.compiled(tags.thumb_tag, parser, token)


@register.tag
def thumb_url(parser: Parser, token: Token) -> template.Node:
    """`{% thumb_url "uploads" photo.image "400x300" "format(webp)" %}`: the URL of its parts, spelled as in a URL."""
    return tags.compiled(tags.thumb_url_tag, parser, token)


@register.tag
def thumb_img(parser: Parser, token: Token) -> template.Node:
    """`{% thumb_img photo.image "card" alt=photo.title class="rounded" %}`: an `<img>` with its size where known."""
    return tags.compiled(tags.thumb_img_tag, parser, token)


@register.tag
def thumb_picture(parser: Parser, token: Token) -> template.Node:
    """`{% thumb_picture photo.image "hero" widths="400 800" sizes="100vw" alt=photo.title %}`: a `<picture>`."""
    return tags.compiled(tags.thumb_picture_tag, parser, token)
