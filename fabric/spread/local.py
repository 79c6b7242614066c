"""Processes of this machine.

Each has a pipe to this one: a worker whose end is closed ends by itself, also where this process was killed, and a
worker that is killed is noticed by its pipe and replaced.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from fabric.spread.backend import Answer, Lost
from fabric.spread.job import Job, Task
from fabric.spread.worker import Order, do_task
from topologies.budget import free_bytes, memory_limit

_GRACE_S = 0.2  # for a worker that was asked to end


def starts_processes() -> bool:
    """Whether this process may start others: workers of ``multiprocessing``'s pools may not."""
    return not multiprocessing.current_process().daemon


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def serve(orders: Connection) -> None:
    """A worker: an order, then tasks until the pipe is closed."""
    for number in (signal.SIGINT, signal.SIGHUP):  # they are for the process that watches
        signal.signal(number, signal.SIG_IGN)
    try:
        order: Order = orders.recv()
        while True:
            orders.send(do_task(order, orders.recv()))
    except (EOFError, OSError):
        return


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None


class LocalProcesses:
    """A number of processes, each with one task at a time."""

    def __init__(self, job: Job, workers: int) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._scratch = tempfile.mkdtemp(prefix="fabric-spread-")
        limit = memory_limit()
        share = free_bytes(limit) / workers
        self._order = Order.of(job, scratch=self._scratch, memory_bytes=share)
        self._workers: list[_Worker] = []
        self._lost: list[Lost] = []
        try:
            for _ in range(workers):
                self._workers.append(self._start())
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """All that were asked for: who dies is replaced."""
        return len(self._workers)

    @property
    def room(self) -> int:
        """Workers without a task."""
        return sum(worker.task is None for worker in self._workers)

    def submit(self, task: Task) -> None:
        """Give a task to a worker that has none."""
        worker = next(worker for worker in self._workers if worker.task is None)
        worker.task = task
        try:
            worker.pipe.send(task)
        except OSError:
            self._replace(worker)

    def answers(self, seconds: float) -> Sequence[Answer]:
        """Answers of workers, and tasks of those that are gone."""
        busy = {worker.pipe: worker for worker in self._workers if worker.task is not None}
        ready = wait(list(busy), 0 if self._lost else seconds)
        found: list[Answer] = []
        for worker in (busy[pipe] for pipe in ready if isinstance(pipe, Connection)):
            try:
                found.append(worker.pipe.recv())
                worker.task = None
            except (EOFError, OSError):
                self._replace(worker)
        found += self._lost
        self._lost = []
        return found

    def close(self) -> None:
        """End all workers; what they were doing is not waited for."""
        for worker in self._workers:
            worker.pipe.close()
            if worker.process.is_alive():
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_GRACE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers = []
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _start(self) -> _Worker:
        here, there = self._context.Pipe()
        process = self._context.Process(target=serve, args=(there,), daemon=True, name="fabric worker")
        process.start()
        there.close()
        worker = _Worker(process, here)
        with suppress(OSError):  # it is noticed when it is given a task
            here.send(self._order)
        return worker

    def _replace(self, worker: _Worker) -> None:
        worker.pipe.close()
        worker.process.join(_GRACE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        if worker.task is not None:
            code = worker.process.exitcode or 0
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            self._lost.append(Lost(worker.task, f"process {worker.process.pid} ended {how}"))
        self._workers[self._workers.index(worker)] = self._start()
