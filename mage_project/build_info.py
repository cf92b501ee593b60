"""The versions of Mage and of what it depends on, for Prometheus."""

import platform
from collections.abc import Mapping

import django

from thumbs import __version__
from thumbs.conf import installation


def libvips() -> str:
    """The version of libvips; `unknown` until another caller has found it, which takes a process of its own."""
    found = installation.known()
    return str(found) if isinstance(found, installation.Libvips) else "unknown"


def build_info() -> Mapping[str, str]:
    """The labels of `mage_build_info`; a version that cannot be determined is `unknown`."""
    libvips = installation.libvips()
    version, origin, mode = "unknown", "unknown", "unknown"
    if isinstance(libvips, installation.Libvips):
        version, origin, mode = installation.dotted(libvips.version), libvips.origin, libvips.mode
    return {
        "version": __version__,
        "python": platform.python_version(),
        "django": django.get_version(),
        "libvips": version,
        "libvips_origin": origin,
        "libvips_mode": mode,
    }
