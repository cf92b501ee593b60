"""The models of the test app, in the module that Django loads with the app."""

from tests.support.models import Framed, Note, Photo
from tests.support.purged_models import PlainPhoto, PurgingPhoto

__all__ = ["Framed", "Note", "Photo", "PlainPhoto", "PurgingPhoto"]
