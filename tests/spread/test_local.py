"""Processes of this machine: totals as in one process, a worker that is killed, input that is wrong, an interrupt."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from toy_work import done, job

from fabric.routing.progress import Progress
from fabric.spread.run import SpreadOptions, _without
from fabric.spread.shipment import Shipment
from fabric.spread.worker import WorkerError
from topologies.errors import FabricError, TrafficError

SQUARES = [unit**2 for unit in range(60)]
TWO = SpreadOptions(workers=2)


def test_small_work_is_done_in_this_process(tmp_path: Path) -> None:
    """Nothing says how many workers: 60 units of no time need none."""
    log = tmp_path / "log"
    found, _ = done(job(tmp_path, 60, log=str(log)))
    assert found == SQUARES
    assert {line.split()[1] for line in log.read_text().splitlines()} == {str(os.getpid())}


def test_a_process_that_may_start_no_others_does_it_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker of a pool of multiprocessing's, which calls us."""
    monkeypatch.setitem(vars(multiprocessing.current_process())["_config"], "daemon", True)
    log = tmp_path / "log"
    found, _ = done(job(tmp_path, 60, log=str(log)), TWO)
    assert found == SQUARES
    assert {line.split()[1] for line in log.read_text().splitlines()} == {str(os.getpid())}


def test_two_processes_give_all_units_once_and_in_order(tmp_path: Path) -> None:
    """Both take part, and the progress has an estimate."""
    log, seen = tmp_path / "log", list[Progress]()
    found, spread = done(job(tmp_path, 60, seconds=0.05, log=str(log)), TWO, progress=seen.append)
    assert found == SQUARES
    lines = [line.split() for line in log.read_text().splitlines()]
    assert sorted(int(unit) for unit, _ in lines) == list(range(60))
    assert len({process for _, process in lines} - {str(os.getpid())}) == 2
    assert spread.said == []
    texts = [state.text for state in seen]
    assert texts[-1].startswith("squares: 60 of 60 numbers")
    assert any("2 workers, about" in text and text.endswith("left") for text in texts)


def test_a_killed_worker_is_replaced_and_its_task_done_again(tmp_path: Path) -> None:
    """SIGKILL from inside of a task, once."""
    found, spread = done(job(tmp_path, 60, seconds=0.02, dies_at=31, flag=str(tmp_path / "flag")), TWO)
    assert found == SQUARES
    assert len(spread.said) == 1
    assert "ended by signal 9" in spread.said[0]
    assert spread.stopped is None


def test_a_task_that_kills_its_workers_ends_the_work_and_keeps_the_rest(tmp_path: Path) -> None:
    """After four workers; what was done is given, and the file goes on with another program."""
    kept = SpreadOptions(workers=2, checkpoint=tmp_path / "c")
    found, spread = done(job(tmp_path, 12, seconds=0.3, dies_at=7), kept)
    assert spread.stopped is not None
    assert spread.stopped.problems[0].code == "FP9507"
    assert found[:5] == SQUARES[:5]
    assert set(found) < set(SQUARES[:12])
    assert SQUARES[7] not in found
    assert "--resume goes on" in spread.said[-1]


@pytest.mark.parametrize("workers", [1, 2])
def test_wrong_input_is_an_error_as_without_workers(tmp_path: Path, workers: int) -> None:
    with pytest.raises(TrafficError, match="unit 3 cannot be had") as caught:
        done(job(tmp_path, 5, refuses_at=3), SpreadOptions(workers=workers))
    assert caught.value.problems[0].hint == "take another"


def test_a_fault_of_ours_in_a_worker_has_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="unexpected keyword argument 'nonsense'"):
        done(job(tmp_path, 5, nonsense=1), TWO)


def test_a_worker_that_reads_the_scenario_otherwise_is_refused(tmp_path: Path) -> None:
    """Its fingerprint is another."""
    from dataclasses import replace

    with pytest.raises(FabricError, match="another network or other traffic") as caught:
        done(replace(job(tmp_path, 5), fingerprint="another"), TWO)
    assert caught.value.problems[0].code == "FP9506"


