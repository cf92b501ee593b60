"""Fields for the models and forms of a site: `from thumbs.fields import ThumbImageField`."""

from thumbs.toolkit.descriptors import ThumbDescriptor
from thumbs.toolkit.field_files import ThumbImageFieldFile
from thumbs.toolkit.fields import ThumbImageField
from thumbs.toolkit.focal_points import FocalPointField, FocalPointFormField, focus_of
from thumbs.toolkit.widgets import FocalPointInput, ThumbImageInput

__all__ = [
    "FocalPointField",
    "FocalPointFormField",
    "FocalPointInput",
    "ThumbDescriptor",
    "ThumbImageField",
    "ThumbImageFieldFile",
    "ThumbImageInput",
    "focus_of",
]
