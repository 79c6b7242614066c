"""A real scheduler and two real workers on loopback: totals as here, workers and scheduler killed, nothing twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dask_cluster import DaskProcesses
from toy_work import done, job

from fabric.spread import cluster as cluster_module
from fabric.spread.checkpoint import Checkpoint
from fabric.spread.run import SpreadOptions
from topologies.errors import FabricError

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of the library, about its own threads and sockets
]
UNITS = 60
SQUARES = [unit**2 for unit in range(UNITS)]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskProcesses]:
    """Ended by their processes, whatever happens."""
    folder = tmp_path / "dask"
    folder.mkdir()
    started = DaskProcesses(folder)
    try:
        yield started
    finally:
        started.end()


def on(cluster: DaskProcesses, path: Path | None = None, *, resume: bool = False) -> SpreadOptions:
    return SpreadOptions("dask", cluster.address, checkpoint=path, resume=resume)


def units(log: Path) -> list[int]:
    """Units in the order in which they were done, by any process."""
    return [int(line.split()[0]) for line in log.read_text().splitlines()] if log.exists() else []


def processes(log: Path) -> set[str]:
    return {line.split()[1] for line in log.read_text().splitlines()}


def when(log: Path, count: int, act: object) -> threading.Thread:
    """Do something once so many units are done."""

    def wait() -> None:
        until = time.monotonic() + 120
        while len(units(log)) < count and time.monotonic() < until:
            time.sleep(0.05)
        assert callable(act)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def warm(cluster: DaskProcesses, folder: Path) -> None:
    """Give work until both have done some: the first unit of each waits for its imports, long on a busy machine."""
    log = folder / "warm"
    until = time.monotonic() + 120
    while len(processes(log) if log.exists() else ()) < 2:
        assert time.monotonic() < until, "a worker that was never given work"
        done(job(folder, 20, seconds=0.05, log=str(log)), on(cluster))


def test_a_worker_then_the_scheduler_are_killed_and_nothing_is_lost_or_done_twice(
    cluster: DaskProcesses, tmp_path: Path
) -> None:
    """Both workers work; one is killed by its process in mid-sweep, then the scheduler; --resume gives the rest."""
    warm(cluster, tmp_path)
    log, path = tmp_path / "log", tmp_path / "c"
    asked = job(tmp_path, UNITS, seconds=0.15, log=str(log))
    killers = [when(log, 15, cluster.workers[0].kill), when(log, 35, cluster.scheduler.kill)]
    first, spread = done(asked, on(cluster, path))
    for killer in killers:
        killer.join()
    assert len(processes(log)) == 2
    assert spread.stopped is not None
    assert spread.stopped.problems[0].code == "FP9507"
    assert "kept in" in spread.said[-1]
    assert "--resume goes on" in spread.said[-1]
    assert 0 < len(first) < UNITS
    assert set(first) < set(SQUARES)

    cluster.end()
    (tmp_path / "again").mkdir()
    again = DaskProcesses(tmp_path / "again")
    try:
        found, rest = done(asked, on(again, path, resume=True))
    finally:
        again.end()
    assert found == SQUARES  # every unit once, in order, as in one process
    assert rest.stopped is None
    kept = Checkpoint(path, asked, resume=True)
    tasks = sorted(each.task for each in kept.done(asked))
    kept.close()
    assert [task.first for task in tasks] == [0, *(task.last for task in tasks[:-1])]
    assert tasks[-1].last == UNITS
    # Only what was in flight when something was killed is done a second time.
    assert len(units(log)) < UNITS + 30


def test_workers_of_another_version_are_not_asked(tmp_path: Path) -> None:
    """One of this version does all the work; where there is none, it is refused."""
    folder = tmp_path / "dask"
    folder.mkdir()
    other = tmp_path / "other"
    other.mkdir()
    (other / "sitecustomize.py").write_text(
        "import fabric.scenario.provenance as provenance\nprovenance.version = lambda: '0.0.9'\n"
    )
    cluster = DaskProcesses(folder, workers=0)
    try:
        cluster.start_worker({"OTHER_VERSION": str(other)})
        with pytest.raises(FabricError, match=r"no worker of .* fabric-planner 0\.0\.9") as caught:
            done(job(tmp_path, 3), on(cluster))
        assert caught.value.problems[0].code == "FP9504"
        cluster.start_worker()
        cluster.wait_for(2)
        log = tmp_path / "log"
        found, spread = done(job(tmp_path, UNITS, log=str(log)), on(cluster))
        assert found == SQUARES
        assert len(processes(log)) == 1
        assert any("is not asked" in text and "0.0.9" in text for text in spread.said)
    finally:
        cluster.end()


def test_nobody_at_the_address_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it was tried long enough: two seconds here."""
    monkeypatch.setattr(cluster_module, "CONNECT_S", 2.0)
    with pytest.raises(FabricError, match=r"--scheduler tcp://127\.0\.0\.1:9: ") as caught:
        done(job(tmp_path, 3), SpreadOptions("dask", "tcp://127.0.0.1:9"))
    assert caught.value.problems[0].code == "FP9508"
