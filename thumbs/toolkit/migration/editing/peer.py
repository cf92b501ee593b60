"""What the rewriting needs to know of a package for thumbnails."""

from collections.abc import Callable
from dataclasses import dataclass

from thumbs.toolkit.migration.editing.edits import Conversion
from thumbs.toolkit.migration.editing.python_code import Module
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.editing.templates import Template, Token

# Whether a tag or filter of the peer, by its name, is the peer's own at this token.
Owns = Callable[[Token, str], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """A template to convert, with what the site's settings say, and which names are the peer's where."""

    template: Template
    site: SiteSettings
    owns: Owns


@dataclass(frozen=True, slots=True)
class Peer:
    """A package: its template libraries with their tags and filters, and the functions that convert."""

    name: str
    package: str
    libraries: frozenset[str]
    tags: frozenset[str]
    filters: frozenset[str]
    template: Callable[[Page], Conversion]
    python: Callable[[Module, SiteSettings], Conversion]

    def owns_module(self, module: str) -> bool:
        return module == self.package or module.startswith(f"{self.package}.")
