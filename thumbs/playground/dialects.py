"""URLs of other image servers: what a pasted one becomes here, or why it becomes nothing. The data of `--explain`."""

from typing import NamedTuple
from urllib.parse import urlsplit

from thumbs.playground.links import mount_of
from thumbs.site.dialect_urls import explain_dialect
from thumbs.site.explain import Explanation, explain_translated
from thumbs.site.links import mount
from thumbs.wiring.process import current


class Place(NamedTuple):
    """A dialect of the configuration: its name, and the path of this server below which its URLs are."""

    name: str
    path: str


def places() -> list[Place]:
    """The dialects of the configuration, in its order."""
    before = mount_of("").rstrip("/")
    return [Place(conf.dialect, before + conf.path) for conf in current().read.dialects]


def explained(url: str) -> Explanation | None:
    """The explanation of a URL of a dialect, with or without scheme and host; None for another URL.

    It may begin where this server has its thumbnails, or where `url_prefix` says that clients find them.
    """
    if not current().read.dialects:
        return None
    prefixes = dict.fromkeys((mount_of(""), urlsplit(mount()).path or "/"))
    found = (explain_dialect(url.strip(), prefix) for prefix in prefixes)
    translated = next((each for each in found if each is not None), None)
    return None if translated is None else explain_translated(translated)


def described(explanation: Explanation) -> dict[str, object]:
    """The explanation as the script of the page takes it: `refusal` says why the URL becomes nothing."""
    error = explanation.error
    return {
        "url": explanation.url,
        "lines": explanation.lines,
        "refusal": "" if error is None else f"{error.status}: {error.detail}",
    }
