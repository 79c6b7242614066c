"""A job done by a backend: tasks sized by what was measured, answers merged in order, kept, and said how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabric.routing.progress import Progress, Reporter, silent
from fabric.spread.backend import Backend, BackendGoneError, BackendName, InProcess, Lost
from fabric.spread.checkpoint import Checkpoint, Done, FullError
from fabric.spread.job import Job, Task
from fabric.spread.packed import unpack
from fabric.spread.worker import Failed
from topologies.errors import FabricError
from topologies.units import format_seconds

LEAST_S, GOAL_S = 0.5, 1.0  # of a task: sending one costs milliseconds
MOST_LOST = 3  # workers that may be lost over the same task
WORTH_S = 4.0  # of one core: below, starting processes takes as long as the work
_WAIT_S = 0.25


class StoppedError(Exception):
    """The rest of a job cannot be had; what was done before is an answer, too."""

    def __init__(self, reason: FabricError) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class SpreadOptions:
    """Who does the work, and what is kept of it."""

    backend: BackendName = "local"
    scheduler: str | None = None
    workers: int | None = None  # of backend local; None: a core each, where there is enough work
    checkpoint: Path | None = None
    resume: bool = False
    force: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether anything of it was said."""
        return self.backend != "local" or self.workers is not None or self.checkpoint is not None

    def open_checkpoint(self, job: Job) -> Checkpoint | None:
        """The file that tasks are kept in, for a job and others of the same command; None: they are not kept.

        Raises
        ------
        FabricError
            FP9501 to FP9503.
        """
        if self.checkpoint is None:
            return None
        return Checkpoint(self.checkpoint, job, resume=self.resume, force=self.force)


@dataclass(frozen=True, eq=False)
class Part:
    """What a stretch of units came to."""

    first: int
    last: int
    value: Any


