"""Cases that are followed equal cases that are routed anew, to 1e-9: every rule, reaction and kind of damage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fabric.evaluation.phases import route_phase
from fabric.failures.cases import Cases, damage_of
from fabric.failures.choose import engine_of
from fabric.failures.engine import LinkWorst, SweepPhase
from fabric.failures.fluid.fluid_engine import FluidEngine
from fabric.failures.frozen import FrozenEngine
from fabric.failures.part import Part
from fabric.failures.plain import PlainEngine
from fabric.failures.reaction import CONVERGED, FROZEN
from fabric.routing.router import RoutingOptions
from fabric.scenario.latency_schema import FabricLatency
from topologies.builder import TOPOLOGIES
from topologies.columns import column
from traffic.demands import Demands, Flows, TrafficClass, UniformBlock

NETWORKS = {
    "fat-tree": {"radix": 4, "speed": "400G"},
    "leaf-spine": {"leaves": 3, "spines": 2, "hosts_per_leaf": 2, "host_speed": "100G", "uplink_speed": "200G"},
    "rail-optimised": TOPOLOGIES["rail-optimised"].example,
    "dragonfly": {"p": 1, "a": 2, "h": 1, "groups": 3, "speed": "200G"},
    "torus": {"dims": [3, 4], "endpoints_per_switch": 1, "speed": "200G"},
    "jellyfish": TOPOLOGIES["jellyfish"].example,
    "multi-plane": TOPOLOGIES["multi-plane"].example,
    "dual-plane": TOPOLOGIES["dual-plane"].example,
    "bcube": {"n": 3, "k": 1, "speed": "100G"},
}
ROUTERS = ("ecmp", "spray", "wcmp", "bgp-ucmp", "single-path")
KINDS = ("link", "switch", "host", "slowed", "pair")
EACH = 3  # cases of a kind per network, router and reaction: 1,000 of each kind in all are in the slow test


def network(kind, rng):
    """A small fabric; a torus with random metrics, and every third fabric with two things down from the start."""
    topology = TOPOLOGIES[kind](dict(NETWORKS[kind]))
    if kind == "torus":
        topology = replace(
            topology, links=replace(topology.links, weight=rng.integers(1, 4, len(topology.links)) * 1.0)
        )
    if rng.random() < 1 / 3:
        topology = topology.with_down(links=rng.choice(len(topology.links), 2).tolist())
    return topology


def traffic(topology, rng):
    """Two jobs: a ring and steady pairs of one, an all-to-all and pairs of the other."""
    ends = topology.endpoint_nodes
    members = column(rng.permutation(ends)[: max(3, len(ends) // 2)], np.int32)
    src, dst = rng.choice(ends, (2, 12))
    ring = Flows.of(members, np.roll(members, 1), np.full(len(members), 1e9))
    classes = (
        TrafficClass("a", "step", "ring", False),
        TrafficClass("a", "step", "watch", True),
        TrafficClass("b", "step", "alltoall", False),
    )
    none = np.empty(0, np.int32)
    block = Flows(none, none, np.empty(0), (UniformBlock(members, 1e8), UniformBlock(column(ends[:2], np.int32), 3e8)))
    mixed = Flows.of(src, dst, rng.random(12) * 1e9)
    return Demands(
        topology.name,
        classes,
        (ring, Flows.of(src, dst, np.full(12, 5.0)), Flows(mixed.src, mixed.dst, mixed.amount, block.blocks)),
    )


def sweep_phase(kind, router, seed):
    """A phase of random traffic on a small fabric, routed."""
    rng = np.random.default_rng(seed)
    topology = network(kind, rng)
    demands, options, latency = traffic(topology, rng), RoutingOptions(spray_efficiency=0.9), FabricLatency()
    intact = route_phase(topology, demands, "step", router=router, options=options, efficiency=0.95, latency=latency)
    return SweepPhase(topology.name, "step", topology, demands, router, options, 0.95, latency, intact)


def part(topology, kind, rng):
    """Something that fails."""
    links, name = topology.links, topology.name
    if kind in ("link", "slowed"):
        link = int(rng.integers(len(links)))
        both = column(sorted({link, int(links.reverse[link])} - {-1}), np.int32)
        if kind == "slowed":
            return Part("cable", "slow", slowed={name: (both, np.full(len(both), rng.choice([0.5, 0.25])))})
        return Part("link", "link", {name: both})
    nodes = np.flatnonzero(topology.is_switch) if kind == "switch" else topology.endpoint_nodes
    node = int(rng.choice(nodes))
    return Part("switch", "node", {name: column(np.flatnonzero((links.src == node) | (links.dst == node)), np.int32)})


def cases_of(topology, rng, each=EACH):
    """Cases of every kind; pairs are of two kinds."""
    parts, size = [], []
    for kind in KINDS:
        for _ in range(each):
            kinds = rng.choice(KINDS[:-1], 2) if kind == "pair" else [kind]
            parts += [part(topology, one, rng) for one in kinds]
            size.append(len(kinds))
    start = np.concatenate([[0], np.cumsum(size)])
    return Cases("some", tuple(parts), column(start, np.int64), column(np.arange(len(parts)), np.int32), len(size), 0)


def same_worst(one, other):
    """Whether links have the same highest utilisations, in the same cases where no two are alike."""
    np.testing.assert_allclose(one.utilisation, other.utilisation, rtol=1e-9, atol=1e-12)
    alone = np.ones(one.utilisation.shape, np.bool_)
    close = np.isclose(one.utilisation[:, 1:], one.utilisation[:, :-1], rtol=1e-9, atol=1e-12)
    alone[:, 1:] &= ~close
    alone[:, :-1] &= ~close
    alone[:, -1] = False  # the next may be as full
    np.testing.assert_array_equal(one.case[alone], other.case[alone])


def assert_same_answers(phase, reaction, damage):
    """All answers of the two engines."""
    fast = engine_of(phase, reaction)
    assert isinstance(fast, FluidEngine)
    plain = FrozenEngine.of(phase) if reaction == FROZEN else PlainEngine(phase, reaction)
    links = len(phase.topology.links)
    worst, plain_worst = LinkWorst.empty(links), LinkWorst.empty(links)
    answers, anew = fast.outcomes(damage, worst, 100), plain.outcomes(damage, plain_worst, 100)
    np.testing.assert_allclose(answers.max_utilisation, anew.max_utilisation, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(answers.hottest, anew.hottest)
    np.testing.assert_array_equal(answers.links_over_capacity, anew.links_over_capacity)
    np.testing.assert_array_equal(answers.unreachable_pairs, anew.unreachable_pairs)
    np.testing.assert_allclose(answers.peak, anew.peak, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(answers.cut, anew.cut)
    same_worst(worst, plain_worst)
    last = len(damage) - 1
    np.testing.assert_allclose(fast.utilisation(damage, last), plain.utilisation(damage, last), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        fast.damaged(damage, 0).utilisation(damage, last),
        plain.damaged(damage, 0).utilisation(damage, last),
        rtol=1e-9,
        atol=1e-12,
    )


@pytest.mark.parametrize("reaction", [CONVERGED, FROZEN])
@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("kind", NETWORKS)
def test_what_is_followed_equals_what_is_routed_anew(kind, router, reaction):
    """Links, switches, hosts, slowed links and pairs of them, partitions among them; every column of every answer."""
    seed = sum(map(ord, kind + router + reaction))
    phase = sweep_phase(kind, router, seed)
    assert_same_answers(
        phase, reaction, damage_of(cases_of(phase.topology, np.random.default_rng(seed + 1)), phase.fabric)
    )
