"""What the names mean that a storage's `listdir` returns: most storages give the names of a directory, some whole keys.

`AzureStorage` of django-storages gives the keys of all files below a directory, at any depth. Those include its
`location`, and for the root they are of the whole container.
"""

from collections.abc import Iterable

from django.core.files.storage import Storage

from thumbs.sources.listing import is_plain


def names_below(storage: Storage, directory: str, names: Iterable[str]) -> list[str]:
    """`names` from `directory` on; one that is deeper has slashes. Left out are names that no path can have.

    `names` are the directories, or the files, that `storage.listdir(directory)` has returned.
    """
    names = [name.rstrip("/") for name in names]
    below = f"{directory}/" if directory else ""
    starts: tuple[str, ...] = ("",)
    if _gives_keys(storage):
        starts = (_location(storage) + below,)
    elif any("/" in name for name in names):
        starts = (_location(storage) + below, below)
    found = (_after(name, starts) for name in names)
    return [name for name in found if all(map(is_plain, name.split("/")))]


def _gives_keys(storage: Storage) -> bool:
    """Whether this is `AzureStorage`. At the root, its keys cannot be told from the names of files there."""
    return hasattr(storage, "list_all")


def _location(storage: Storage) -> str:
    """The start of all keys of the storage in its bucket or container."""
    location = getattr(storage, "location", "")
    stripped = location.strip("/") if isinstance(location, str) else ""
    return f"{stripped}/" if stripped else ""


def _after(name: str, starts: Iterable[str]) -> str:
    """What follows the first of `starts` that `name` has; empty where it has none."""
    return next((name.removeprefix(start) for start in starts if name.startswith(start)), "")
