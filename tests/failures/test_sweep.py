"""A sweep is what ``fabric route --down`` says of every case: loads, links over, pairs, states and times of jobs."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from fabric.failures.chunks import Ground, Sweep, chunks
from fabric.failures.enumerate import case_set
from fabric.failures.request import FailureRequest
from fabric.failures.shipped import Shipped, prepare, tally_of, work
from fabric.failures.sweep import run_failures
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario

TWO_FABRICS = """
version: 1
name: two
nodes:
  - {group: gpu, count: 8, gpus: 2, nics: {main: {count: 2, speed: 100G, rail: per-gpu}, store: {speed: 100G}}}
  - {group: disks, count: 2, gpus: 0, nics: {store: {speed: 100G}}}
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {model: eth-32x100, count: 4, down: 4, up: 3}
      spine: {model: eth-32x100, count: 3}
    routing: {router: ROUTER}
  store:
    topology: {kind: leaf-spine, leaves: 3, spines: 2, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 100G}
    routing: {router: ecmp}
workloads:
  - {id: shuffle, kind: alltoall, members: gpu, fabric: main, size: 1 GiB}
  - {id: copy, kind: permutation, fabric: store, members: gpu, size: 1 GiB}
  - {id: steady, kind: permutation, fabric: store, members: gpu, rate: 20 Gb/s}
limits:
  - {fabric: main, when: any-single-spine, metric: utilisation, max: 120%}
  - {fabric: main, when: any-single-spine, metric: utilisation, tier: leaf-spine, stat: p50, max: 100%}
  - {fabric: main, when: any-single-switch, metric: unreachable_pairs, max: 0}
  - {fabric: main, when: any-single-link, metric: links_over_capacity, max: 4}
  - {fabric: main, when: any-single-link, metric: links_over_capacity, tier: leaf-spine, max: 4}
  - {workload: shuffle, when: any-single-spine, metric: step_time, max: 100 ms}
