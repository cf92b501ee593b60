"""Fields for the models of a site: `from thumbs.fields import ThumbImageField`."""

from thumbs.toolkit.descriptors import ThumbDescriptor
from thumbs.toolkit.field_files import ThumbImageFieldFile
from thumbs.toolkit.fields import ThumbImageField
from thumbs.toolkit.focal_points import FocalPointField, FocalPointFormField, focus_of

__all__ = [
    "FocalPointField",
    "FocalPointFormField",
    "ThumbDescriptor",
    "ThumbImageField",
    "ThumbImageFieldFile",
    "focus_of",
]
