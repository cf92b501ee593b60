"""What a site's serializers import: `from thumbs.rest_framework import ThumbField`."""

from importlib.util import find_spec

if find_spec("rest_framework") is None:
    raise ImportError("thumbs.rest_framework needs Django REST framework: pip install djangorestframework")

from thumbs.toolkit.integrations.rest import PictureField, ThumbField

__all__ = ["PictureField", "ThumbField"]
