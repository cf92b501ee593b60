"""The file of a `ThumbImageField`: its thumbnails, and its size and placeholder, which are read from it once."""

import logging
from typing import TYPE_CHECKING, Any, cast

from django.core.files.base import File
from django.db.models.fields.files import FieldFile

from thumbs.toolkit.models.purging_files import PurgingImageFieldFile
from thumbs.toolkit.placeholders import upright

if TYPE_CHECKING:
    from thumbs.toolkit.picture import Picture
    from thumbs.toolkit.thumb import Thumb

logger = logging.getLogger("thumbs")
# On an uploaded file: what was read of it, so that a file that is assigned and then saved is read once.
_READ = "_thumbs_read"


class ThumbImageFieldFile(PurgingImageFieldFile):
    """The file of a `ThumbImageField`. `width` and `height` are upright; they open the file, as in Django."""

    def thumb(self, spec: str = "x", /, **options: Any) -> "Thumb":
        """`thumbs.thumb` of this file."""
        from thumbs.toolkit.thumb import thumb  # noqa: PLC0415 - models are loaded before most else

        return thumb(self, spec, **options)

    def picture(self, spec: str = "x", /, **options: Any) -> "Picture":
        """`thumbs.picture` of this file."""
        from thumbs.toolkit.picture import picture  # noqa: PLC0415

        return picture(self, spec, **options)

    def read_upright(self) -> upright.Upright | None:
        """Size and placeholder as the file has them; None where it cannot be read. Logs why."""
        try:
            was_closed = self.closed
            self.open()
            try:
                return self._read_once()
            finally:
                if was_closed:
                    self.close()
                else:
                    self.file.seek(0)
        except upright.Unreadable as error:
            logger.warning("%s: the file %r %s", self.field, (self.name or "")[:300], error)
        except Exception as error:  # a storage raises anything
            logger.warning("%s: the file %r cannot be opened: %r", self.field, (self.name or "")[:300], error)
        return None

    def _set_instance_attribute(self, name: str, content: "File[Any]") -> None:
        """Called by `save`, with the name in the storage: fills the columns from `content`."""
        # Without a name it would stand for no file, and the file of another field for the one that has its name here.
        is_usable = isinstance(content, File) and content.name
        if not is_usable or (isinstance(content, FieldFile) and content.field != self.field):
            opened: Any = content
            while isinstance(opened, File):  # one without a name says that it is closed
                opened = opened.file
            content = File(opened, name)
        super()._set_instance_attribute(name, content)  # type: ignore[misc]

    def _read_once(self) -> upright.Upright:
        if is_stored(self):
            return self._read()
        content = self.file
        size, read = getattr(content, _READ, (None, None))
        if read is None or size != getattr(content, "size", None):
            read = self._read()
            setattr(content, _READ, (getattr(content, "size", None), read))
        return cast("upright.Upright", read)

    def _read(self) -> upright.Upright:
        if getattr(self.field, "placeholder_field", None):
            try:
                return upright.read(self.file, placeholder=True)
            except upright.Unreadable as error:
                logger.warning("%s: no placeholder: the file %r %s", self.field, (self.name or "")[:300], error)
        return upright.read(self.file)

    def _get_image_dimensions(self) -> tuple[int | None, int | None]:
        """What Django's class gives as `width` and `height`."""
        if not hasattr(self, "_dimensions_cache"):
            read = self.read_upright()
            self._dimensions_cache = (None, None) if read is None else read.size
        return self._dimensions_cache


def is_stored(file: object) -> bool:
    """Whether a file is in its storage: an upload is not until its row is saved. A name always is."""
    return bool(getattr(file, "_committed", True))
