"""Fields for the models and forms of a site: `from thumbs.fields import ThumbImageField`."""

from thumbs.toolkit.forms.widgets import FocalPointInput, ThumbImageInput
from thumbs.toolkit.models.descriptors import ThumbDescriptor
from thumbs.toolkit.models.field_files import ThumbImageFieldFile
from thumbs.toolkit.models.fields import ThumbImageField
from thumbs.toolkit.models.focal_points import FocalPointField, FocalPointFormField, focus_of

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
