"""Files of caches in directories that a test has made."""

from pathlib import Path

from thumbs.cache.filestore.trust import PrivateDirectory, PrivateFile


def private_file(path: Path) -> PrivateFile:
    return PrivateFile(PrivateDirectory(path.parent), path.name)
