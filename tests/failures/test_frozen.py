"""Frozen groups: closed forms, splits of an optimum, and routers that have no groups."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.evaluation.phases import route_phase
from fabric.failures.cases import Cases, damage_of
from fabric.failures.choose import engine_of
from fabric.failures.engine import LinkWorst, SweepPhase
from fabric.failures.part import Part
from fabric.failures.reaction import CONVERGED, FROZEN
from fabric.routing.router import RoutingOptions
from fabric.scenario.latency_schema import FabricLatency
from topologies.builder import TOPOLOGIES
from topologies.columns import column
from topologies.errors import RoutingError
from traffic.demands import Demands, Flows, TrafficClass, UniformBlock

LEAF_SPINE = {"leaves": 4, "spines": 4, "hosts_per_leaf": 4, "host_speed": "100G", "uplink_speed": "100G"}


def all_to_all(kind, keys, router):
    """All-to-all between all endpoints of a fabric, routed."""
    topology, none = TOPOLOGIES[kind](keys), np.empty(0, np.int32)
    block = UniformBlock(column(topology.endpoint_nodes, np.int32), 1e6)
    flows = Flows(none, none, np.empty(0), (block,))
    demands = Demands(topology.name, (TrafficClass("job", "step", "alltoall", False),), (flows,))
    options, latency = RoutingOptions(), FabricLatency()
    intact = route_phase(topology, demands, "step", router=router, options=options, efficiency=1.0, latency=latency)
    return SweepPhase(topology.name, "step", topology, demands, router, options, 1.0, latency, intact)


def switch(topology, role):
    """The first switch of a role, failing with all its links."""
    node = int(np.flatnonzero(np.asarray(topology.nodes.role) == topology.roles.index(role))[0])
    links = topology.links
    mine = np.flatnonzero((links.src == node) | (links.dst == node))
    return Part("switch", topology.nodes.name[node], {topology.name: column(mine, np.int32)})


def cable(topology, tier):
    """The first cable of a tier."""
    link = int(np.flatnonzero(topology.links.tier == topology.tiers.index(tier))[0])
    both = column(sorted({link, int(topology.links.reverse[link])}), np.int32)
    return Part("link", topology.link_name(link), {topology.name: both})


def case(phase, reaction, part):
    """What comes of one part."""
    damage = damage_of(Cases.single((part,)), phase.fabric)
    return engine_of(phase, reaction).outcomes(damage, LinkWorst.empty(len(phase.topology.links)))


def test_a_spine_leaves_its_load_to_the_others():
    """With n spines the links of the others carry n/(n-1): every leaf leaves it out, frozen or not."""
    phase = all_to_all("leaf-spine", LEAF_SPINE, "ecmp")
    core = phase.topology.links.tier == phase.topology.tiers.index("leaf-spine")
    damage = damage_of(Cases.single((switch(phase.topology, "spine"),)), phase.fabric)
    for reaction in (CONVERGED, FROZEN):
        after = engine_of(phase, reaction).utilisation(damage, 0)[core]
        assert after.max() == pytest.approx(phase.intact.utilisation[core].max() * 4 / 3)
        assert np.count_nonzero(after) == 4 * 3 * 2


def test_frozen_spines_lose_what_they_had_for_a_leaf_behind_a_dead_link():
    """One uplink of one leaf: other leaves still send a quarter of what is for it over that spine, and that is lost.

    12 hosts elsewhere send to its 4 hosts: 48 pairs lose a part. What its hosts send takes the other three uplinks.
    """
    phase = all_to_all("leaf-spine", LEAF_SPINE, "ecmp")
    part = cable(phase.topology, "leaf-spine")
    frozen, converged = case(phase, FROZEN, part), case(phase, CONVERGED, part)
    assert (frozen.unreachable_pairs[0], bool(frozen.cut[0, 0])) == (48, True)
    assert (converged.unreachable_pairs[0], bool(converged.cut[0, 0])) == (0, False)
    after = engine_of(phase, FROZEN).utilisation(damage_of(Cases.single((part,)), phase.fabric), 0)
    up = (phase.topology.links.tier == 0) & (phase.intact.utilisation > 0)
    assert after[up].max() <= phase.intact.utilisation.max() * 4 / 3


def test_splits_of_an_optimum_freeze_too():
    """A spine of four: those left carry what they had and a third more at most, and nothing is cut."""
    phase = all_to_all("leaf-spine", LEAF_SPINE, "optimal")
    answer = case(phase, FROZEN, switch(phase.topology, "spine"))
    assert answer.unreachable_pairs[0] == 0
    assert not answer.cut.any()
    assert answer.max_utilisation[0] >= phase.intact.max_utilisation * (1 - 1e-9)


def test_a_router_that_chooses_paths_by_source_has_no_groups():
    """k shortest paths are no groups of next hops: refused with a way out."""
    with pytest.raises(RoutingError, match="does not split by destination"):
        engine_of(all_to_all("leaf-spine", LEAF_SPINE, "k-shortest"), FROZEN)
