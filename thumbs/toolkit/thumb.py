"""`thumb`: one thumbnail of a picture of the site, as its URL, size and type. It asks no storage, database or cache."""

import logging
import time
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.utils.safestring import SafeString

from thumbs.errors import ThumbError
from thumbs.image.outputs import JSON_TYPE
from thumbs.site.links import UnknownStorage, policy_of
from thumbs.toolkit.elements import element, img_attributes
from thumbs.toolkit.errors import NoThumbnail, WrongSpec
from thumbs.toolkit.files import File, file_of, version_text
from thumbs.toolkit.placeholders.background import with_placeholder
from thumbs.toolkit.prepared import NO_EXTRAS, Extras, Prepared, Size
from thumbs.toolkit.urls import Urls, urls

if TYPE_CHECKING:
    from django.db.models.fields.files import FieldFile
    from django.http import HttpRequest

logger = logging.getLogger("thumbs")
_MAX_LIFETIME = 100 * 366 * 86400.0  # seconds
_MOST_NAMES = 1000
_MOST_CHARACTERS = 300  # of a name that is logged and remembered
_MAY_BE_UNKNOWN = ("width", "height", "content_type")
_logged: set[str] = set()
NO_PICTURE = "format(json) gives data about a picture, and no element shows them: use the URL that thumb gives."


class Thumb:
    """A thumbnail. Without a picture it is false, and its URL is empty. Not to be changed."""

    __slots__ = ("_content_type", "_placeholder", "_prepared", "_source", "_url")

    def __init__(
        self,
        url: str = "",
        content_type: str | None = None,
        prepared: Prepared | None = None,
        source: Size | None = None,
        placeholder: object = None,
    ) -> None:
        self._url = url
        self._content_type = content_type
        self._prepared = prepared
        self._source = source
        self._placeholder = placeholder

    @property
    def url(self) -> str:
        """The URL, percent-encoded and signed; empty without a picture."""
        return self._url

    @property
    def content_type(self) -> str | None:
        """The media type; None where the client's `Accept` decides it."""
        return self._content_type

    @property
    def width(self) -> int | None:
        """Pixels of the thumbnail; None when they cannot be known without reading the original."""
        return self._size[0]

    @property
    def height(self) -> int | None:
        """Pixels of the thumbnail; None when they cannot be known without reading the original."""
        return self._size[1]

    def absolute(self, request: "HttpRequest | None" = None) -> str:
        """The URL with scheme and host: those of `url_prefix`, else of the request.

        Raises ImproperlyConfigured without both.
        """
        if not self.url or urlsplit(self.url).scheme:
            return self.url
        if request is None:
            raise ImproperlyConfigured(
                "An absolute URL needs the request, or a THUMBS['URL_PREFIX'] such as https://img.example.com/."
            )
        return request.build_absolute_uri(self.url)

    def img(self, alt: object = "", *, priority: object = False, **attributes: object) -> SafeString:
        """An `<img>` with width and height where they are known; empty without a picture. `priority` loads it eagerly.

        Its background is the placeholder that the row holds; not with `placeholder=False`. Raises `WrongSpec` for data.
        """
        if not self.url:
            return SafeString("")
        if self.content_type == JSON_TYPE:
            raise WrongSpec(NO_PICTURE)
        shown = with_placeholder(img_attributes(alt, attributes, priority=priority), self._placeholder)
        return element("img", {"src": self.url, **size_attributes(self, shown), **shown})

    # A class with `__getitem__` alone could be iterated over.
    __iter__ = None

    def __getitem__(self, name: str) -> object:
        """For templates of Django, which look here first: what is unknown is empty there, as everywhere in them.

        Raises KeyError for all others, and templates take the attribute then.
        """
        if name in _MAY_BE_UNKNOWN and getattr(self, name) is None:
            return ""
        raise KeyError(name)

    @property
    def _size(self) -> tuple[int | None, int | None]:
        size = None if self._prepared is None else self._prepared.size(self._source)
        return size or (None, None)

    def __bool__(self) -> bool:
        return bool(self.url)

    def __str__(self) -> str:
        return self.url

    def __html__(self) -> SafeString:
        return SafeString(escape(self.url))

    def __repr__(self) -> str:
        return f"Thumb({self.url!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thumb) and (self.url, self.content_type) == (other.url, other.content_type)

    def __hash__(self) -> int:
        return hash(self.url)


