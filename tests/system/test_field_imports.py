"""A web process with our fields loads no libvips: not for its models, not for an upload, not for a page."""

import json
from pathlib import Path

from tests.support.gallery import make_gallery

# An upload is purged, which builds the thumbnailer with its metrics (prometheus_client).
_HEAVY = ("pyvips", "_libvips", "boto3", "botocore", "storages", "gunicorn", "numpy")
_PROGRAM = """
import io, json, sys
loaded = {{}}
def note(step):
    loaded[step] = [name for name in {heavy} + ("PIL",) if name in sys.modules]
note("models")
from django.core.files.base import ContentFile
from PIL import Image
buffer = io.BytesIO()
Image.new("RGB", (60, 40), "red").save(buffer, "PNG")
from tests.gallery.models import FocusedPhoto
photo = FocusedPhoto.objects.create(image=ContentFile(buffer.getvalue(), "a.png"))
assert photo.placeholder and photo.width == 60
note("upload")
str(photo.image.picture("400x300"))
note("page")
print(json.dumps(loaded))
"""


def test_models_uploads_and_pages_load_no_heavy_library(tmp_path: Path) -> None:
    loaded = json.loads(make_gallery(tmp_path).python(_PROGRAM.format(heavy=_HEAVY)))
    assert loaded == {"models": [], "upload": ["PIL"], "page": ["PIL"]}
