"""A cluster by dask.distributed: workers on any machine that has this program.

The scheduler places tasks and does those of lost workers again; we keep a few more in flight than there are threads,
and ask no worker of another version.
"""

from __future__ import annotations

import logging
import queue
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from fabric.spread.backend import Answer, BackendGoneError, Lost
from fabric.spread.checkpoint import Done
from fabric.spread.job import Job, Task
from fabric.spread.version import Version
from fabric.spread.worker import Failed, Order, do_task
from topologies.errors import FabricError, MissingProgramError

CONNECT_S = 10.0
_LOOK_S = 1.0  # between looks at who is there
_NO_WORKER_S = 60.0  # that a sweep waits for a worker
_EXTRA = 1  # tasks that wait on a worker, so that it has one when it ends another


def tell_version() -> dict[str, str]:
    """What program a worker is."""
    return dict(vars(Version.own()))


class DaskCluster:
    """Tasks of one job on the workers of a scheduler.

    Raises
    ------
    MissingProgramError
        FP7009 where dask.distributed is not installed.
    FabricError
        FP9508 where nobody answers at the address, FP9504 where no worker has this version.
    """

    def __init__(self, job: Job, scheduler: str, say: Callable[[str], None]) -> None:
        self._say, self._job = say, job
        self._client = connected(scheduler)
        self._scheduler = scheduler
        self._threads: dict[str, int] = {}  # of the workers that we ask
        self._refused: dict[str, str] = {}
        self._looked = 0.0
        self._answered: queue.Queue[Any] = queue.Queue()
        self._tasks: dict[Any, Task] = {}  # by future
        self._order: Any = None
        self._alone_since: float | None = None
        try:
            self._look()
            while not self._threads and not self._refused:  # those that were started just now
                time.sleep(_LOOK_S)
                self._look()
            if not self._threads:
                raise FabricError(
                    f"no worker of {scheduler} has this version: {_first(self._refused)}; this program is "
                    f"{Version.own().text}",
                    hint="install the same fabric-planner on all workers, and start them again",
                    code="FP9504",
                )
            self._ship()
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """Processes that take tasks."""
        return len(self._threads)

    @property
    def room(self) -> int:
        """A task for every thread, and some that wait."""
        return max(sum(self._threads.values()) + _EXTRA * len(self._threads) - len(self._tasks), 0)

    def submit(self, task: Task) -> None:
        """Have a task done by any worker that we ask."""
        name = f"fabric-{self._job.key[:12]}-{task.first}-{task.last}-{time.monotonic_ns()}"
        future = self._client.submit(
            do_task, self._order, task, key=name, workers=list(self._threads), pure=False, retries=0
        )
        self._tasks[future] = task
        future.add_done_callback(self._answered.put)

    def answers(self, seconds: float) -> Sequence[Answer]:
        """Answers that have come in."""
        self._look()
        answers: list[Answer] = []
        try:
            future = self._answered.get(timeout=seconds)
            while True:
                answers.append(self._answer(future))
                future = self._answered.get_nowait()
        except queue.Empty:
            return answers

    def close(self) -> None:
        """Have what runs forgotten, and leave."""
        for future in self._tasks:
            try:
                future.cancel(force=True)
            except Exception:  # the scheduler may be gone
                break
        self._tasks = {}
        try:
            self._client.close(timeout=2)
        except Exception:
            return

    # ---- who is there ----------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Which workers there are; new ones are asked for their version."""
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        there = self._there()
        unknown = [address for address in there if address not in self._threads and address not in self._refused]
        for address, version in self._versions(unknown).items():
            if version == Version.own():
                self._threads[address] = there[address]
            else:
                what = "no fabric-planner that answers" if version is None else version.text
                self._refused[address] = f"{address} has {what}"
                self._say(f"the worker {address} is not asked: it has {what}, this program is {Version.own().text}")
        self._threads = {address: there[address] for address in self._threads if address in there}
        self._refused = {address: text for address, text in self._refused.items() if address in there}
        if self._threads:
            self._alone_since = None
            return
        self._alone_since = self._alone_since or now
        if now - self._alone_since > _NO_WORKER_S:
            raise BackendGoneError(
                f"{self._scheduler} has had no worker for {_NO_WORKER_S:g} s", hint="dask worker ADDRESS starts one"
            )

    def _there(self) -> dict[str, int]:
        """Threads of every worker."""
        try:
            if self._client.status != "running":
                raise OSError(f"the connection is {self._client.status}")
            return dict(self._client.nthreads())
        except Exception as error:  # whatever the library raises where the scheduler is gone
            raise BackendGoneError(
                f"the scheduler {self._scheduler} is gone ({type(error).__name__})",
                hint="start it and its workers again, then give --resume",
            ) from None

    def _versions(self, addresses: list[str]) -> dict[str, Version | None]:
        """What program every worker is; None where it has none that answers."""
        versions: dict[str, Version | None] = {}
        for address in addresses:
            try:
                told = self._client.run(tell_version, workers=[address], on_error="return")[address]
                versions[address] = Version(**told)
            except Exception:  # of another version, even of Python or of dask: it is not asked, and that is said
                versions[address] = None
        return versions

    def _ship(self) -> None:
        """Send the job to all workers, once; with each task where they are just going."""
        self._order = Order.of(self._job)
        try:
            self._order = self._client.scatter(self._order, broadcast=True, hash=False)
        except Exception:  # whatever the library raises where there is no worker
            self._looked = 0.0

    def _answer(self, future: Any) -> Answer:
        task = self._tasks.pop(future)
        if future.status == "finished":
            answer = future.result()
            if isinstance(answer, Done | Failed):
                return answer
            return Failed(task, text=f"a worker answered {type(answer).__name__}")
        if future.status == "cancelled" or "Killed" in (name := type(future.exception()).__name__):
            self._looked = 0.0
            self._look()
            self._ship()  # it may have been lost with the last worker that had it
            return Lost(task, "it was cancelled" if future.status == "cancelled" else "its workers were killed")
        return Failed(task, text=f"{name}: {future.exception()}")


def connected(scheduler: str) -> Any:
    """A client of a scheduler.

    Raises
    ------
    MissingProgramError
        FP7009 where dask.distributed is not installed.
    FabricError
        FP9508 where nobody answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise MissingProgramError(
            "--backend dask needs dask.distributed, which is not installed",
            hint="pip install 'fabric-planner[dask]'",
            code="FP7009",
        ) from None
    _silence()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other versions of libraries; of ours all workers are asked
            connect: Any = Client
            return connect(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).split("\n")[0][:200] or type(error).__name__
        raise FabricError(
            f"--scheduler {scheduler}: {reason}",
            hint="dask scheduler starts one and prints its address, such as tcp://10.0.0.1:8786",
            code="FP9508",
        ) from None


def _silence() -> None:
    """Have the library print nothing: what matters is said by us, once."""
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _first(texts: dict[str, str]) -> str:
    first, *others = texts.values()
    return f"{first}, and {len(others)} more" if others else first
