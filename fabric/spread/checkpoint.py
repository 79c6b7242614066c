"""What a job has come to so far, in a file that a kill at any byte leaves usable.

One line says what the file is; then come records, each with its length and checksum in a line before it. The first says
which job it is of; every other one is a task that was done, of this job or of another of the same command. Records are
only added, and reach the disk before the next one is begun, so that only what was being written can be lost.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric.spread.job import Job, Task
from fabric.spread.packed import PackedError, pack, unpack
from topologies.errors import FabricError
from topologies.units import format_bytes

MAGIC = b"fabric-planner/checkpoint/v1\n"
_HEAD = re.compile(rb"(\d{1,15}) ([0-9a-f]{32})\n")
_LONGEST_HEAD = 64


class FullError(FabricError):
    """A checkpoint that cannot be written any further; all before is kept."""

    default_code = "FP9505"


@dataclass(frozen=True, eq=False)
class Done:
    """A task and what it came to, packed."""

    task: Task
    value: bytes
    seconds: float


class Checkpoint:
    """A file that tasks are added to as they are done.

    Parameters
    ----------
    path : Path
        Beside which nothing is written.
    job : Job
        What it is of; the first of the command.
    resume : bool
        Whether to go on with what is there; else the file must not exist, unless ``force`` replaces it.
    """

    def __init__(self, path: Path, job: Job, *, resume: bool = False, force: bool = False) -> None:
        self.path = path
        self.said: list[str] = []
        self._done: dict[str, list[Done]] = {}  # by key of a job
        goes_on = resume and path.exists() and path.stat().st_size > 0
        if path.exists() and not resume and not force:
            raise FabricError(
                f"--checkpoint {path}: the file exists",
                hint="--resume goes on with it; --force starts again",
                code="FP9501",
            )
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise FabricError(
                f"--checkpoint {path}: {error.strerror}", hint="name another file", code="FP9501"
            ) from None
        try:
            self._lock()
            if goes_on:
                self._read(job)
            else:
                if resume:
                    self.said.append(f"there is no checkpoint {path} yet: all {job.units:,} {job.unit} are to be done")
                elif os.fstat(self._file).st_size:
                    self._check_ours(os.pread(self._file, len(MAGIC), 0))
                os.ftruncate(self._file, 0)
                self._size = 0
                self._write(MAGIC + _record(pack({"job": job.identity, "units": job.units})))
        except BaseException:
            os.close(self._file)
            raise

    def done(self, job: Job) -> list[Done]:
        """Tasks of a job that were done before.

        Raises
        ------
        FabricError
            FP9502 where they are none of it.
        """
        tasks = self._done.get(job.key, [])
        if any(not 0 <= done.task.first < done.task.last <= job.units for done in tasks):
            raise self._damaged(f"it has {job.unit} that there are not")
        return tasks

    def add(self, job: Job, done: Done) -> None:
        """Keep a task.

        Raises
        ------
        FullError
            Where there is no room for it; what is there stays whole.
        """
        task = done.task
        record = pack({"job": job.key, "first": task.first, "last": task.last, "seconds": done.seconds})
        self._write(_record(len(record).to_bytes(8, "little") + record + done.value))

    def close(self) -> None:
        """End writing."""
        os.close(self._file)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FabricError(
                f"--checkpoint {self.path}: another process writes it now",
                hint="wait for it, or name another file",
                code="FP9501",
            ) from None
        except OSError:
            self.said.append(f"the file system of {self.path} has no locks: no other process may write it meanwhile")

    def _write(self, data: bytes) -> None:
        try:
            os.lseek(self._file, self._size, os.SEEK_SET)
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise FullError(
                f"{self.path} cannot be written: {error.strerror}",
                hint="what was done before is in it; make room, then --resume goes on",
            ) from None
        self._size += len(data)

    def _check_ours(self, start: bytes) -> None:
        if start == MAGIC:
            return
        newer = len(start) == len(MAGIC) and start.startswith(MAGIC[: MAGIC.rindex(b"v")])
        what = "a checkpoint of another version" if newer else "not a checkpoint of fabric"
        raise FabricError(
            f"--checkpoint {self.path}: the file is {what}", hint="name another file, or remove it", code="FP9502"
        )

    def _read(self, job: Job) -> None:
        """Take in all whole records; what follows them was being written, and is cut off."""
        size = os.fstat(self._file).st_size
        self._check_ours(os.pread(self._file, len(MAGIC), 0))
        self._size = len(MAGIC)
        head = self._next(size)
        if head is None:
            raise self._damaged("it is cut off before the first task")
        try:
            kept = unpack(head)["job"]
            check_same(self.path, kept, job.identity)
            while (record := self._next(size)) is not None:
                key, done = _done(record)
                self._done.setdefault(key, []).append(done)
        except (PackedError, KeyError, TypeError, ValueError) as error:
            raise self._damaged(str(error)) from None
        if self._size < size:
            self.said.append(
                f"the last {format_bytes(size - self._size)} of {self.path} are not whole, and are done again"
            )
            os.ftruncate(self._file, self._size)

    def _damaged(self, how: str) -> FabricError:
        return FabricError(
            f"--checkpoint {self.path}: the file is damaged: {how}",
            hint="--force instead of --resume starts again",
            code="FP9502",
        )

    def _next(self, size: int) -> bytes | None:
        """The next record; None where there is no whole one."""
        head = _HEAD.match(os.pread(self._file, _LONGEST_HEAD, self._size))
        if head is None:
            return None
        start = self._size + head.end()
        length = int(head[1])
        if start + length > size:
            return None
        data = b""
        while len(data) < length and (part := os.pread(self._file, length - len(data), start + len(data))):
            data += part
        if len(data) < length or _checksum(data) != head[2]:
            return None
        self._size = start + length
        return data


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest()[:32].encode()


def _record(data: bytes) -> bytes:
    return b"%d %b\n" % (len(data), _checksum(data)) + data


def _done(record: bytes) -> tuple[str, Done]:
    """Key of a job, and a task of it."""
    length = int.from_bytes(record[:8], "little")
    about: Any = unpack(record[8 : 8 + length])
    task = Task(int(about["first"]), int(about["last"]))
    return str(about["job"]), Done(task, record[8 + length :], float(about["seconds"]))


def check_same(path: Path, kept: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Refuse a checkpoint of another job, and say in what it differs.

    Raises
    ------
    FabricError
        FP9503.
    """
    parts = [part for part in (*wanted, *kept) if kept.get(part) != wanted.get(part)]
    if not parts:
        return
    part = parts[0]
    raise FabricError(
        f"--resume {path}: it is of another {_kind(part)}: {_difference(part, kept.get(part), wanted.get(part))}",
        hint="give what it was made with, or another --checkpoint",
        code="FP9503",
        notes=[f"{len(dict.fromkeys(parts)) - 1} more differ"] if len(dict.fromkeys(parts)) > 1 else (),
    )


def _kind(part: str) -> str:
    if part.startswith("file") or part in ("overrides", "strict"):
        return "scenario"
    return "version" if part == "version" else "request"


def _difference(part: str, kept: str | None, wanted: str | None) -> str:
    if part.startswith("file"):
        name = part.removeprefix("file ")
        if kept is None or wanted is None:
            return f"{name} is not in {'it' if kept is None else 'the scenario any more'}"
        return f"{name} has changed since"
    name = part.removeprefix("request ")
    return f"{name} is {wanted or 'nothing'} now, and was {kept or 'nothing'}"
