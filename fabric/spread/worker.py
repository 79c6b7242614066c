"""What a worker does: reads the scenario once, then task after task; the same in this process, in others, on machines.

What goes wrong is an answer too, so that it reaches the user as it would without workers.
"""

from __future__ import annotations

import atexit
import shutil
import socket
import tempfile
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric.spread.checkpoint import Done
from fabric.spread.job import Job, State, Task, named_function
from fabric.spread.packed import pack
from fabric.spread.version import Version
from topologies.budget import limited_to
from topologies.errors import FabricError, Problem

_MOST_STATES = 2  # jobs that a worker keeps ready


@dataclass(frozen=True, eq=False)
class Order:
    """What a worker is given once: the job, which program it is for, and where files may be put."""

    job: Job
    version: Version
    key: str
    scratch: str | None = None
    memory_bytes: float | None = None

    @staticmethod
    def of(job: Job, *, scratch: str | None = None, memory_bytes: float | None = None) -> Order:
        """For workers; the state of this process stays here."""
        bare = Job(**{**vars(job), "state": None})
        return Order(bare, Version.own(), job.key, scratch, memory_bytes)


@dataclass(frozen=True, eq=False)
class Failed:
    """A task that cannot be done: what is wrong with the input, or a fault of ours."""

    task: Task
    problems: tuple[Problem, ...] = ()
    error: str = ""  # module:class of a FabricError
    sources: Mapping[str, str] | None = None
    text: str = ""  # of any other exception, with its traceback

    def exception(self) -> Exception:
        """The same here."""
        if not self.error:
            return WorkerError(self.text)
        found: FabricError = named_function(self.error)(self.problems)
        vars(found)["sources"] = dict(self.sources or {})
        return found


class WorkerError(Exception):
    """A fault of ours in another process."""


_states: OrderedDict[str, State] = OrderedDict()
_lock = threading.Lock()


def do_task(order: Order, task: Task) -> Done | Failed:
    """One task, in a worker."""
    try:
        check_version(order.version)
        with limited_to(order.memory_bytes):
            return timed(order.job, _state(order), task)
    except Exception as error:
        return failed(task, error)


def timed(job: Job, state: State, task: Task) -> Done:
    """Do a task with what was prepared."""
    began = time.perf_counter()
    value = pack(named_function(job.work)(state, task.first, task.last))
    return Done(task, value, time.perf_counter() - began)


def failed(task: Task, error: Exception) -> Failed:
    """An exception as an answer."""
    if isinstance(error, FabricError):
        kind = f"{type(error).__module__}:{type(error).__qualname__}"
        return Failed(task, error.problems, kind, getattr(error, "sources", {}))
    return Failed(task, text="".join(traceback.format_exception(error)))


def check_version(wanted: Version) -> None:
    """Refuse to work for another program.

    Raises
    ------
    FabricError
        FP9504.
    """
    own = Version.own()
    if own != wanted:
        raise FabricError(
            f"the worker on {socket.gethostname()} is {own.text}; this program is {wanted.text}",
            hint="install the same fabric-planner on all workers, and start them again",
            code="FP9504",
        )


def _state(order: Order) -> State:
    """What tasks of a job need, made once; other threads of the worker wait for it."""
    with _lock:
        if order.key not in _states:
            _states[order.key] = prepared(order.job, order.scratch)
            while len(_states) > _MOST_STATES:
                _states.popitem(last=False)
        _states.move_to_end(order.key)
        return _states[order.key]


def prepared(job: Job, scratch: str | None = None) -> State:
    """Read the scenario where only this process is, and make what tasks need.

    Raises
    ------
    FabricError
        As ``prepare`` of the job does; FP9506 where it comes to something else than where the job was made.
    """
    folder = Path(tempfile.mkdtemp(prefix="fabric-work-", dir=scratch))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        state: Any = named_function(job.prepare)(job.scenario.unpack(folder), job.arguments)
    except FabricError as error:
        raise job.scenario.named(error, folder) from None
    if job.fingerprint and named_function(job.prove)(state) != job.fingerprint:
        raise FabricError(
            f"the worker on {socket.gethostname()} comes to another network or other traffic from the same scenario",
            hint="files named by an absolute path must be the same on all workers; --workers 1 needs none",
            code="FP9506",
        )
    return state
