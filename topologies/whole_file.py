"""Files that are whole or not there: written beside and renamed. Devices and pipes are written to as they are.

What is written beside a target is its part, ``.NAME.PID.part``, which its process holds by a lock. Where a process was
killed its part stays; the next that writes the same target removes it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_writing = 0


def is_writing() -> bool:
    """Whether an output is being written in this process, which an interrupt lets tidy up first."""
    return _writing > 0


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write what shall be at ``path``; it is put there when the block ends without an exception.

    A link is followed, so that it stays one. What is there and no regular file, such as ``/dev/null``, is never
    replaced.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    target = followed(path)
    if target.exists() and not target.is_file():
        yield target
        return
    with part_of(target) as beside:
        yield beside
        beside.replace(target)


def followed(path: Path) -> Path:
    """What a path leads to by its links; OSError where they lead nowhere."""
    try:
        return path.resolve()
    except RuntimeError:  # how Python before 3.13 says it
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


@contextmanager
def part_of(target: Path, *, folder: bool = False, inside: bool = False) -> Iterator[Path]:
    """An empty file or folder beside ``target``, or inside of it, locked; what is left of it is removed at the end."""
    global _writing
    above = target if inside else target.parent
    remove_left_over(target, above)
    beside = above / f".{target.name}.{os.getpid()}.part"
    ours, lock = True, -1
    _writing += 1
    try:
        try:
            if folder:
                beside.mkdir()
            lock = os.open(beside, os.O_RDONLY | os.O_NOFOLLOW | (0 if folder else os.O_CREAT | os.O_EXCL), 0o666)
        except FileExistsError:
            ours = False
            raise
        with suppress(OSError):  # a file system without locks: the process id has to do
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield beside
    finally:
        if lock >= 0:
            os.close(lock)
        if ours:  # after an interrupt just after it was made, too
            remove(beside)
        _writing -= 1


def remove_left_over(target: Path, above: Path) -> None:
    """Remove parts of ``target`` in the folder ``above`` that processes of this user left when they were killed.

    A whole folder that was moved away, ``.NAME.PID.old``, is moved back where nothing has taken its place.
    """
    pattern = re.compile(rf"\.{re.escape(target.name)}\.(\d+)\.(part|old)")
    with suppress(OSError):
        for entry in sorted(os.scandir(above), key=lambda one: one.name):
            match = pattern.fullmatch(entry.name)
            if match is None or not _is_left_over(Path(entry.path), int(match[1])):
                continue
            if match[2] == "old" and not target.exists():
                Path(entry.path).rename(target)
            else:
                remove(Path(entry.path))


def _is_left_over(part: Path, process: int) -> bool:
    if part.lstat().st_uid != os.geteuid() or part.is_symlink():
        return False
    if process != os.getpid():
        try:
            os.kill(process, 0)
            return False
        except ProcessLookupError:
            pass
        except (OSError, OverflowError):
            return False
    # The process may be one of another container, where ids are others: then it holds the lock.
    lock = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    finally:
        os.close(lock)
    return True


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it, where it is there; an interrupt comes after it."""
    try:
        _remove(path)
    except BaseException:
        _remove(path)
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
