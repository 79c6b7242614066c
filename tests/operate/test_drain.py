"""Plans of work: what windows cost is what routing them says, and no division of few works costs less."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from drain_cases import random_case, routed

from fabric.failures.job_reaction import failing_jobs
from fabric.operate.drain.drain import plan_drain
from fabric.operate.drain.planner import DrainRequest
from fabric.operate.drain.work import Work, works_on
from fabric.pipeline.run import Run, run_scenario
from fabric.scenario.load import load_scenario_text
from topologies.errors import ScenarioError

LIMIT = """\
limits:
  - {fabric: main, metric: offered, max: 100%}
"""
QUICK = DrainRequest(failures=False)


def _lost_h(run: Run, names: tuple[str, ...]) -> float:
    """GPU-hours that half an hour without some switches costs, by two whole runs."""
    after = run_scenario(run.loaded, replace(run.request, down=names)).result
    gpus = {job.id: job.gpus for job in failing_jobs(run)}
    lost = 0.0
    for before, now in zip(run.result.jobs, after.jobs, strict=True):
        times = [sum(phase.predicted_s or float("inf") for phase in job.phases) for job in (before, now)]
        lost += gpus[before.id] * (1 - times[0] / times[1]) * 0.5
    return lost


@pytest.mark.parametrize("seed", range(4))
def test_no_division_of_four_works_costs_less_by_whole_runs(seed: int) -> None:
    run, works, _ = random_case(seed, most=4)
    result = plan_drain(run, works, QUICK)
    names = [work.name for work in works]
    known: dict[tuple[str, ...], float] = {}
    least = float("inf")
    for places in product(range(len(works)), repeat=len(works)):
        windows = [tuple(n for n, at in zip(names, places, strict=True) if at == w) for w in range(len(works))]
        for each in windows:
            if each and each not in known:
                known[each] = _lost_h(run, each)
        least = min(least, sum(known[each] for each in windows if each))
    assert result.exact
    assert result.lost == pytest.approx(least, abs=1e-9)
    assert sorted(name for window in result.windows for name in window.works) == sorted(names)
    for window in result.windows:
        assert window.lost == pytest.approx(known[tuple(n for n in names if n in window.works)], abs=1e-9)


def test_two_thirds_of_the_order_by_residual_capacity_at_most() -> None:
    lost, residual = 0.0, 0.0
    for seed in range(16):
        run, works, windows = random_case(seed)
        result = plan_drain(run, works, replace(QUICK, windows=windows))
        assert result.residual is not None
        if result.residual.broken == 0:  # one that breaks the promises is no plan to compare with
            lost += result.lost
            residual += result.residual.lost
            assert result.lost <= result.residual.lost + 1e-9
    assert lost <= residual * 2 / 3


def test_windows_keep_the_limits_and_cheapest_come_first() -> None:
    run = routed(busy=15, kind="permutation", more=LIMIT)
    assert run.result.limits_ok
    works = works_on(run.network, ["role=core"], 1800.0)
    broken = plan_drain(run, works, QUICK)
    assert not broken.keeps_limits  # a permutation fills every core
    spared = routed(busy=4, kind="permutation", more=LIMIT)
    kept = plan_drain(spared, works_on(spared.network, ["pod2/agg0", "pod3/agg0", "pod2/agg1"], 1800.0), QUICK)
    assert kept.keeps_limits
    assert kept.lost == 0
    assert [window.lost for window in broken.windows] == sorted(window.lost for window in broken.windows)


def test_limits_with_when_are_judged_in_every_window() -> None:
    more = "limits:\n  - {fabric: main, metric: unreachable_pairs, max: 0, when: any-single-core}\n"
    run = routed(busy=8, more=more)
    works = works_on(run.network, ["core0", "core1", "core2"], 1800.0)
    result = plan_drain(run, works, DrainRequest())
    assert result.keeps_limits
    # with three of four cores drained, the fourth is all there is, and the limit lets any single core fail
    assert all(len(window.works) < 3 for window in result.windows)
    assert all(window.worst_failure is not None for window in result.windows)
    without = plan_drain(run, works, QUICK)
    assert any("--failures" in note for note in without.notes)


def test_what_waits_comes_later_and_longest_works_make_a_window() -> None:
    run = routed()
    one, two, three = works_on(run.network, ["core0", "core1", "pod0/agg0"], 1800.0)
    works = (one, replace(two, takes_s=7200.0), replace(three, after=(0, 1)))
    result = plan_drain(run, works, QUICK)
    last = next(window for window in result.windows if "pod0/agg0" in window.works)
    assert last.number == len(result.windows) > 1
    assert max(window.hours for window in result.windows) == 2


def test_works_that_do_not_fit_are_refused() -> None:
    run = routed()
    works = works_on(run.network, ["role=core"], 1800.0)
    with pytest.raises(ScenarioError, match="4 works do not fit into 1 windows"):
        plan_drain(run, works, replace(QUICK, windows=1, at_most=2))
    circle = (replace(works[0], after=(1,)), replace(works[1], after=(0,)))
    with pytest.raises(ScenarioError, match="waits"):
        plan_drain(run, circle, QUICK)


def test_a_switch_with_all_links_down_is_nothing_to_drain() -> None:
    run = routed()
    down = run_scenario(run.loaded, replace(run.request, down=("core0",)))
    with pytest.raises(ScenarioError, match="core0: no link of it is up"):
        works_on(down.network, ["core0"], 1800.0)


def test_many_works_are_searched_and_never_cost_more_than_by_residual_capacity() -> None:
    run = routed(radix=6, busy=30)
    works: tuple[Work, ...] = works_on(run.network, ["role=core", "role=aggregation"], 1800.0)
    assert len(works) > 12
    result = plan_drain(run, works, replace(QUICK, windows=4, time_limit_s=2.0))
    assert not result.exact
    assert result.residual is not None
    assert (not result.keeps_limits, result.lost) <= (result.residual.broken > 0, result.residual.lost + 1e-9)
    assert sum(len(window.works) for window in result.windows) == len(works)


TWO = """\
version: 1
name: two
nodes:
  - {group: gpu, count: 16, gpus: 4, per_rack: 4, nics: {backend: {speed: 400G}, storage: {speed: 400G}}}
