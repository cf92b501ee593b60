"""The samples for which the browser is no reference, and why; Chromium 156. Only their status is compared."""

import fnmatch
from collections.abc import Iterable

# Patterns of names, the status of Mage, the reason.
KNOWN: tuple[tuple[str, int, str], ...] = (
    (
        "avif/icc-broken-*",
        200,
        "Chromium shows no AVIF with a damaged profile; in other formats it ignores the profile",
    ),
    ("avif/*-soft-alpha.avif", 200, "Chromium reads every alpha as limited range, although its AV1 data says full"),
    ("cut-*/*", 422, "Chromium shows what there is of a file that was cut off, the rest gray or transparent"),
    ("gif/no-frames.gif", 422, "Chromium shows an empty canvas of a GIF without any frame"),
    ("jpeg/cmyk*.jpg", 200, "Chromium converts CMYK without a profile by a plain formula"),
    ("odd-jpeg/*-*-end.jpg", 200, "Chromium leaves the last rows of a JPEG without its end marker empty"),
    (
        "odd-webp/*-size-large.webp",
        422,
        "Chromium shows an empty picture of a WebP that is shorter than it says, and waits for the rest",
    ),
    ("orientation/[2-8].webp", 200, "Chromium ignores the orientation of a WebP"),
    ("png-*/cicp-*-matrix-*.png", 200, "Chromium shows no PNG whose cICP has a matrix, which PNG does not allow"),
)


def expected(names: Iterable[str]) -> dict[str, int]:
    """The names among `names` that are known, with their status."""
    return {name: status for name in names for pattern, status, _ in KNOWN if fnmatch.fnmatchcase(name, pattern)}
