"""The grammar of thumbnail URLs: `parse` and `build` side by side, as inverses.

    path    = "/" storage "/thumbs/" [ signature "/" ] target
    target  = size "/" [ filters "/" ] key [ "/as/" name "." extension ]
    size    = [ side ] "x" [ side ]
    filters = ( "filters:" / "f:" ) filter *( ";" filter )
    filter  = name [ "(" arguments ")" ]

Everything here works on the decoded path. Two kinds of keys are ambiguous. A key whose first segment looks like filters
needs a filters segment before it; `build` adds one. A key that ends in `/as/{name}` needs a download name after it;
`build` refuses it without one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from thumbs.errors import BadFilter, BadPath, BadRequest, BadSize, SignatureMissing, SignatureUnexpected
from thumbs.image.outputs import output_of_name
from thumbs.image.transforms import Transform
from thumbs.request.filters import build_filters, parse_filters

STORAGE = re.compile(r"[a-z0-9][a-z0-9_-]*")
SIZE = re.compile(r"([1-9][0-9]{0,8})?x([1-9][0-9]{0,8})?")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
PREFIXES = ("filters:", "f:")
MAX_SEGMENT_BYTES = 255  # NAME_MAX of every file system in use
MAX_PATH_BYTES = 1024  # the longest key of S3

BAD_NAME = (
    "After /as/ comes one name with the extension of an output format: jpg, jpeg, png, webp, avif, jxl, gif or json."
)
_TWO_FORMATS = "format() and the extension after /as/ name different formats."


_NO_PRESETS: "Mapping[str, Preset]" = {}


class Naming(Protocol):
    """How the paths of a storage name originals, where a path is not the key itself. Wrong ones raise ValueError."""

    def canonical(self, path: str) -> str:
        """The key of the original that the decoded `path` of a URL names."""

    def path(self, source: str) -> str:
        """The decoded path that names `source`: a URL, or a path."""

    def path_behind(self, prefix: str, source: str) -> str:
        """The decoded path that names `source`, a URL or a path that `prefix` begins."""

    def named(self, path: str) -> str:
        """The part of `path` whose extension is that of the file."""


class Address(NamedTuple):
    """A path split only as far as its signature needs; nothing else of it is parsed before it is verified."""

    storage: str
    signature: str | None
    target: str

    @property
    def message(self) -> str:
        """The string that is signed."""
        return f"/{self.storage}/thumbs/{self.target}"


@dataclass(frozen=True, slots=True)
class Target:
    """The request within a storage. `expires` is Unix seconds, `name` the download name with its extension."""

    path: str
    transform: Transform
    name: str | None = None
    expires: int | None = None

    def __post_init__(self) -> None:
        check_path(self.path)
        if self.name is not None and self.transform.format != format_of_name(self.name):
            raise BadFilter(_TWO_FORMATS)


@dataclass(frozen=True, slots=True)
class Preset:
    """A size and filters that URLs use by a name. Make it with `preset`."""

    size: str
    fields: Mapping[str, object]
    transform: Transform


def preset(size: str = "x", spelled: str = "") -> Preset:
    """The preset of a size and filters in URL syntax.

    Raises `BadSize` or `BadFilter`, also for `preset`, `version` and `expires`, which no preset may hold: with a
    version, URLs that carry none would be immutable, and another version would change none of them.
    """
    fields = parse_filters(spelled) if spelled else {}
    for name in ("preset", "version", "expires"):
        if name in fields:
            raise BadFilter(f"A preset cannot have {name}: it belongs in a URL.")
    return Preset(size, fields, _transform(size, fields))


def split(path: str) -> tuple[str, str]:
    """The storage name and the path after `/thumbs/`. Raises `BadRequest` for a path that is not a thumbnail's."""
    parts = path.split("/", 3)
    if len(parts) != 4 or parts[0] or parts[2] != "thumbs":
        raise BadRequest
    return parts[1], parts[3]


def address(storage: str, rest: str, *, signed: bool) -> Address:
    """Split the signature off `rest`, the path after `/thumbs/`; without `signed` there must be none.

    Raises `SignatureMissing` or `SignatureUnexpected`, and `BadSize` when neither the first nor the second segment is
    a size.
    """
    first, _, after = rest.partition("/")
    is_size = SIZE.fullmatch(first) is not None
    if signed:
        if is_size:
            raise SignatureMissing
        return Address(storage, first, after)
    if is_size:
        return Address(storage, None, rest)
    if SIZE.fullmatch(after.partition("/")[0]):
        raise SignatureUnexpected
    raise BadSize


