"""Reading a file whole, and never more of it than there is memory for.

A device that never ends, a pipe into which nobody writes and a file larger than the memory are refused here, for every
reader, as an ``OSError`` that says why: readers turn it into their own error, as they do when a file does not exist.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from topologies.budget import FLAG, free_bytes, limit_is_chosen, memory_limit
from topologies.units import format_bytes

TEXT_BYTES = 12  # of memory for a byte of a text file while it is taken apart: JSON and CSV of 50 MB
MOST_OF_DEVICE = 16_000_000  # bytes of what is no file and tells no size
_WAIT_S = 3.0  # for a first byte of a named pipe
_CHUNK = 1 << 20
_SMALL = 1 << 20  # bytes of a file for which there is memory wherever this runs: asking costs more than to read it


def file_bytes(path: str | Path, most_bytes: float | None = None) -> bytes:
    """The bytes of a file, of a pipe that somebody writes to, or of a device that ends.

    Parameters
    ----------
    most_bytes : float, optional
        The most that is read; what the memory has room for if absent, which holds in any case.

    Raises
    ------
    OSError
        Also when there are more bytes, nobody writes to the pipe, or it is neither a file nor a pipe.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb", buffering=0) as file:
        found = os.fstat(handle)
        is_small = stat.S_ISREG(found.st_mode) and 0 < found.st_size <= _SMALL and most_bytes is None
        is_small &= not limit_is_chosen()
        limit = 2 * _SMALL if is_small else _limit(most_bytes)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if stat.S_ISREG(found.st_mode) and found.st_size > limit:
            raise _too_large(found.st_size, limit, most_bytes)
        if stat.S_ISFIFO(found.st_mode):
            _wait_for_writer(handle, path)
        elif stat.S_ISCHR(found.st_mode):
            limit = min(limit, MOST_OF_DEVICE)
        elif not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is neither a file nor a pipe")
        if hasattr(os, "set_blocking"):
            os.set_blocking(handle, True)
        return _whole(file, limit, most_bytes)


def stdin_bytes(most_bytes: float | None = None) -> bytes:
    """All of standard input; OSError when there is more than ``most_bytes``, or than there is memory for."""
    return _whole(sys.stdin.buffer, _limit(most_bytes), most_bytes)


def _limit(most_bytes: float | None) -> float:
    fits = free_bytes(memory_limit()) / TEXT_BYTES
    return fits if most_bytes is None else min(most_bytes, fits)


def _whole(file: BinaryIO, limit: float, most_bytes: float | None) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := file.read(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > limit:
            raise _too_large(None, limit, most_bytes)
    return b"".join(parts)


def _too_large(size: float | None, limit: float, most_bytes: float | None) -> OSError:
    what = "it has no end in sight" if size is None else f"it has {format_bytes(size)}"
    reason = "" if limit in (most_bytes, MOST_OF_DEVICE) else f", for which there is memory; {FLAG} raises it"
    return OSError(errno.EFBIG, f"{what}; at most {format_bytes(limit)} are read{reason}")


def _wait_for_writer(handle: int, path: str | Path) -> None:
    """Return when there is something to read or the writer has gone; a pipe without a name has its writer."""
    if not hasattr(select, "poll") or "pipe:[" in os.path.realpath(path):
        return
    waiting = select.poll()
    waiting.register(handle, select.POLLIN | select.POLLHUP)
    if not waiting.poll(_WAIT_S * 1000):
        raise OSError(errno.ETIMEDOUT, f"nothing was written to this pipe in {_WAIT_S:g} s")
