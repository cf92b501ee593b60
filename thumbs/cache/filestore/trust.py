"""The trust rule: a directory or file is used only if no user but root and that of this process can have written it.

The open descriptor is checked, and names in a directory are opened relative to it. So replacing a path between check
and use has no effect. Root may use the directory of another user, with files of that user or of root in it. Files that
root makes there are given to that user.
"""

import errno
import os
import shlex
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600
_PARENT_DIRECTORY = 0o755
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
# O_NONBLOCK: opening must not wait for the other end of a FIFO, or for a process with a lease on the file (fcntl(2)).
_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | _OPEN
_NO_FILE = (errno.ELOOP, errno.ENXIO)  # the errors of opening a symbolic link and a socket
_MAX_LINKS = 8
_LINK = getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC | os.O_NOFOLLOW  # without it, opening a link fails
_CHECK_SECONDS = 1.0  # how long a check of the directory is valid for reading


class Untrusted(PermissionError):
    """Another user owns this or may write to it. `remedy` says what to do, with a command where there is one."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(errno.EACCES, what)
        self.remedy = remedy

    def __str__(self) -> str:
        return str(self.strerror)


def is_private(status: os.stat_result, owners: Collection[int]) -> bool:
    """Whether a file with this `status` belongs to one of `owners` (user ids), and no other user may write to it."""
    return status.st_uid in owners and not status.st_mode & _OTHERS_MAY_WRITE


def require_private(status: os.stat_result, path: Path, owners: Collection[int]) -> None:
    """Raise Untrusted, with the name `path`, unless `is_private`."""
    if is_private(status, owners):
        return
    mode, quoted = stat.S_IMODE(status.st_mode), shlex.quote(str(path))
    # In another user's directory, which root may use as it is, the right owner is that user, not root.
    owner = os.geteuid() or min(set(owners) - {0}, default=0)
    commands = [] if status.st_uid in owners else [f"chown {owner} {quoted}"]
    if mode & _OTHERS_MAY_WRITE:
        commands.append(f"chmod go-w {quoted}")
    allowed = " or ".join(f"user {each}" for each in sorted({0, owner}, reverse=True))
    raise Untrusted(
        f"{path} is owned by user {status.st_uid} with mode {mode:04o}; "
        f"only {allowed} may own it, and no other user may write to it",
        f"Empty or remove it, or where its contents are yours, run: {' && '.join(commands)}",
    )


@dataclass(frozen=True, slots=True)
class OpenDirectory:
    """An open directory that is private. `owners` are the users whose files in it may be used."""

    fd: int
    path: Path
    status: os.stat_result
    owners: frozenset[int]

    def open(self, name: str, flags: int) -> int:
        """A descriptor of the regular file `name`. Raises Untrusted for anything else, and OSError."""
        try:
            fd = os.open(name, flags | _OPEN, PRIVATE_FILE, dir_fd=self.fd)
        except OSError as error:
            if error.errno in _NO_FILE:
                raise _not_regular(self.path / name) from error
            if isinstance(error, PermissionError):
                self.require_private([name])  # a better error, if owner or mode are the cause
            raise
        return self._checked(fd, name, stat.S_ISREG)

    def open_directory(self, name: str, *, create: bool = False) -> tuple[int, bool]:
        """A descriptor of the directory `name`, and whether this call made it. Raises as `open`."""
        made = False
        if create:
            with suppress(FileExistsError):
                os.mkdir(name, PRIVATE_DIRECTORY, dir_fd=self.fd)
                made = True
        return self._checked(os.open(name, _DIRECTORY, dir_fd=self.fd), name, stat.S_ISDIR), made

    def require_private(self, names: Iterable[str]) -> None:
        """Raise Untrusted for the first of `names` that is not private, without opening it."""
        for name in names:
            with suppress(FileNotFoundError):
                require_private(os.stat(name, dir_fd=self.fd, follow_symlinks=False), self.path / name, self.owners)

    def _checked(self, fd: int, name: str, is_kind: Callable[[int], bool]) -> int:
        try:
            status = os.fstat(fd)
            if not is_kind(status.st_mode):
                raise _not_regular(self.path / name)
            require_private(status, self.path / name, self.owners)
            # With a hard link, `give` would change the owner of another file.
            if status.st_nlink > 1 and stat.S_ISREG(status.st_mode):
                raise _not_regular(self.path / name)
            give(fd, self.status)
        except BaseException:
            os.close(fd)
            raise
        return fd


class PrivateDirectory:
    """The directory at `path`, opened and checked at each use. Constructing does not access the disk.

    `path` may be a function, which is called at each use. `own` is for a path in a directory where any user may make
    files: a symbolic link is refused, and root may not use the directory of another user.
    """

    def __init__(self, path: Path | Callable[[], Path], *, own: bool = False) -> None:
        self._path = path
        self._own = own
        self._check_at = 0.0
        self._owners: Collection[int] = ()

    @property
    def path(self) -> Path:
        return self._path() if callable(self._path) else self._path

    @contextmanager
    def opened(self, *, create: bool = False) -> Iterator[OpenDirectory]:
        """The directory, open within the block; `create` makes it, mode 0700.

        Raises Untrusted; FileNotFoundError, NotADirectoryError or another OSError if it cannot be opened.
        """
        path, link_owners = self.path, set[int]()
        try:
            fd = self._open(path, link_owners)
        except FileNotFoundError:
            if not create:
                raise
            _make(path, PRIVATE_DIRECTORY)
            fd = self._open(path, link_owners)
        try:
            status = os.fstat(fd)
            owners = self._owners_of(status)
            if not link_owners <= owners:
                raise Untrusted(f"{path} is a symbolic link of user {max(link_owners - owners)}", _removal(path))
            require_private(status, path, owners)
            yield OpenDirectory(fd, path, status, owners)
        finally:
            os.close(fd)

    def owners(self) -> Collection[int]:
        """The users whose files in it may be used, checked at most once a second. Raises as `opened`."""
        now = time.monotonic()
        if now >= self._check_at:
            with self.opened() as directory:
                self._owners = directory.owners
            self._check_at = now + _CHECK_SECONDS
        return self._owners

    def _owners_of(self, status: os.stat_result) -> frozenset[int]:
        user = os.geteuid()
        return frozenset((0, status.st_uid if user == 0 and not self._own else user))

    def _open(self, path: Path, link_owners: set[int]) -> int:
        """A descriptor of `path`; the owners of the symbolic links on the way are added to `link_owners`."""
        for _ in range(_MAX_LINKS):
            try:
                return os.open(path, _DIRECTORY)
            except PermissionError:
                status = path.stat()
                require_private(status, path, self._owners_of(status))
                raise
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.ENOTDIR) or not path.is_symlink():
                    raise
                if self._own:
                    raise Untrusted(f"{path} is a symbolic link", _removal(path)) from error
            fd = os.open(path, _LINK)
            try:
                link_owners.add(os.fstat(fd).st_uid)
                path = path.parent / os.readlink("", dir_fd=fd)
            finally:
                os.close(fd)
        raise Untrusted(f"{path} is one of too many symbolic links", _removal(path))


@dataclass(frozen=True, slots=True)
class PrivateFile:
    """The file `name` in a directory; both must be private."""

    directory: PrivateDirectory
    name: str

    @property
    def path(self) -> Path:
        return self.directory.path / self.name

    def open(self, flags: int, *, make_directory: bool = False) -> int:
        """A descriptor of it. Raises as `PrivateDirectory.opened` and `OpenDirectory.open`."""
        with suppress(OSError):  # the fast path, for a file that exists and whose owner need not change
            owners = self.directory.owners()
            fd = os.open(self.path, flags & ~(os.O_CREAT | os.O_TRUNC) | _OPEN)
            status = os.fstat(fd)
            has_final_owner = status.st_uid != 0 or len(owners) == 1
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and has_final_owner and is_private(status, owners):
                return fd
            os.close(fd)
        with self.directory.opened(create=make_directory) as directory:
            return directory.open(self.name, flags)


def give(fd: int, directory: os.stat_result) -> None:
    """Give the open file `fd`, when root has made it, to the owner of the directory with this status."""
    if directory.st_uid != 0 == os.geteuid() and os.fstat(fd).st_uid == 0:
        with suppress(OSError):  # root may lack the permission: in a container, or on NFS
            os.fchown(fd, directory.st_uid, directory.st_gid)


def _make(path: Path, mode: int) -> None:
    """Make the directory `path`, and its missing parents with mode 0755."""
    try:
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        _make(path.parent, _PARENT_DIRECTORY)
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(FileExistsError):
            os.mkdir(path.name, mode, dir_fd=parent)
            fd = os.open(path.name, _DIRECTORY, dir_fd=parent)
            try:
                give(fd, os.fstat(parent))
            finally:
                os.close(fd)
    finally:
        os.close(parent)


def _not_regular(path: Path) -> Untrusted:
    return Untrusted(f"{path} is a link, or not of the right kind", _removal(path))


def _removal(path: Path) -> str:
    return f"Remove it: rm {shlex.quote(str(path))}"