@dataclass(eq=False)
class Spread:
    """A job while it is done; ``parts`` gives what it comes to in the order of its units.

    Attributes
    ----------
    stopped : FabricError or None
        Why it ended before all was done: a full disk, a lost scheduler, a task that kills its workers.
    said : list of str
        What else people must know.
    """

    job: Job
    options: SpreadOptions = SpreadOptions()
    progress: Reporter = silent
    kept: Checkpoint | None = None  # of several jobs; else ``options`` say which
    stopped: FabricError | None = None
    said: list[str] = field(default_factory=list)
    done_units: int = 0
    workers: int = 0
    _began: float = 0.0
    _new_units: int = 0
    _new_seconds: float = 0.0
    _tries: dict[int, int] = field(default_factory=dict)
    _here: InProcess | None = None

    def parts(self) -> Generator[Part, None, None]:
        """Units in order; where it is stopped or interrupted, then those that are done beyond a gap.

        Raises
        ------
        FabricError
            As the work does, and where a checkpoint or a backend cannot be had.
        """
        self._began = time.monotonic()
        kept = self._open()
        try:
            waiting: dict[int, Done] = {}
            at = 0
            try:
                for done in self._all_done(kept):
                    waiting[done.task.first] = done
                    while at in waiting:
                        part = waiting.pop(at)
                        at = part.task.last
                        yield _part(part)
            except (BackendGoneError, FullError) as error:
                self.stopped = error
                self.said.append(self.how_to_go_on)
            for first in sorted(waiting):
                yield _part(waiting[first])
        finally:
            if kept is not None and kept is not self.kept:
                kept.close()

    @property
    def how_to_go_on(self) -> str:
        """How far it came, and how the rest can be done."""
        job = self.job
        far = f"{self.done_units:,} of {job.units:,} {job.unit} are done"
        if self.options.checkpoint is None:
            return f"{far}; --checkpoint FILE would have kept them"
        return f"{far} and kept in {self.options.checkpoint}; the same command with --resume goes on"

    # ---- the work ---------------------------------------------------------------------------------------------------

    def _open(self) -> Checkpoint | None:
        if self.kept is not None:
            return self.kept
        kept = self.options.open_checkpoint(self.job)
        self.said += [] if kept is None else kept.said
        return kept

    def _all_done(self, kept: Checkpoint | None) -> Iterator[Done]:
        """Tasks as they are done, those of the checkpoint first; each unit once."""
        todo = [Task(0, self.job.units)] if self.job.units else []
        before = [] if kept is None else kept.done(self.job)
        for done in before:
            left = _without(todo, done.task)
            if left is None:
                self.said.append(f"units {done.task.first:,} to {done.task.last:,} are in the checkpoint twice")
                continue
            todo = left
            self.done_units += len(done.task)
            yield done
        if before:
            self.said.append(f"{self.done_units:,} of {self.job.units:,} {self.job.unit} were done before")
        if not todo:
            return
        self._report()
        for done in self._do(todo):
            self.done_units += len(done.task)
            self._new_units += len(done.task)
            self._new_seconds += done.seconds
            self._report()
            if kept is not None:
                kept.add(self.job, done)
            yield done

    def _do(self, todo: list[Task]) -> Iterator[Done]:
        if self.options.backend == "local" and self.options.workers is None:
            yield from self._probe(todo)
        if not todo:
            return
        backend = self._backend(todo)
        try:
            yield from self._by(backend, todo)
        finally:
            backend.close()

    def _probe(self, todo: list[Task]) -> Iterator[Done]:
        """Unit by unit in this process, until it is known whether there is work for more."""
        if self.job.unit_s is not None and self.job.unit_s * _units(todo) >= WORTH_S:
            return
        self._here, left_s = InProcess(self.job), 0.0
        while todo and left_s < WORTH_S:
            yield from self._by(self._here, [self._next(todo, 1)])
            left_s = (self._unit_s or 0.0) * _units(todo)

    def _by(self, backend: Backend, todo: list[Task]) -> Iterator[Done]:
        """All tasks, those of lost workers again."""
        out = 0
        while todo or out:
            self.workers = backend.workers
            while todo and backend.room > 0:
                backend.submit(self._next(todo, max(backend.workers, 1)))
                out += 1
            for answer in backend.answers(_WAIT_S):
                out -= 1
                if isinstance(answer, Done):
                    yield answer
                elif isinstance(answer, Failed):
                    raise answer.exception()
                else:
                    todo.insert(0, self._again(answer))
            self._report()

    def _backend(self, todo: list[Task]) -> Backend:
        options = self.options
        if options.backend == "dask":
            from fabric.spread.cluster import DaskCluster

            return DaskCluster(self.job, options.scheduler or "", self.said.append)
        from fabric.spread.local import LocalProcesses, cores, starts_processes

        workers = min(options.workers or cores(), _units(todo))
        small = options.workers is None and (self._unit_s or 0.0) * _units(todo) < WORTH_S
        if small or not starts_processes():
            workers = 1
        return self._here or InProcess(self.job) if workers == 1 else LocalProcesses(self.job, workers)

    def _again(self, lost: Lost) -> Task:
        """A task whose worker was lost, to be done again, unless it seems to be the cause."""
        tries = self._tries[lost.task.first] = self._tries.get(lost.task.first, 0) + 1
        if tries > MOST_LOST:
            raise BackendGoneError(
                f"{self.job.unit} {lost.task.first:,} to {lost.task.last - 1:,}: {tries} workers were lost over them, "
                f"the last one as {lost.reason}",
                hint="the memory may be too small for so many workers: fewer --workers need less",
            )
        self.said.append(f"a worker was lost ({lost.reason}); what it did is done again by another")
        return lost.task

    # ---- sizes and estimates ----------------------------------------------------------------------------------------

    @property
    def _unit_s(self) -> float | None:
        """Seconds of one core for a unit."""
        return self._new_seconds / self._new_units if self._new_units else self.job.unit_s

    def _next(self, todo: list[Task], workers: int) -> Task:
        """The next task: a second of work, less towards the end so that all workers end together, never below half."""
        left = _units(todo)
        unit_s = self._unit_s
        if unit_s is None:
            count = 1
        else:
            least, goal = (max(round(seconds / max(unit_s, 1e-9)), 1) for seconds in (LEAST_S, GOAL_S))
            count = max(min(goal, left // (2 * workers)), min(least, left))
        first = todo[0]
        count = min(count, len(first))
        todo[0] = Task(first.first + count, first.last)
        if not len(todo[0]):
            todo.pop(0)
        return Task(first.first, first.first + count)

    def _report(self) -> None:
        job, seconds = self.job, time.monotonic() - self._began
        text = f"{job.name}: {self.done_units:,} of {job.units:,} {job.unit}"
        if self.workers > 1:
            text += f", {self.workers} workers"
        left = job.units - self.done_units
        if self._new_units and left:
            text += f", about {format_seconds(max(left * seconds / self._new_units, 1.0))} left"
        self.progress(Progress(text, seconds=max(seconds, 1e-9)))


def _units(tasks: Sequence[Task]) -> int:
    return sum(map(len, tasks))


def _part(done: Done) -> Part:
    return Part(done.task.first, done.task.last, unpack(done.value))


def _without(todo: Sequence[Task], task: Task) -> list[Task] | None:
    """What is left to do without a task; None where some of it is done already."""
    left: list[Task] = []
    taken = 0
    for each in todo:
        first, last = max(each.first, task.first), min(each.last, task.last)
        if first >= last:
            left.append(each)
            continue
        taken += last - first
        left += [rest for rest in (Task(each.first, first), Task(last, each.last)) if len(rest) > 0]
    return left if taken == len(task) else None


def take_all(spread: Spread, take: Callable[[Part], None]) -> None:
    """Have every part taken in, in order; workers are ended whatever happens."""
    parts = spread.parts()
    try:
        for part in parts:
            take(part)
    finally:
        parts.close()
