"""A Django storage that fails as some do: its errors and its `repr` contain its arguments."""

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class LeakyStorage(FileSystemStorage):
    """`password` is in what `open` raises; with `refuses`, in what making one raises already."""

    def __init__(self, location: str, password: str, *, refuses: bool = False) -> None:
        super().__init__(location=location)
        self._url = f"ftp://canary-user:{password}@127.0.0.1:1/"
        if refuses:
            raise ValueError(f"cannot log in with {password!r}")

    def __repr__(self) -> str:
        return f"LeakyStorage({self._url})"

    def open(self, name: str, mode: str = "rb") -> File:  # type: ignore[type-arg]  # noqa: ARG002
        raise OSError(f"cannot open {name} at {self._url}") from ValueError(f"{self!r} has password={self._url}")
