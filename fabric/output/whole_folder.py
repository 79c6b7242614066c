"""Folders that are whole or not there: written beside, then exchanged with what was there.

Every folder that a command writes lists its files in ``files.json``, with its kind and their sizes. ``--force``
replaces a folder only when that list says that the same kind of command wrote it and nothing else is in it: what people
put there, or changed there, is never removed.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topologies.errors import FabricError, FormatError
from topologies.reading.json_value import read_json
from topologies.whole_file import followed, part_of, remove

LIST = "files.json"
SCHEMA = "fabric-planner/folder"
VERSION = 1
_MOST_LIST_BYTES = 256 * 2**20
_EXCHANGE, _HERE = 2, -100  # RENAME_EXCHANGE and AT_FDCWD of Linux


@dataclass(frozen=True)
class FolderKind:
    """What a folder is, and how it is said that one cannot be written.

    Attributes
    ----------
    name : str
        As people call it, and as it stands in the list of its files.
    rewritten : callable
        Whether a file in it is one that other commands of ours put there later.
    """

    name: str
    error: type[FabricError]
    code: str
    rewritten: Callable[[Path], bool] = lambda _: False

    def refuse(self, message: str, hint: str) -> FabricError:
        """The error."""
        return self.error(message, hint=hint, code=self.code)


def check_folder(folder: Path, kind: FolderKind, *, force: bool, flag: str = "-o") -> None:
    """Refuse a place that cannot become a folder of this kind, or holds what shall stay.

    Raises
    ------
    FabricError
        The kind's own: its place does not exist, it is a file, it is not empty and not forced, or something in it was
        not written by this kind of command, or was changed since; the first such file is named.
    """
    said = f"{flag} {folder}"
    try:
        target = followed(folder)
        if not target.parent.is_dir():
            raise kind.refuse(f"{said}: the folder {folder.parent} does not exist", "make it first")
        if not target.exists():
            return
        if not target.is_dir():
            raise kind.refuse(f"{said} is a file; {kind.name} goes into a folder", "name a new folder")
        if not any(target.iterdir()):
            return
        foreign = find_foreign(target, kind)
    except OSError as error:
        raise kind.refuse(f"{said} cannot be read: {error.strerror}", "name a new folder") from None
    if foreign:
        hint = f"name a new folder; --force replaces only what fabric wrote as {kind.name}, with nothing else in it"
        raise kind.refuse(f"{said}: {foreign}", hint)
    if not force:
        raise kind.refuse(f"{said}: the folder exists and is not empty", "--force replaces it")


def find_foreign(folder: Path, kind: FolderKind) -> str:
    """The first thing in a folder that this kind of command did not write, in words; empty when there is none."""
    listed = _listed(folder, kind)
    if isinstance(listed, str):
        return listed
    folders = {str(above) for name in listed for above in Path(name).parents}
    for path in sorted(_entries(folder)):
        name = path.relative_to(folder).as_posix()
        if name == LIST or (path.is_file() and not path.is_symlink() and kind.rewritten(path)):
            continue
        if path.is_symlink() or (name not in listed and name not in folders):
            return f"{name} in it was not written by fabric"
        if path.is_dir():
            if name not in folders:
                return f"{name} in it was a file when fabric wrote it"
        elif not path.is_file() or path.stat().st_size != listed.get(name):
            return f"{name} in it is not as fabric wrote it"
    return ""


def _entries(folder: Path) -> Iterator[Path]:
    """Everything below a folder; links are not followed."""
    for entry in os.scandir(folder):
        yield Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path))


def _listed(folder: Path, kind: FolderKind) -> dict[str, int] | str:
    """Sizes of the files that a folder says it has, or in words why its word is not taken."""
    path = folder / LIST
    first = min(entry.name for entry in os.scandir(folder))
    unknown = f"the folder has other things in it: fabric lists what it writes in {LIST}; {first} is not ours to remove"
    try:
        if path.is_symlink() or path.stat().st_size > _MOST_LIST_BYTES:
            return unknown
        record: Any = read_json(path).value
    except (OSError, FormatError):
        return unknown
    if not isinstance(record, dict) or record.get("schema") != SCHEMA or record.get("version") != VERSION:
        return unknown
    if record.get("kind") != kind.name:
        return f"the folder is not of this command: its {LIST} says it is of kind {record.get('kind')!r}"
    files = record.get("files")
    if not isinstance(files, dict) or not all(type(size) is int for size in files.values()):
        return unknown
    return files


@contextmanager
def whole_folder(folder: Path, kind: FolderKind, *, force: bool, flag: str = "-o") -> Iterator[Path]:
    """Where to write what shall be in ``folder``; it is put there when the block ends without an exception.

    Until then, and where anything fails, what was there stays as it was.

    Raises
    ------
    FabricError
        As ``check_folder``, and where the file system says no.
    """
    check_folder(folder, kind, force=force, flag=flag)
    try:
        target = followed(folder)
        fill = target.is_dir() and not any(target.iterdir()) and not _can_be_exchanged(target)
        with part_of(target, folder=True, inside=fill) as beside:
            yield beside
            _write_list(beside, kind)
            if fill:
                _fill(target, beside)
                return
            check_folder(folder, kind, force=force, flag=flag)  # it may have been written to meanwhile
            _put(target, beside)
    except OSError as error:
        reason = error.strerror or str(error)
        raise kind.refuse(
            f"{flag} {folder} cannot be written: {reason}; nothing was left behind", "check room and permissions"
        ) from None


def _can_be_exchanged(target: Path) -> bool:
    """Whether a folder can be renamed: a mounted one cannot, and the one we are in would be gone."""
    return not target.is_mount() and os.access(target.parent, os.W_OK) and not target.samefile(Path.cwd())


def _write_list(folder: Path, kind: FolderKind) -> None:
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in _entries(folder) if path.is_file()}
    if LIST in sizes:
        raise ValueError(f"{LIST} is the name of the list itself")
    record = {"schema": SCHEMA, "version": VERSION, "kind": kind.name, "files": dict(sorted(sizes.items()))}
    (folder / LIST).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _fill(target: Path, beside: Path) -> None:
    """Move all from a part inside of an empty folder up into it, the list first: so that what is there is known."""
    for name in (LIST, *sorted(entry.name for entry in os.scandir(beside) if entry.name != LIST)):
        (beside / name).rename(target / name)


def _put(target: Path, beside: Path) -> None:
    """Put a new folder where an old one may be, which goes only after the new one is in place."""
    if not target.exists():
        beside.rename(target)
        return
    shutil.copymode(target, beside)
    if _exchange(target, beside):
        return  # the part is now the old one, and is removed as what is left of it
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    target.rename(old)
    try:
        beside.rename(target)
    except BaseException:
        if not target.exists():
            old.rename(target)
        raise
    finally:
        if target.exists():
            remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system or the file system has no such call."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), ctypes.c_uint(_EXCHANGE)) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number))
