"""Descriptors above those of the standard streams, which a server may have closed; a child has its own there."""

import fcntl
import os
import socket

_LAST_STANDARD = 2  # stderr


def high(channel: socket.socket) -> socket.socket:
    """`channel` with a descriptor above those of the standard streams, which a server may have closed."""
    if channel.fileno() > _LAST_STANDARD:
        return channel
    moved = socket.socket(fileno=high_descriptor(channel.fileno(), close=False))
    channel.close()
    return moved


def high_descriptor(descriptor: int, *, close: bool = True) -> int:
    """`descriptor`, or where it is that of a standard stream a copy above, and `descriptor` is closed if `close`.

    No program that is started inherits the copy. Raises `OSError` where this process may open no more.
    """
    if descriptor > _LAST_STANDARD:
        return descriptor
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _LAST_STANDARD + 1)
    if close:
        os.close(descriptor)
    return moved
