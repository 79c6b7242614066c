"""Runs cases in processes of their own: each has a deadline and a bound on memory, and its end is judged."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from cases import Cases

DEADLINE_S = 5.0  # of processor time, since the machine may be busy with something else
MEMORY_BYTES = 3 * 2**30
_WAITING_S = 40.0  # of the clock, for what waits for ever and computes nothing
MakeCases = Callable[[Path], Any]  # anything with ``of(number) -> Case``; picklable


@dataclass(frozen=True)
class Fault:
    """A case that did not end as documented."""

    number: int
    label: str
    words: str


def _work(channel: Connection, seeds: Path, make: MakeCases) -> None:
    """Run the numbers that come in; say how each ended."""
    cases = make(seeds)
    cases.warm()
    resource.setrlimit(resource.RLIMIT_AS, (_size() + MEMORY_BYTES, resource.RLIM_INFINITY))
    channel.send(None)
    folder = Path(tempfile.mkdtemp(prefix="fabric-fuzz-"))
    try:
        while True:
            number = channel.recv()
            if number is None:
                return
            case = cases.of(number)
            place = folder / str(number)
            place.mkdir()
            words = ""
            out, err = io.StringIO(), io.StringIO()
            try:
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(place):
                    case.run(place)
            except BaseException:
                words = f"{traceback.format_exc(limit=-6)}\n{err.getvalue()[-1500:]}"
            shutil.rmtree(place, ignore_errors=True)
            channel.send((number, case.label, words))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _size() -> int:
    """Address space of this process, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


class _Worker:
    def __init__(self, seeds: Path, make: MakeCases) -> None:
        context = multiprocessing.get_context("spawn")  # threads of this process stay out of it
        self.channel, other = context.Pipe()
        self.process = context.Process(target=_work, args=(other, seeds, make), daemon=True)
        self.process.start()
        other.close()
        self.channel.recv()  # it has imported everything
        self.number: int | None = None
        self.since = self.before_s = 0.0

    def give(self, number: int | None) -> None:
        self.number, self.since, self.before_s = number, time.monotonic(), self._processor_s()
        self.channel.send(number)

    def used_s(self) -> float:
        """Processor time since the number was given."""
        return self._processor_s() - self.before_s

    def _processor_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.channel.close()


def run_cases(
    numbers: list[int],
    seeds: Path,
    *,
    make: MakeCases = Cases,
    workers: int = 2,
    deadline_s: float = DEADLINE_S,
    waiting_s: float = _WAITING_S,
) -> list[Fault]:
    """Faults among the cases, in order."""
    cases = make(seeds)
    todo = list(reversed(numbers))
    again: set[int] = set()  # over the deadline once: kernels compiled on the way are compiled by the second time
    faults: list[Fault] = []
    pool = [_Worker(seeds, make) for _ in range(workers)]
    try:
        while todo or any(worker.number is not None for worker in pool):
            for worker in pool:
                if worker.number is None and todo:
                    worker.give(todo.pop())
            wait([worker.channel for worker in pool if worker.number is not None], timeout=0.2)
            for at, worker in enumerate(pool):
                if worker.number is None:
                    continue
                number = worker.number
                if worker.channel.poll():
                    try:
                        _, label, words = worker.channel.recv()
                    except EOFError:
                        faults.append(Fault(number, cases.of(number).label, "the process died"))
                        worker.stop()
                        pool[at] = _Worker(seeds, make)
                        continue
                    worker.number = None
                    if words:
                        faults.append(Fault(number, label, words))
                elif worker.used_s() > deadline_s or time.monotonic() - worker.since > waiting_s:
                    if number in again:
                        faults.append(Fault(number, cases.of(number).label, f"no end in {deadline_s:g} s, twice"))
                    else:
                        again.add(number)
                        todo.append(number)
                    worker.stop()
                    pool[at] = _Worker(seeds, make)
    finally:
        for worker in pool:
            worker.stop()
    return sorted(faults, key=lambda fault: fault.number)


if __name__ == "__main__":  # one case by number, in this process
    from seeds import make_seeds

    with tempfile.TemporaryDirectory() as home:
        made = Path(home) / "seeds"
        make_seeds(made)
        for text in sys.argv[1:]:
            chosen = Cases(made).of(int(text))
            place = Path(home) / text
            place.mkdir()
            sys.stdout.write(f"{text}: {chosen.label}\n")
            chosen.run(place)
