"""A disk store in a directory of its own, and what lies in it."""

from pathlib import Path

from thumbs.cache.filestore.store import Found


def disk_bytes(directory: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in [directory, *directory.rglob("*")])


def entry_files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.entry"))


def payload(found: Found | None) -> bytes | None:
    return None if found is None else bytes(found.payload)
