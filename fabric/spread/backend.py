"""What does tasks: this process, processes of this machine, or a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from fabric.spread.checkpoint import Done
from fabric.spread.job import Job, Task
from fabric.spread.worker import Failed, failed, prepared, timed
from topologies.errors import FabricError

BackendName = Literal["local", "dask"]
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)


@dataclass(frozen=True)
class Lost:
    """A task whose worker is gone."""

    task: Task
    reason: str


class BackendGoneError(FabricError):
    """Nobody does tasks any more."""

    default_code = "FP9507"


Answer = Done | Failed | Lost


class Backend(Protocol):
    """Does tasks of one job."""

    @property
    def workers(self) -> int:
        """How many there are now."""
        ...

    @property
    def room(self) -> int:
        """Tasks that it takes now, so that no worker waits and none has a store."""
        ...

    def submit(self, task: Task) -> None:
        """Have a task done."""
        ...

    def answers(self, seconds: float) -> Sequence[Answer]:
        """What has come in, after waiting for at most so long.

        Raises
        ------
        BackendGoneError
            Where nothing will.
        """
        ...

    def close(self) -> None:
        """Stop at once what is being done."""
        ...


class InProcess:
    """Does each task when it is asked for its answer."""

    workers = 1

    def __init__(self, job: Job) -> None:
        self._job, self._state = job, job.state
        self._task: Task | None = None

    @property
    def room(self) -> int:
        """One at a time."""
        return int(self._task is None)

    def submit(self, task: Task) -> None:
        """Keep a task."""
        self._task = task

    def answers(self, seconds: float) -> Sequence[Answer]:
        """Do it."""
        task, self._task = self._task, None
        if task is None:
            return ()
        try:
            if self._state is None:
                self._state = prepared(self._job)
            return (timed(self._job, self._state, task),)
        except FabricError as error:
            return (failed(task, error),)

    def close(self) -> None:
        """Nothing runs."""