"""


def opened(folder: Path, text: str = TWO_FABRICS, router: str = "ecmp"):
    """The scenario, loaded."""
    path = folder / "two.fabric.yaml"
    path.write_text(text.replace("ROUTER", router), encoding="utf-8")
    return load_scenario(str(path))


@pytest.mark.parametrize("router", ["ecmp", "ecmp-hash"])
def test_every_case_is_what_route_says_with_its_parts_down(router, tmp_path):
    """Fullest link, links over capacity of the worst phase, pairs of all phases, steps and stretches."""
    loaded = opened(tmp_path, router=router)
    run = run_scenario(loaded, RouteRequest(draws=1))
    result = run_failures(run, FailureRequest(route=run.request))
    intact = {job.id: job.step_time_s for job in run.result.jobs}
    assert result.total == result.cases == len(result.failures)
    for case in result.failures:
        anew = run_scenario(loaded, RouteRequest(draws=1, down=case.selectors)).result
        assert case.max_utilisation == pytest.approx(anew.max_utilisation, rel=1e-9)
        assert case.links_over_capacity == max(route.links_over_capacity for route in anew.routes)
        assert case.unreachable_pairs == anew.unreachable_pairs
        cut = {job for route in anew.routes for job in route.jobs_cut}
        times = {job.id: job.step_time_s for job in anew.jobs}
        for job in case.jobs:
            assert (job.state == "stalled") == (job.id in cut)
            if job.id in times and job.state != "stalled":
                assert job.step_time_s == pytest.approx(times[job.id], rel=1e-9)
                assert job.stretch == pytest.approx(times[job.id] / intact[job.id], rel=1e-9)
                assert (job.state == "slowed") == (times[job.id] > intact[job.id] * (1 + 1e-9))


def test_a_link_is_as_full_as_in_its_worst_case(tmp_path):
    """The worst of every link and the cases behind it, from routing every case by itself."""
    loaded = opened(tmp_path)
    run = run_scenario(loaded)
    result = run_failures(run)
    intact = _by_link(run.result.routes)
    worst, causes = dict(intact), {name: {} for name in intact}
    for case in result.failures:
        for name, value in _by_link(run_scenario(loaded, RouteRequest(down=case.selectors)).result.routes).items():
            worst[name] = max(worst[name], value)
            if value > intact[name] * (1 + 1e-9):
                causes[name][case.id] = value
    assert {(link.fabric, link.link) for link in result.links} == {name for name, value in worst.items() if value > 0}
    for link in result.links:
        name = (link.fabric, link.link)
        assert link.worst_utilisation == pytest.approx(worst[name], rel=1e-9)
        assert link.intact_utilisation == pytest.approx(intact[name], rel=1e-9)
        expected = sorted(causes[name].values(), reverse=True)[:10]
        assert [cause.utilisation for cause in link.causes] == pytest.approx(expected, rel=1e-9)
        assert all(causes[name][cause.case] == pytest.approx(cause.utilisation) for cause in link.causes)


def _by_link(routes) -> dict[tuple[str, str], float]:
    """Highest utilisation of every link over the phases of its fabric."""
    full: dict[tuple[str, str], float] = {}
    for route in routes:
        for link, value in enumerate(route.utilisation.tolist()):
            name = (route.fabric, route.topology.link_name(link))
            full[name] = max(full.get(name, 0.0), value)
    return full


def test_cases_stand_by_harm(tmp_path):
    """Stalled jobs first, then by stretch, then by the fullest link; ids are those of the set."""
    result = run_failures(run_scenario(opened(tmp_path)))
    order = [("stalled" not in {job.state for job in case.jobs}, -(case.stretch or 9.0)) for case in result.failures]
    assert order == sorted(order, key=lambda key: (key[0], round(key[1], 9)))
    assert sorted(case.id for case in result.failures) == [f"F{at + 1:05d}" for at in range(result.total)]
    states = [max((job.state for job in case.jobs), key=("ok", "slowed", "stalled").index) for case in result.failures]
    assert dict(result.by_state) == {state: states.count(state) for state in ("ok", "slowed", "stalled")}
    assert result.cut_off == sum(case.gpus_cut_off > 0 for case in result.failures)
    assert result.over_capacity == sum(case.links_over_capacity > 0 for case in result.failures)


def test_pairs_are_both_parts_down_at_once(tmp_path):
    """All pairs of switches, each routed by itself."""
    loaded = opened(tmp_path)
    run = run_scenario(loaded)
    result = run_failures(run, FailureRequest(kinds=("switch",), choose=2))
    count = len(case_set(run, FailureRequest(kinds=("switch",))))
    assert result.cases == count * (count - 1) // 2
    assert result.evaluated == len({case.parts for case in result.failures}) == len(result.failures) < result.cases
    for case in result.failures[::3]:
        anew = run_scenario(loaded, RouteRequest(down=case.selectors)).result
        assert case.max_utilisation == pytest.approx(anew.max_utilisation, rel=1e-9)
        assert case.unreachable_pairs == anew.unreachable_pairs
        assert case.gpus_cut_off == _cut_off(run, case.selectors)


def test_what_is_kept_of_many_is_the_worst_of_all(tmp_path, monkeypatch):
    """With room for five, they are the first five of all."""
    run = run_scenario(opened(tmp_path))
    whole = run_failures(run)
    monkeypatch.setattr("fabric.failures.chunks.KEEP_ALL", 10)
    few = run_failures(run, FailureRequest(keep_worst=5))
    assert [case.id for case in few.failures] == [case.id for case in whole.failures[:5]]
    assert (few.cases, few.by_state, few.cut_off) == (whole.cases, whole.by_state, whole.cut_off)
    assert few.links == whole.links


@pytest.mark.parametrize("kind", ["link", "switch"])
def test_gpus_that_a_case_cuts_off_are_those_outside_the_largest_part(kind, tmp_path):
    """NetworkX: parts of the damaged fabric, by the endpoints in them."""
    run = run_scenario(opened(tmp_path))
    for case in run_failures(run, FailureRequest(kinds=(kind,))).failures:
        assert case.gpus_cut_off == _cut_off(run, case.selectors)


def _cut_off(run, down) -> int:
    """GPUs cut off by NetworkX; every host of the scenario has a NIC of its own per GPU on main, one on store."""
    gone = set()
    anew = run_scenario(run.loaded, RouteRequest(down=tuple(down)))
    for name, topology in anew.network.topologies.items():
        graph = nx.Graph()
        graph.add_nodes_from(range(len(topology.nodes)))
        links = np.flatnonzero(topology.up)
        graph.add_edges_from(zip(topology.links.src[links].tolist(), topology.links.dst[links].tolist(), strict=True))
        parts = [[node for node in part if topology.nodes.nics[node]] for part in nx.connected_components(graph)]
        most = max(map(len, parts))
        for part in parts:
            if len(part) < most or most == 1:
                for node in part:
                    host, _, nic = topology.nodes.name[node].partition(".nic")
                    gpus = (int(nic),) if name == "main" else (0, 1)
                    gone |= {(host, gpu) for gpu in gpus} if not host.startswith("disks") else set()
    return len(gone)


def test_limits_with_when_are_the_worst_of_their_cases(tmp_path):
    """Each limit without its ``when``, judged by ``fabric route`` with every case of its set down."""
    loaded = opened(tmp_path)
    plain = opened(tmp_path, "\n".join(_without_when(line) for line in TWO_FABRICS.splitlines()))
    result = run_failures(run_scenario(loaded))
    assert len(result.limits) == 6
    for place, limit in enumerate(result.limits):
        cases = case_set(run_scenario(loaded), FailureRequest(named=(limit.when,)))
        verdicts = {
            at: run_scenario(plain, RouteRequest(down=cases.parts_of(at)[0].selectors)).result.limits[place]
            for at in range(len(cases))
        }
        assert limit.cases == len(cases)
        assert limit.broken == sum(verdict.ok is False for verdict in verdicts.values())
        assert limit.verdict.ok is (limit.broken == 0)
        known = [verdict.value for verdict in verdicts.values()]
        worst = None if None in known else max(known)
        assert limit.verdict.value == (None if worst is None else pytest.approx(worst, rel=1e-9))
        assert verdicts[int(limit.case[1:]) - 1].value == (None if worst is None else pytest.approx(worst, rel=1e-9))


def _without_when(line: str) -> str:
    return (
        line.replace("when: any-single-spine, ", "")
        .replace("when: any-single-switch, ", "")
        .replace("when: any-single-link, ", "")
    )


@pytest.mark.parametrize("choose", [1, 2])
def test_work_of_other_processes_merges_to_the_same(choose, tmp_path):
    """Chunks made from the scenario, as plain values, in any cut."""
    loaded = opened(tmp_path)
    run = run_scenario(loaded)
    request = FailureRequest(kinds=("switch",), choose=choose)
    sweep = Sweep(Ground.of(run, request), case_set(run, request), request)
    whole = [tally for _, _, tally in chunks(sweep)]
    there = prepare(loaded, Shipped(request))
    links = [len(phase.topology.links) for phase in sweep.ground.phases]
    parts = [tally_of(work(there, first, min(first + 3, sweep.units)), links) for first in range(0, sweep.units, 3)]
    mine, theirs = whole[0], parts[0]
    for tally in whole[1:]:
        mine = mine.merged(tally, sweep.keep)
    for tally in parts[1:]:
        theirs = theirs.merged(tally, sweep.keep)
    assert (mine.cases, mine.cut_off, mine.over_capacity) == (theirs.cases, theirs.cut_off, theirs.over_capacity)
    np.testing.assert_array_equal(mine.figures.number, theirs.figures.number)
    np.testing.assert_array_equal(mine.figures.max_utilisation, theirs.figures.max_utilisation)
    for one, other in zip(mine.worst, theirs.worst, strict=True):
        np.testing.assert_array_equal(one.utilisation, other.utilisation)
        np.testing.assert_array_equal(one.case, other.case)


def test_ctrl_c_gives_what_there_is(tmp_path):
    """Interrupted in the second chunk: the first is kept, counts say so, limits are left out."""
    run = run_scenario(opened(tmp_path))

    def interrupted(sweep):
        yield 0, 2, sweep.chunk(0, 2)
        raise KeyboardInterrupt

    result = run_failures(run, chunks_of=interrupted)
    assert result.partial
    assert result.evaluated == 2
    assert result.cases == len(result.failures) < result.total
    assert result.limits == ()


@pytest.mark.parametrize("spines", [3, 4])
def test_pairs_in_bulk_are_pairs_one_by_one(spines, tmp_path, monkeypatch):
    """An engine that routes all pairs at once, and the way that takes each first failure by itself."""
    text = TWO_FABRICS.split("limits:")[0].replace("count: 3}", f"count: {spines}}}").replace("up: 3", f"up: {spines}")
    text = text.replace("spines: 2", "spines: 3").replace("store: {speed: 100G}", "store: {speed: 100G, count: 2}", 1)
    text = text.replace("leaves: 3, ", "leaves: 4, dual_home: [gpu], ")
    text = text.replace("hosts_per_leaf: 4, ", "hosts_per_leaf: 8, ")
    run = run_scenario(opened(tmp_path, _all_hashed(text)))
    request = FailureRequest(kinds=("switch", "link"), choose=2, expected=False)
    sweep = Sweep(Ground.of(run, request), case_set(run, request), request)
    assert sweep._in_bulk
    assert sweep._cut_off is not None
    bulk = run_failures(run, request)
    monkeypatch.setattr(Sweep, "_in_bulk", False)
    slow = run_failures(run, request)
    assert bulk.failures == slow.failures
    assert bulk.links == slow.links
    assert (bulk.cases, bulk.by_state, bulk.cut_off) == (slow.cases, slow.by_state, slow.cut_off)


def _all_hashed(text: str) -> str:
    return text.replace("ROUTER", "ecmp-hash").replace("router: ecmp}", "router: ecmp-hash}")
