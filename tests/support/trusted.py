"""A private directory, and how the tests of the trust rule use it."""

import os

from thumbs.cache.filestore.trust import PrivateDirectory, PrivateFile


def opened(directory: PrivateDirectory) -> None:
    with directory.opened():
        pass


def put(file: PrivateFile) -> None:
    os.close(file.open(os.O_RDWR | os.O_CREAT, make_directory=True))
