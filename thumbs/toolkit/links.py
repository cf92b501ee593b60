"""`thumb_url`: a URL of its parts, spelled as in the URL."""

from typing import TYPE_CHECKING

from thumbs.errors import BadFilter, BadPath
from thumbs.toolkit.errors import WrongSpec
from thumbs.toolkit.files import file_of
from thumbs.toolkit.thumb import extras_of, place_of
from thumbs.toolkit.urls import urls

if TYPE_CHECKING:
    from django.db.models.fields.files import FieldFile


def thumb_url(
    storage: str,
    path: "FieldFile | str",
    size: str,
    *,
    filters: str = "",
    name: str | None = None,
    lifetime: float | None = None,
) -> str:
    """The URL of a thumbnail: percent-encoded, signed if the storage has a secret.

    It begins with the configuration's `url_prefix`, else with the path of the include. `path` is the key of an
    original, or the file of a model. `size` and `filters` are spelled as in a URL (`400x300`,
    `format(webp);quality(70)`). `name` is the download name. After `lifetime` seconds, the URL is answered with 410.
    Raises `UnknownStorage`, or the `ThumbError` that the URL would be answered with.
    """
    current = urls()
    prepared, expires = current.from_text(storage, size, filters)
    file = file_of(path)
    if file is None:
        raise BadPath
    _, key = place_of(current, file, path, storage)
    try:
        extras = extras_of(file, lifetime=lifetime, name=name)
    except WrongSpec as error:
        raise BadFilter(str(error)) from None
    # What the row has beside its file is not in the text of the filters: the caller decides all of a URL.
    extras = extras._replace(focus=None, version=None, expires=extras.expires or expires)
    return prepared.url(current.mount(prepared.policy), key, extras)[0]