fabrics:
  backend:
    topology: {kind: leaf-spine, leaves: 4, spines: 4, hosts_per_leaf: 4, host_speed: 400G, uplink_speed: 400G}
    routing: {router: ecmp}
  storage:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 4, host_speed: 400G, uplink_speed: 400G}
    routing: {router: ecmp}
workloads:
"""
JOBS = (
    "  - {id: a, kind: all-to-all, fabric: backend, size: 1 GB}\n",
    "  - {id: b, kind: all-to-all, fabric: storage, size: 1 GB}\n",
)


@pytest.mark.parametrize("jobs", [JOBS, JOBS[::-1]])
def test_jobs_on_the_same_gpus_cost_the_same_in_any_order(jobs: tuple[str, ...]) -> None:
    """Storage with one of two spines: b takes twice as long, so half of the 64 GPUs stand still for half an hour."""
    run = run_scenario(load_scenario_text(TWO + "".join(jobs), "two.fabric.yaml"))
    result = plan_drain(run, works_on(run.network, ["fabric=storage spine0"], 1800.0), QUICK)
    before, after = (next(job for job in jobs if job.id == "b") for jobs in (run.result.jobs, result.windows[0].jobs))
    part = 1 - before.phases[0].predicted_s / after.phases[0].predicted_s
    assert part > 0.3
    assert result.lost == pytest.approx(64 * part * 0.5)


def test_switches_of_one_name_are_told_with_their_fabric() -> None:
    run = run_scenario(load_scenario_text(TWO + "".join(JOBS), "two.fabric.yaml"))
    works = works_on(run.network, ["spine0", "role=spine"], 1800.0)
    names = [work.name for work in works]
    assert len(set(names)) == len(names) == 6
    assert {"backend spine0", "storage spine0", "spine2"} <= set(names)


def test_a_limit_is_broken_rather_than_a_job_stopped() -> None:
    """All spines in two windows: each leaves two of four, which breaks the limit; three and one would break it once."""
    limit = "limits:\n  - {fabric: backend, metric: offered, max: 100%}\n"
    run = run_scenario(load_scenario_text(TWO + JOBS[0] + limit, "two.fabric.yaml"))
    works = works_on(run.network, ["fabric=backend role=spine"], 1800.0)
    result = plan_drain(run, works, replace(QUICK, windows=2))
    assert not result.keeps_limits
    assert not any("cannot finish" in text for window in result.windows for text in window.broken)
