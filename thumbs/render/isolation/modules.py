"""The files that Python and the dynamic linker need to import the renderer, and which libvips they found."""

import ctypes
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# The package `thumbs`.
_OWN = Path(__file__).parents[2]
# pyvips, and what it imports. Each may be a package or one file. pycparser is for pyvips without its extension module.
_MODULES = ("pyvips", "_libvips", "cffi", "_cffi_backend", "pycparser")
# Optional codecs, and what they import.
_OPTIONAL = ("simplejpeg", "imagecodecs", "numpy", "pillow_heif", "_pillow_heif", "PIL")
# Wheels keep the libraries that they bring beside their modules: auditwheel calls the directory `{distribution}.libs`.
_BUNDLED = ("pyvips_binary.libs", "cffi.libs")
_OPTIONAL_BUNDLED = ("simplejpeg.libs", "imagecodecs.libs", "numpy.libs", "pillow_heif.libs", "pillow.libs")
# libvips of the system, and libraries that the wheels do not bring.
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")


def import_paths() -> Iterator[Path]:
    """Directories and files. A directory of packages is not among them: only the packages that are needed are.

    It also makes Python list the directories of packages, which it remembers: later it may not.
    """
    yield from (Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))
    yield _OWN
    for name in (*_MODULES, *_OPTIONAL):
        spec = importlib.util.find_spec(name)
        if spec is not None:
            places = spec.submodule_search_locations or [spec.origin or ""]
            for place in map(Path, places):
                yield place
                yield from (place.parent / folder for folder in (*_BUNDLED, *_OPTIONAL_BUNDLED))
    yield from map(Path, _LIBRARIES)


def fstat_is_newfstatat() -> bool:
    """Whether libvips and its libraries make newfstatat where they call fstat. Call it after importing pyvips.

    glibc 2.33 to 2.38 does so (its release notes of 2.39 say no more), for libraries that were built against 2.33 or
    later. Those of pyvips-binary are built against 2.28, whose fstat is another symbol.
    """
    name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    if name != "glibc":
        return False
    release = tuple(int(part) for part in version.split(".")[:2])
    return (2, 33) <= release <= (2, 38) and not _is_bundled()


def _is_bundled() -> bool:
    """Whether the loaded libvips is that of pyvips-binary."""
    extension = sys.modules.get("_libvips")
    if extension is None or extension.__file__ is None:
        return False
    # The path of the library that has a function of libvips (dladdr(3)).
    function = ctypes.cast(ctypes.CDLL(extension.__file__).vips_version, ctypes.c_void_p)
    found = _DlInfo()
    if not ctypes.CDLL(None).dladdr(function, ctypes.byref(found)) or not found.file:
        return False
    return Path(os.fsdecode(found.file)).parent.name in _BUNDLED


class _DlInfo(ctypes.Structure):
    """A Dl_info."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )
