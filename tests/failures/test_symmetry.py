"""Equal cases: every part of an orbit does what its representative does, and refinement proves what it joins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_plain_engine import parts_of

from fabric.evaluation.phases import route_phase
from fabric.failures.cases import Cases, damage_of
from fabric.failures.chunks import Sweep
from fabric.failures.engine import LinkWorst, SweepPhase
from fabric.failures.plain import PlainEngine
from fabric.failures.request import FailureRequest
from fabric.failures.sweep import run_failures
from fabric.failures.symmetry.orbits import CarriedParts, equal_parts, symmetry_of
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.routing.router import RoutingOptions
from fabric.scenario.latency_schema import FabricLatency
from fabric.scenario.load import load_scenario
from topologies.builder import TOPOLOGIES
from topologies.columns import column
from traffic.demands import Demands, Flows, TrafficClass, UniformBlock

FABRICS = {
    "fat-tree": {"kind": "fat-tree", "radix": 4, "speed": "400G"},
    "leaf-spine": {"kind": "leaf-spine", "leaf": {"count": 4, "down": 3, "up": 4}, "spine": {"count": 2}},
    "torus": {"kind": "torus", "dims": [4, 4], "endpoints_per_switch": 1, "speed": "100G"},
    "dragonfly": {"kind": "dragonfly", **TOPOLOGIES["dragonfly"].example},
    "jellyfish": {"kind": "jellyfish", **TOPOLOGIES["jellyfish"].example},
}


def fabric_of(kind: str):
    spec = FABRICS[kind]
    if kind == "leaf-spine":
        model = {"model": "eth-32x100"}
        spec = {**spec, "leaf": {**spec["leaf"], **model}, "spine": {**spec["spine"], **model}}
    return replace(TOPOLOGIES[kind](spec), name="main")


def demand_of(topology, shape: str) -> Flows:
    ends = topology.endpoint_nodes
    none = np.empty(0, dtype=np.int32)
    if shape == "all-to-all":
        return Flows(none, none, np.empty(0), (UniformBlock(ends, 1e9),))
    if shape == "ring":
        return Flows.of(ends, np.roll(ends, -1), np.full(len(ends), 1e9))
    rng = np.random.default_rng(4)
    return Flows.of(rng.choice(ends, 20), rng.choice(ends, 20), rng.random(20) * 1e9)


def phase_of(topology, flows: Flows, router: str = "ecmp") -> SweepPhase:
    """One phase of one job, routed intact."""
    demands = Demands("main", (TrafficClass("job", "phase", "rows", steady=False),), (flows,))
    options = RoutingOptions()
    intact = route_phase(topology, demands, "phase", router=router, options=options, efficiency=1.0)
    return SweepPhase("main", "phase", topology, demands, router, options, 1.0, FabricLatency(), intact)


@pytest.mark.parametrize("shape", ["all-to-all", "ring", "random"])
@pytest.mark.parametrize("kind", FABRICS)
@pytest.mark.parametrize("router", ["ecmp", "wcmp"])
def test_equal_cases_have_equal_answers(kind, shape, router):
    """Down to the load of every link, in order of fullness."""
    topology = fabric_of(kind)
    phase = phase_of(topology, demand_of(topology, shape), router)
    parts = parts_of(topology)
    equal = equal_parts([phase], parts)
    engine, damage = PlainEngine(phase), damage_of(Cases.single(parts), "main")
    loads = np.array([np.sort(engine.utilisation(damage, case)) for case in range(len(parts))])
    np.testing.assert_allclose(loads, loads[equal.first], rtol=1e-9, atol=1e-12)
    assert equal.counts.sum() == len(parts)
    if shape == "random":
        assert len(equal.representatives) > len(parts) / 3


@pytest.mark.parametrize(
    ("kind", "shape", "orbits"),
    [
        ("fat-tree", "all-to-all", 6),  # hosts, edges and aggregations: three links and three switches
        ("leaf-spine", "all-to-all", 4),
        ("torus", "all-to-all", 3),
    ],
)
def test_a_regular_fabric_has_as_many_cases_as_kinds_of_part(kind, shape, orbits):
    """One case per kind of link and of switch."""
    topology = fabric_of(kind)
    assert (
        len(equal_parts([phase_of(topology, demand_of(topology, shape))], parts_of(topology)).representatives) == orbits
    )


@pytest.mark.parametrize("shape", ["all-to-all", "ring"])
def test_links_meet_the_same_worst_as_when_all_cases_are_looked_at(shape):
    """Through one case of every orbit, and each of the causes does it when it is carried onto the link."""
    topology = fabric_of("fat-tree")
    phase, parts = phase_of(topology, demand_of(topology, shape)), parts_of(topology)
    equal, engine = equal_parts([phase], parts), PlainEngine(phase)
    whole = LinkWorst.empty(len(topology.links))
    damage = damage_of(Cases.single(parts), "main")
    engine.outcomes(damage, whole)
    few = LinkWorst.empty(len(topology.links))
    for part in equal.representatives.tolist():
        engine.outcomes(damage_of(Cases.single((parts[part],)), "main"), few, first=part)
    symmetry = equal.symmetries["main"]
    spread = symmetry.over_orbits(few, CarriedParts(parts, "main", symmetry))
    np.testing.assert_allclose(spread.utilisation[:, 0], whole.utilisation[:, 0], rtol=1e-9)
    for link in range(0, len(topology.links), 7):
        for value, case in zip(spread.utilisation[link], spread.case[link], strict=True):
            if case >= 0:
                assert engine.utilisation(damage, case)[link] == pytest.approx(value, rel=1e-9)


def test_parts_of_two_fabrics_are_equal_to_nothing():
    """What they do elsewhere is not looked at."""
    topology = fabric_of("fat-tree")
    symmetry = symmetry_of(topology, [demand_of(topology, "all-to-all")])
    one, other = parts_of(topology)[:2]
    both = replace(one, links={**one.links, "storage": column([0], np.int32)})
    assert symmetry.part_orbits([one, both, other], "main").tolist() == [0, 1, 0]


def test_a_hash_has_no_symmetry():
    """Flows are not alike."""
    topology = fabric_of("fat-tree")
    phase = phase_of(topology, demand_of(topology, "all-to-all"), "ecmp-hash")
    assert len(equal_parts([phase], parts_of(topology)).representatives) == len(parts_of(topology))


def test_degraded_links_are_equal_to_those_that_keep_as_much():
    """Half a link is not a whole one, nor a dead one."""
    topology = fabric_of("fat-tree")
    symmetry = symmetry_of(topology, [demand_of(topology, "all-to-all")])
    dead = parts_of(topology)[:4]
    slowed = [
        replace(part, links={}, slowed={"main": (part.links["main"], np.full(2, left))})
        for part, left in zip(dead, (0.5, 0.5, 0.25, 0.25), strict=True)
    ]
    assert symmetry.part_orbits([*dead, *slowed], "main").tolist() == [0, 0, 0, 0, 4, 4, 6, 6]


@pytest.mark.parametrize("choose", [1, 2])
def test_a_sweep_says_the_same_with_and_without_symmetry(choose, tmp_path, monkeypatch):
    """Counts, worst links and their causes; only fewer cases are routed."""
    path = tmp_path / "s.yaml"
    path.write_text(
        "version: 1\nname: small\nfabrics:\n  main:\n    topology: {kind: fat-tree, radix: 4, speed: 400G}\n"
        "    routing: {router: ecmp}\nworkloads:\n  - {id: shuffle, kind: alltoall, members: all, size: 1 GiB}\n"
        "limits:\n  - {fabric: main, metric: utilisation, max: 120%, when: any-single-link}\n",
        encoding="utf-8",
    )
    run = run_scenario(load_scenario(str(path)))
    few = run_failures(run, FailureRequest(choose=choose, expected=False))
    monkeypatch.setattr(Sweep, "equal", None)
    every = run_failures(run, FailureRequest(choose=choose, expected=False))
    assert few.evaluated < every.evaluated / 3
    for name in ("total", "cases", "by_state", "cut_off", "over_capacity"):
        assert getattr(few, name) == getattr(every, name), name
    assert [(limit.broken, limit.cases) for limit in few.limits] == [
        (limit.broken, limit.cases) for limit in every.limits
    ]
    worst = {link.link: link.worst_utilisation for link in every.links}
    assert {link.link: link.worst_utilisation for link in few.links} == pytest.approx(worst, rel=1e-9)
    if choose == 1:  # every case is written out, with its own fullest link
        said = {
            case.parts: (case.max_utilisation, case.hottest_link, case.stretch, case.count) for case in few.failures
        }
        for case in every.failures:
            utilisation, hottest, stretch, count = said[case.parts]
            assert (utilisation, stretch, count) == (
                pytest.approx(case.max_utilisation),
                pytest.approx(case.stretch),
                1,
            )
            down = run_scenario(run.loaded, RouteRequest(down=case.selectors)).result.routes[0]
            link = next(at for at in range(len(down.utilisation)) if down.topology.link_name(at) == hottest)
            assert down.utilisation[link] == pytest.approx(utilisation)