NONE = Thumb()


def size_attributes(image: Thumb, given: Mapping[str, object]) -> dict[str, object]:
    """`width` and `height` of an `<img>`, where both are known and the caller has given neither."""
    width, height = image.width, image.height
    if width is None or height is None or "width" in given or "height" in given:
        return {}
    return {"width": width, "height": height}


def stand_in(empty: str, attributes: Mapping[str, object]) -> SafeString:
    """An `<img>` of the static file `empty`, for a source without a picture."""
    return element("img", {"src": static(empty), **with_placeholder(attributes, None)})


def thumb(
    source: "FieldFile | str | None",
    spec: str = "x",
    /,
    *,
    storage: str | None = None,
    version: object = None,
    lifetime: float | None = None,
    name: str | None = None,
    **options: object,
) -> Thumb:
    """A thumbnail of `source`: the file of a model, or the key of an original in `storage`.

    `spec` is a preset, a size, or both: `card`, `400x300`, `card 800x`. `options` are filters by name. `version` is a
    datetime, a number or a text that changes with the picture. `lifetime` is seconds after which the URL is refused.
    `name` is the download name.

    A file gives its storage, and what the fields beside it hold. What no thumbnail can be made of gives a false one and
    a line in the log. Raises `WrongSpec` or `UnknownStorage` for a mistake in the code, and `NoThumbnail` for wrong
    data with `THUMBS["STRICT"]`.
    """
    current = urls()
    file = file_of(source)
    if file is None:
        current.check(spec, options, storage)
        return nothing(current, "", "a blank source")
    served_by, key = place_of(current, file, source, storage)
    prepared = current.prepared(served_by, spec, options)
    extras = extras_of(file, version=version, lifetime=lifetime, name=name)
    try:
        url, content_type = prepared.url(current.mount(prepared.policy), key, extras)
    except ThumbError as error:
        return nothing(current, file.name, error.detail)
    return Thumb(url, content_type, prepared, file.size, file.placeholder)


def place_of(current: Urls, file: File, source: object, storage: str | None) -> tuple[str, str]:
    """The storage that serves `file`, or that was named, and the key there; an empty key for a name it cannot serve.

    Of several storages that serve it, a private one.

    Raises `UnknownStorage`.
    """
    if file.held_by is None:
        if storage is not None:
            policy_of(storage)
            return storage, file.name
        found = current.default()
    else:
        found = current.serving(file.held_by, storage)
    for name, served in found:
        key = served.path(file.name)
        if key is not None:
            return name, key
    if found:
        return found[0][0], ""
    if storage is not None:  # a copy of the site's files, which the site knows about
        policy_of(storage)
        return storage, file.name
    raise UnknownStorage(_not_served(current, source))


def extras_of(file: File, *, version: object = None, lifetime: float | None = None, name: str | None = None) -> Extras:
    """What a URL has of the file's row and of one call. Raises `WrongSpec` for a lifetime that is none."""
    expires = None
    if lifetime is not None:
        if not isinstance(lifetime, int | float) or not 0 < lifetime < _MAX_LIFETIME:
            raise WrongSpec("A lifetime is a number of seconds, more than 0 and less than a hundred years.")
        expires = int(time.time() + lifetime)
    version = file.version if version is None else version
    if version is None and name is None and expires is None and file.focus is None:
        return NO_EXTRAS
    name = None if name is None else str(name) or None  # blank as well as None, as everywhere in data
    return Extras(file.focus, version_text(version), name, expires, file.size)


def nothing(current: Urls, name: str, reason: str) -> Thumb:
    """The false thumbnail; one log line for each name. Raises `NoThumbnail` with `THUMBS["STRICT"]`."""
    if current.strict:
        raise NoThumbnail(f"There is no thumbnail of {name!r}: {reason}")
    start = name[:_MOST_CHARACTERS]
    if start and start not in _logged:
        if len(_logged) >= _MOST_NAMES:
            _logged.clear()
        _logged.add(start)
        logger.warning("there is no thumbnail of %r: %s", start, reason)
    return NONE


def _not_served(current: Urls, source: object) -> str:
    field = getattr(source, "field", None)
    storage = type(getattr(source, "storage", None)).__name__
    names = ", ".join(current.current.policies) or "none"
    return f"No storage of THUMBS serves the files of {field or 'this file'} ({storage}). The storages are: {names}."
