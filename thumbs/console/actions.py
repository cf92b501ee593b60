"""The actions of the console: each does its work, and returns the sentence for the user and for the admin's log."""

from dataclasses import dataclass

from thumbs.errors import ThumbError
from thumbs.site.clearing import clear
from thumbs.site.humanize import count_of, file_size
from thumbs.site.links import UnknownStorage
from thumbs.site.purging import NotPurged, purge


@dataclass(frozen=True, slots=True)
class Outcome:
    """`sentence` says what was done, or why it failed."""

    sentence: str
    is_done: bool


def purge_original(storage: str, key: str) -> Outcome:
    """Drop all thumbnails of one original."""
    try:
        count = purge(storage, key)
    except UnknownStorage as error:
        return Outcome(str(error), is_done=False)
    except ThumbError as error:
        return Outcome(f"{key}: {error.detail}", is_done=False)
    except (NotPurged, OSError) as error:
        return Outcome(f"{key} of {storage} may still be served: {_reason(error)}", is_done=False)
    entries = count_of(count, "entry", "entries")
    return Outcome(f"Purged {key} of {storage}: {entries} of this process and on disk.", is_done=True)


def clear_storage(storage: str) -> Outcome:
    """Drop all thumbnails of one storage."""
    try:
        cleared = clear(storage)
    except UnknownStorage as error:
        return Outcome(str(error), is_done=False)
    except (NotPurged, OSError, ValueError) as error:
        return Outcome(f"Thumbnails of {storage} may still be served: {_reason(error)}", is_done=False)
    entries = count_of(cleared.entries, "entry", "entries")
    freed = f", {file_size(cleared.freed)} of disk" if cleared.freed else ""
    return Outcome(f"Cleared {storage}: {entries} of this process and on disk{freed}.", is_done=True)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