def test_an_interrupt_keeps_what_is_done_and_ends_the_workers(tmp_path: Path) -> None:
    """A signal in mid-work, as Ctrl-C; then the rest, nothing twice."""
    log = tmp_path / "log"
    asked = job(tmp_path, 60, seconds=0.1, log=str(log))

    def interrupt() -> None:
        while not log.exists() or len(log.read_text().splitlines()) < 20:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    path = tmp_path / "c"
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        done(asked, SpreadOptions(workers=2, checkpoint=path))
    thread.join()
    begun = len(log.read_text().splitlines())
    time.sleep(0.5)
    assert len(log.read_text().splitlines()) == begun
    found, spread = done(asked, SpreadOptions(workers=2, checkpoint=path, resume=True))
    assert found == SQUARES
    before = int(spread.said[0].split()[0])
    assert 0 < before <= begun < 60
    # Only what was in flight is done a second time.
    lines = [line.split()[0] for line in log.read_text().splitlines()]
    assert len(lines) == 60 + begun - before


def test_the_scenario_goes_with_its_files_and_not_by_its_path(tmp_path: Path) -> None:
    """Included, named and sourced files; errors have the names that people gave."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "run.sh").write_text("#!/bin/bash\nsource $HERE/common.sh\n")
    (tmp_path / "more" / "common.sh").write_text("GPUS=8\n")
    (tmp_path / "base.yaml").write_text(
        "version: 1\nname: base\ndescription: more/run.sh\n"
        "fabrics: {main: {topology: {kind: fat-tree, radix: 4, speed: 100G}}}\n"
    )
    (tmp_path / "s.yaml").write_text("include: [base.yaml]\nname: top\nseed: 4\n")
    from fabric.scenario.load import load_scenario

    sent = Shipment.of(load_scenario(tmp_path / "s.yaml"))
    names = {Path(name).relative_to(tmp_path).as_posix() for name in sent.files}
    assert names == {"s.yaml", "base.yaml", "more/run.sh", "more/common.sh"}
    for path in tmp_path.glob("*.yaml"):
        path.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    loaded = sent.unpack(elsewhere)
    assert (loaded.scenario.name, loaded.scenario.seed) == ("top", 4)


@pytest.mark.parametrize(
    ("task", "left"),
    [((0, 4), [(4, 10)]), ((4, 6), [(0, 4), (6, 10)]), ((0, 10), []), ((8, 12), None), ((10, 11), None)],
)
def test_units_are_taken_once(task: tuple[int, int], left: list[tuple[int, int]] | None) -> None:
    from fabric.spread.job import Task

    rest = _without([Task(0, 10)], Task(*task))
    assert (None if rest is None else [(part.first, part.last) for part in rest]) == left


DRAWN = """\
version: 1
name: drawn
nodes:
  - {group: gpu, count: 16, gpus: 2, nics: {main: {count: 2, speed: 100G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 8, spines: 4, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 100G}
    routing: {router: ecmp-hash}
workloads:
  - {id: shuffle, kind: permutation, fabric: main, size: 1 GB}
limits:
  - {fabric: main, metric: utilisation, stat: max, max: 150%, at: p95}
"""


@pytest.mark.parametrize(
    "flags", [[], ["--set", "fabrics.main.routing={router: adaptive, adaptive: {granularity: flowlet}}"]]
)
def test_draws_of_the_hash_by_two_processes_are_those_of_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    """Bands, rates of flows, limits and the draw shown: the same bytes, also in two goes."""
    from fabric.cli.main import run

    path = tmp_path / "s.yaml"
    path.write_text(DRAWN)
    line = ["route", str(path), "--replicas", "150", "--json", "-q", *flags]
    code = run([*line, "--suggest", "never"])
    one = capsys.readouterr().out
    assert '"draws": 150' in one
    for more in (
        ["--workers", "2", "--checkpoint", str(tmp_path / "c")],
        ["--checkpoint", str(tmp_path / "c"), "--resume"],
    ):
        assert run([*line, *more]) == code
        assert capsys.readouterr().out == one


def test_nothing_to_draw_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from fabric.cli.main import run

    path = tmp_path / "s.yaml"
    path.write_text(DRAWN)
    assert run(["route", str(path), "--router", "ecmp", "--workers", "2"]) == 3
    assert "FP5013" in capsys.readouterr().err


def test_failures_by_two_processes_are_those_of_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Singles and pairs, the worst of every link with its causes: the same bytes."""
    from fabric.cli.main import run

    path = tmp_path / "s.yaml"
    path.write_text(DRAWN.replace("ecmp-hash", "ecmp"))
    for flags in ([], ["--kind", "switch", "--k", "2"]):
        line = ["failures", str(path), "--json", "-q", *flags]
        code = run([*line, "--workers", "1"])
        one = capsys.readouterr().out
        kept = str(tmp_path / f"c{len(flags)}")
        for more in (["--workers", "2", "--checkpoint", kept], ["--checkpoint", kept, "--resume"]):
            assert run([*line, *more]) == code
            assert capsys.readouterr().out == one
