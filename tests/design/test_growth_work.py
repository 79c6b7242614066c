"""The work between two stages: every state has the ports it needs, and none is below the floor."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from growth_fabrics import GROWN, built, hosts, leaf_spine

from fabric.growth.batches import work
from fabric.growth.capacity import best_by_programme, route_state
from fabric.growth.choose import next_fabric
from fabric.growth.live import LiveWork, plan_work
from fabric.growth.quotient import least_utilisation, switch_graph
from fabric.growth.union import UnionFabric, unite
from fabric.scenario.registries import Registries
from topologies.columns import Bools

FLOOR = 0.75


def works(name: str, floor: float = FLOOR) -> list[LiveWork]:
    """The work between all stages of a fabric."""
    keys, sizes, nics = GROWN[name]
    present, found = built(keys, sizes[0], nics), []
    for size in sizes[1:]:
        following = next_fabric(present, hosts(size, nics), Registries(), where=())
        found.append(plan_work(unite(following.rewiring), floor))
        present = following.built
    return found


def states(one: LiveWork) -> list[Bools]:
    """Cables that are up in every state, in order."""
    return [one.fabric.at_first, *(up for live in one.steps for up in (live.step.during, live.step.after))]


@pytest.mark.parametrize("name", GROWN)
def test_the_work_ends_with_the_new_stage_and_never_needs_a_port_twice(name: str) -> None:
    """From the old cables to the new ones; ports of every switch in every state are at most its radix."""
    for one in works(name):
        fabric = one.fabric
        passed = states(one)
        np.testing.assert_array_equal(passed[-1], fabric.at_last)
        radix = fabric.topology.nodes.radix
        limited = fabric.topology.is_switch & (radix > 0)
        for up in passed:
            assert (fabric.ports_used(up)[limited] <= radix[limited] + 1e-9).all()
        assert one.states == len({up.tobytes() for up in passed})


@pytest.mark.parametrize("name", [name for name in GROWN if name != "dragonfly"])
def test_no_state_is_below_the_floor(name: str) -> None:
    """Every state is routed, and keeps what is asked for."""
    assert all(one.least_capacity >= FLOOR - 1e-9 for one in works(name))


def test_the_floor_holds_between_any_two_leaves_by_maximum_flow() -> None:
    """NetworkX: the maximum flow between any two leaves in service is at least the floor times that before the work."""
    (one,) = works("leaf-spine")[:1]
    fabric = one.fabric
    leaves = sorted(set(fabric.ends.upper[np.isin(fabric.ends.lower, fabric.in_service)].tolist()))

    def flows(up: Bools) -> list[float]:
        graph = nx.Graph()
        for row in np.flatnonzero(up).tolist():
            low, high = int(fabric.ends.lower[row]), int(fabric.ends.upper[row])
            if fabric.topology.is_switch[low]:
                there = graph.get_edge_data(low, high, {"capacity": 0.0})["capacity"]
                graph.add_edge(low, high, capacity=there + float(fabric.ends.gbps[row]))
        return [nx.maximum_flow_value(graph, a, b) for a, b in combinations(leaves, 2)]

    before = flows(fabric.at_first)
    for up in states(one):
        assert all(now >= FLOOR * then - 1e-6 for now, then in zip(flows(up), before, strict=True))


def test_a_floor_that_cannot_be_kept_is_not_said_to_be() -> None:
    """A leaf with two uplinks has half of them while one is moved."""
    keys = leaf_spine(4)
    present = built(keys, 4)
    one = plan_work(unite(next_fabric(present, hosts(8), Registries(), where=()).rewiring), 0.8)
    assert one.least_capacity == pytest.approx(0.5)


def small_states() -> list[tuple[UnionFabric, Bools]]:
    """States on the way from two tiers to three, where paths have two lengths."""
    keys, sizes, nics = GROWN["clos"]
    present = built(keys, sizes[1], nics)
    fabric = unite(next_fabric(present, hosts(sizes[3], nics), Registries(), where=()).rewiring)
    steps = list(work(fabric, 0.25))
    return [(fabric, up) for step in steps[1:3] for up in (step.during, step.after)]


@pytest.mark.parametrize("number", range(4))
def test_classes_of_equal_switches_give_what_the_whole_programme_gives(number: int) -> None:
    """The router ``optimal`` over up-down paths, where it is not held by the NICs, whose utilisation is 1."""
    fabric, up = small_states()[number]
    state = fabric.state(up)
    graph = switch_graph(state, fabric.in_service)
    assert graph is not None
    least = least_utilisation(graph)
    assert least is not None
    gbps_per_unit = 400.0 / (len(fabric.in_service) - 1)
    whole = best_by_programme(state, fabric.in_service)
    assert max(least * gbps_per_unit, 1.0) == pytest.approx(max(whole.max_utilisation, 1.0), rel=6e-3)
    assert route_state(fabric, up).max_utilisation >= least * gbps_per_unit - 1e-9
