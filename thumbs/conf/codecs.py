"""Which codecs there are: those of libvips, and those that optional packages add. Nothing is imported or loaded.

pyvips-binary has neither libjxl nor a decoder of HEVC. Another libvips may have libjxl: a process of its own looks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from thumbs import extras
from thumbs.conf import installation
from thumbs.image.formats import FORMATS
from thumbs.problems import Problem

LIBVIPS = "libvips"
JXL, HEIC = "jxl", "heic"
# libjpeg-turbo reads what it can of this format, libvips the rest.
JPEG, TURBO = "jpeg", "turbo"


@dataclass(frozen=True, slots=True)
class Codecs:
    """What reads and what writes each format: `libvips`, or the name of a package. A format without one is left out.

    A package that reads leaves to libvips what it cannot read.
    """

    readers: Mapping[str, str]
    writers: Mapping[str, str]

    def described(self) -> Mapping[str, Mapping[str, str]]:
        """For each format what reads and what writes it, under `read` and `write`."""
        both = {"read": self.readers, "write": self.writers}
        return {name: {way: found[name] for way, found in both.items() if name in found} for name in FORMATS}

    def optional_writers(self) -> Mapping[str, str]:
        """Those of the formats that not every server can write."""
        return {name: writer for name, writer in self.writers.items() if FORMATS[name].extra is not None}


def codecs() -> Codecs:
    """The codecs of a process like this one. While the libvips of the system is unknown, none is known to be its."""
    if _is_bundled():
        return _codecs(libvips_has_jxl=False)
    found = installation.libvips()
    return _codecs(libvips_has_jxl=isinstance(found, installation.Libvips) and found.jxl)


def forget() -> None:
    """Let the next call of `codecs` look anew at what is installed."""
    _is_bundled.cache_clear()
    _codecs.cache_clear()


@cache
def _is_bundled() -> bool:
    return installation.bundled_version() is not None


@cache
def _codecs(*, libvips_has_jxl: bool) -> Codecs:
    fixed = {name: LIBVIPS for name, row in FORMATS.items() if row.extra is None}
    jxl = {JXL: LIBVIPS} if libvips_has_jxl else _of_package(JXL)
    turbo = {JPEG: extras.PACKAGES[TURBO][0]} if extras.is_installed(TURBO) else {}
    readers = {**fixed, **turbo, **jxl, **_of_package(HEIC)}
    return Codecs(readers, {name: writer for name, writer in {**fixed, **jxl}.items() if FORMATS[name].output})


def missing_reader(name: str, where: str) -> Iterator[Problem]:
    """The problem at the key `where` if nothing is installed that reads this format."""
    extra = FORMATS[name].extra
    if extra is not None and name not in codecs().readers:
        yield from extras.missing(where, f"the input format {name}", extra)


def missing_writer(name: str | None, where: str) -> Iterator[Problem]:
    """The problem at the key `where` if nothing is installed that writes this format."""
    row = FORMATS.get(name or "")
    if row is not None and row.extra is not None and row.name not in codecs().writers:
        yield from extras.missing(where, f"the output format {row.name}", row.extra)


def _of_package(name: str) -> dict[str, str]:
    extra = FORMATS[name].extra or ""
    return {name: extras.PACKAGES[extra][0]} if extras.is_installed(extra) else {}
