"""The files that fontconfig reads: its configuration, its caches and the fonts, found without a process of its own.

The rules are those of fonts-conf(5). Where this finds less than fontconfig does, text gets another font.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

# What Linux distributions and fontconfig itself use where the configuration names nothing else.
_DEFAULTS = (
    *("/etc/fonts", "/usr/share/fontconfig", "/var/cache/fontconfig", "/usr/share/fonts", "/usr/local/share/fonts"),
    *("~/.fonts", "~/.fontconfig", "~/.fonts.conf", "~/.fonts.conf.d"),
)
_CONFIG_FOLDER = "/etc/fonts"
_CONFIG_FILE = "fonts.conf"
# The base directories of the XDG specification: variable, default, and fontconfig's folder there.
_XDG = {
    "dir": ("XDG_DATA_HOME", "~/.local/share", "fonts"),
    "include": ("XDG_CONFIG_HOME", "~/.config", "fontconfig"),
    "cachedir": ("XDG_CACHE_HOME", "~/.cache", "fontconfig"),
}
# Of a directory that is included, fontconfig reads these files.
_INCLUDED = re.compile(r"[0-9].*\.conf", re.DOTALL)


@cache
def font_paths() -> tuple[Path, ...]:
    """Files and directories, without those that are not there. They are looked for once: later that is forbidden."""
    search = _Search()
    for place in _DEFAULTS:
        search.add(_expanded(place))
    for tag in _XDG:
        search.add(_xdg(tag))
    for shared in os.environ.get("XDG_DATA_DIRS", "").split(os.pathsep):
        if shared:
            search.add(Path(shared) / "fonts")
    for folder in _config_folders():
        search.read(folder / os.environ.get("FONTCONFIG_FILE", _CONFIG_FILE))
    return (*search.found, *_linked(search.found))


def _config_folders() -> list[Path]:
    named = os.environ.get("FONTCONFIG_PATH", "")
    return [*(_expanded(each) for each in named.split(os.pathsep) if each), Path(_CONFIG_FOLDER)]


def _expanded(place: str) -> Path:
    # Not Path.expanduser: a user without a home directory is no error. The path stays relative, and is left out.
    return Path(os.path.expanduser(place))  # noqa: PTH111


def _xdg(tag: str) -> Path:
    variable, default, folder = _XDG[tag]
    return _expanded(os.environ.get(variable) or default) / folder


@dataclass(slots=True)
class _Search:
    """Follows the configuration. `found` are paths that exist, `files` the configuration that was read."""

    found: dict[Path, None] = field(default_factory=dict)
    files: set[Path] = field(default_factory=set)

    def add(self, path: Path) -> None:
        # os.path.exists is false where Path.exists raises: below a directory of another user.
        if path.is_absolute() and os.path.exists(path):  # noqa: PTH110
            self.found[path] = None

    def read(self, path: Path) -> None:
        """Add a configuration file, or a directory of them, and what it names."""
        if path in self.files:
            return
        self.files.add(path)
        self.add(path)
        try:
            if os.path.isdir(path):  # noqa: PTH112 - as above
                for each in sorted(path.iterdir()):
                    if _INCLUDED.fullmatch(each.name):
                        self.read(each)
            else:
                for element in ElementTree.parse(path).getroot():  # noqa: S314 - it is the administrator's
                    self._follow(element, path)
        except (ElementTree.ParseError, OSError):
            return  # fontconfig goes on too

    def _follow(self, element: ElementTree.Element, file: Path) -> None:
        text = (element.text or "").strip()
        if element.tag not in _XDG or not text:
            return
        prefix = element.get("prefix")
        if prefix == "xdg":
            # The text begins with fontconfig's folder, but for fonts, where it may be any.
            places = [_xdg(element.tag).parent / text]
        elif prefix == "relative":
            places = [file.parent / text]
        elif element.tag == "include" and not text.startswith(("/", "~")):
            places = [folder / text for folder in (file.parent, *_config_folders())]
        else:
            places = [_expanded(text)]
        for place in places:
            self.read(place) if element.tag == "include" else self.add(place)


def _linked(folders: dict[Path, None]) -> Iterator[Path]:
    """The targets of symbolic links below `folders`: distributions link fonts of other packages there."""
    # Strings that end with a separator: hundreds of comparisons with `Path.is_relative_to` take 10 ms of each start.
    roots = tuple({os.path.join(os.path.realpath(folder), "") for folder in folders})  # noqa: PTH118
    for root in sorted(roots):
        for folder, names, files in os.walk(root):
            for path in (os.path.join(folder, name) for name in (*names, *files)):  # noqa: PTH118
                if os.path.islink(path):  # noqa: PTH114
                    target = os.path.realpath(path)
                    place = os.path.join(target, "")  # noqa: PTH118
                    # A link to a directory above is a loop: its target would open all that is there.
                    if not place.startswith(roots) and not any(root.startswith(place) for root in roots):
                        yield Path(target)