def parse(target: str, presets: Mapping[str, Preset] = _NO_PRESETS) -> Target:
    """Parse a target and expand its preset. Raises `BadSize`, `BadFilter` or `BadPath`."""
    size, _, rest = target.partition("/")
    spelled: str | None = None
    if rest.startswith(PREFIXES):
        spelled, _, rest = rest.partition("/")
        spelled = spelled.partition(":")[2]
    path, name = split_name(rest)
    return compose(size, spelled, path, name, presets=presets)


def compose(
    size: str, spelled: str | None, path: str, name: str | None = None, *, presets: Mapping[str, Preset] = _NO_PRESETS
) -> Target:
    """The target of its parts. `spelled` is the text after `filters:`, None without filters.

    Filters in the URL override those of a preset, and so does any size but `x`. Raises as `parse` does.
    """
    transform, expires = expand(size, spelled, presets)
    return Target(path, _with_format_of(name, transform), name, expires)


def expand(size: str, spelled: str | None, presets: Mapping[str, Preset] = _NO_PRESETS) -> tuple[Transform, int | None]:
    """The transform of a size and filters, and when the URL expires. Raises `BadSize` or `BadFilter`."""
    changes = {} if spelled is None else parse_filters(spelled)
    expires, preset_name = changes.pop("expires", None), changes.pop("preset", None)
    if preset_name is not None:
        found = presets.get(str(preset_name))
        if found is None:
            raise BadFilter("There is no preset of this name.")
        changes = {**found.fields, **changes}
        size = found.size if size == "x" else size
    return _transform(size, changes), expires  # type: ignore[return-value]


def _transform(size: str, fields: Mapping[str, object]) -> Transform:
    sides = SIZE.fullmatch(size)
    if sides is None:
        raise BadSize
    width, height = (int(side) if side else None for side in sides.groups())
    try:
        return Transform(width=width, height=height, **fields)  # type: ignore[arg-type]
    except ValueError:
        raise BadFilter("These filters do not go together.") from None


def looks_named(path: str) -> bool:
    """Whether a URL of this key needs a download name, because the end of the key would be read as one."""
    return split_name(path)[1] is not None


def build(target: Target) -> str:
    """The canonical text of `target`; `parse` is its inverse.

    Raises `BadPath` for a key that ends in `/as/{name}` when there is no download name: it would be parsed as one.
    """
    transform = target.transform
    if target.name is None and looks_named(target.path):
        raise BadPath
    spelled = build_filters(replace(transform, format=None) if target.name else transform, expires=target.expires)
    if not spelled and target.path.startswith(PREFIXES):
        spelled = "fit(cover)"
    parts = [f"{transform.width or ''}x{transform.height or ''}"]
    if spelled:
        parts.append(PREFIXES[0] + spelled)
    parts.append(target.path)
    if target.name is not None:
        parts.append(f"as/{target.name}")
    return "/".join(parts)


def check_path(path: str, *, max_segment_bytes: int = 0) -> None:
    """Raise `BadPath` unless `path` is a key that means the same in every storage.

    `max_segment_bytes` is the longest segment of the storage, 0 for no limit.
    """
    try:
        whole = path.encode()
    except UnicodeEncodeError:
        raise BadPath from None
    if not whole or len(whole) > MAX_PATH_BYTES or "\\" in path or CONTROL.search(path):
        raise BadPath
    for segment in path.split("/"):
        if segment in ("", ".", ".."):
            raise BadPath
        if max_segment_bytes and len(segment.encode()) > max_segment_bytes:
            raise BadPath


def split_name(rest: str) -> tuple[str, str | None]:
    """The key and the download name, if there is one, of what comes after size and filters."""
    path, separator, name = rest.rpartition("/as/")
    return (path, name) if separator and "/" not in name else (rest, None)


def format_of_name(name: str) -> str:
    """The output format that a download name's extension stands for. Raises `BadFilter` or `BadPath`."""
    named = output_of_name(name)
    check_path(name, max_segment_bytes=MAX_SEGMENT_BYTES)
    if named is None or "/" in name or name.startswith("."):
        raise BadFilter(BAD_NAME)
    return named


def _with_format_of(name: str | None, transform: Transform) -> Transform:
    if name is None or transform.format is not None:
        return transform
    return replace(transform, format=format_of_name(name))
