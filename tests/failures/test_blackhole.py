"""What is lost before a failure is noticed: sums over dead links, flow by flow, and bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fabric.failures.blackhole import DETECTION_S, Losses
from fabric.failures.cases import Cases, damage_of
from fabric.failures.choose import engine_of
from fabric.failures.engine import LinkWorst
from fabric.failures.optimum import OptimalEngine
from fabric.failures.part import Part
from fabric.failures.phases import sweep_phases
from fabric.failures.reacting import reaction_assumptions
from fabric.failures.reaction import BLACKHOLE, CONVERGED, REOPTIMISED
from fabric.failures.request import FailureRequest
from fabric.failures.sweep import run_failures
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario
from topologies.columns import column

SCENARIO = """
version: 1
name: small
fabrics:
  main:
    topology: {topology}
    routing: {{router: {router}}}
workloads:
  - {{id: shuffle, kind: all-to-all, fabric: main, size: 1 MB}}
  - {{id: near, kind: stride, fabric: main, step: 3, rate: 20 Gb/s}}
"""
FAT_TREE = "{kind: fat-tree, radix: 4, speed: 100G}"
HPN = (
    "{kind: dual-plane, segments: 2, hosts_per_segment: 2, gpus_per_host: 2, port_speed: 200G, tor_uplinks: 4, "
    "uplink_speed: 400G, aggs_per_plane: 4}"
)


def routed(folder, router="ecmp", topology=FAT_TREE):
    """The scenario, routed intact."""
    path = folder / "small.fabric.yaml"
    path.write_text(SCENARIO.format(router=router, topology=topology), encoding="utf-8")
    return run_scenario(load_scenario(str(path)), RouteRequest(draws=1))


def damage(topology, *names):
    """One case: these links (both directions) and switches fail together."""
    links, dead = topology.links, []
    for name in names:
        ends = name.split(" -> ")
        nodes = [topology.node(end) for end in ends]
        if len(nodes) == 1:
            dead.append(np.flatnonzero((links.src == nodes[0]) | (links.dst == nodes[0])))
        else:
            same = (links.src == nodes[0]) & (links.dst == nodes[1])
            dead.append(np.flatnonzero(same | (links.src == nodes[1]) & (links.dst == nodes[0])))
    part = Part("link", " + ".join(names), {"main": column(np.unique(np.concatenate(dead)), np.int32)})
    return damage_of(Cases.single((part,)), "main")


@pytest.mark.parametrize("router", ["ecmp", "wcmp", "single-path", "ftree", "optimal", "spray", "ecmp-hash"])
def test_of_one_cable_what_it_carries_is_lost(router, tmp_path):
    """No path crosses a cable both ways, so that the loss is the load of both directions."""
    for phase in sweep_phases(routed(tmp_path, router)):
        losses = Losses.of(phase)
        assert not losses.at_most
        for name in ("pod0/edge0 -> pod0/agg0", "pod2/agg1 -> core3", "pod1/edge0/h1 -> pod1/edge0"):
            case = damage(phase.topology, name)
            hits = losses.hits(case, 0, DETECTION_S)
            carried = phase.intact.link_gbps[case.of(0)[0]].sum()
            assert sum(hit.lost_gbps for hit in hits) == pytest.approx(carried, rel=1e-5)
            assert all(hit.pairs > 0 for hit in hits)


@pytest.mark.parametrize(("router", "topology"), [("ecmp", FAT_TREE), ("ecmp-hash", FAT_TREE), ("ecmp", HPN)])
def test_of_a_switch_what_enters_it_is_lost_once(router, topology, tmp_path):
    """What crosses a dead switch crosses two dead links: the loss is what comes in."""
    for phase in sweep_phases(routed(tmp_path, router, topology)):
        fabric = phase.topology
        name = "pod0/agg1" if topology == FAT_TREE else "pod0/plane0/agg1"
        case = damage(fabric, name)
        dead = case.of(0)[0]
        entering = dead[fabric.links.dst[dead] == fabric.node(name)]
        hits = Losses.of(phase).hits(case, 0, DETECTION_S)
        assert sum(hit.lost_gbps for hit in hits) == pytest.approx(phase.intact.link_gbps[entering].sum(), rel=1e-9)


def test_a_router_without_tables_has_a_bound(tmp_path):
    """Valiant: what enters two dead cables, at most; pairs are not known."""
    for phase in sweep_phases(routed(tmp_path, "valiant")):
        case = damage(phase.topology, "pod0/edge0 -> pod0/agg0", "pod0/agg0 -> core0")
        losses = Losses.of(phase)
        assert losses.at_most
        hits = losses.hits(case, 0, 1.0)
        assert hits
        assert all(hit.at_most and hit.pairs is None for hit in hits)
        assert sum(hit.lost_gbps for hit in hits) <= phase.intact.link_gbps[case.of(0)[0]].sum() * (1 + 1e-12)


def test_bytes_are_of_the_time_of_detection_or_of_the_phase(tmp_path):
    """Steady traffic loses rate x time; a phase at most all that it sends that way, 10 us of it in 10 us."""
    for phase in sweep_phases(routed(tmp_path)):
        losses, case = Losses.of(phase), damage(phase.topology, "pod0/edge0 -> pod0/agg0")
        short, long = (losses.hits(case, 0, seconds) for seconds in (1e-5, 10.0))
        stretch = max(phase.intact.max_utilisation, 1.0)
        for one, other in zip(short, long, strict=True):
            window = phase.intact.window_s.get(one.job)
            if window is None:
                assert one.lost_bytes == pytest.approx(one.lost_gbps * 1e9 / 8 * 1e-5)
                assert other.lost_bytes == pytest.approx(one.lost_bytes * 1e6)
            else:
                assert one.lost_bytes == pytest.approx(one.lost_gbps * 1e9 / 8 * min(window, 1e-5 / stretch))
                assert other.lost_bytes == pytest.approx(one.lost_gbps * 1e9 / 8 * window)


def test_a_sweep_says_the_loss_the_time_and_the_state_after_it(tmp_path):
    """Figures are those of ``converged``; every case has its hits; the default time is an assumption."""
    run = routed(tmp_path)
    request = FailureRequest(reaction=BLACKHOLE, kinds=("switch",))
    result = run_failures(run, request)
    after = run_failures(run, replace(request, reaction=CONVERGED))
    assert result.detection_s == DETECTION_S
    assert any("0.9 s" in entry.text for entry in result.assumptions)
    assert [case.max_utilisation for case in result.failures] == [case.max_utilisation for case in after.failures]
    assert all(case.hits for case in result.failures)
    assert not any(case.hits for case in after.failures)
    given = run_failures(run, replace(request, detection_s=0.2))
    assert given.detection_s == 0.2
    assert not any("0.9 s" in entry.text for entry in given.assumptions)
    assert reaction_assumptions(replace(request, reaction=CONVERGED), None) == ()


def test_equal_cases_are_solved_once_and_nothing_beats_the_bound(tmp_path):
    """Reaction ``optimal``: no higher than ``converged``, no lower than the proof, the same case from the store."""
    phase = sweep_phases(routed(tmp_path))[0]
    one = damage(phase.topology, "pod0/edge0 -> pod0/agg0")
    two = damage(phase.topology, "pod0/edge0 -> pod0/agg0")
    engine = engine_of(phase, REOPTIMISED)
    assert isinstance(engine, OptimalEngine)
    worst = LinkWorst.empty(len(phase.topology.links))
    best = engine.outcomes(one, worst).max_utilisation[0]
    engine.outcomes(two, worst)
    assert len(engine.known) == 1
    converged = engine_of(phase, CONVERGED).outcomes(one, worst).max_utilisation[0]
    bound = engine.best(one, 0).bound
    assert bound - 1e-9 <= best <= converged * (1 + 1e-6)
    assert best == pytest.approx(bound, rel=1e-3)
