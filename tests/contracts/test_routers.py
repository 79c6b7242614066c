"""Every registered router against what holds for any routing; a new router is covered unasked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from oracle_fabrics import Case, larger_case, ours, reachable, renamed, with_capacity

from fabric.routing import kernels
from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.reach import split_reachable
from fabric.routing.router import ROUTERS, PairTraffic, RoutingOptions, places_flows, router_label, traits_of
from fabric.routing.shortest_splits import shortest_loads
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows, UniformBlock

NAMES = ROUTERS.names()
SEEDS = range(6)
CONTRACT = pytest.mark.parametrize("router", NAMES)
TRAITS = {name: traits_of(name) for name in NAMES}


def routed(net, flows, router, *, flows_per_pair=1, **options):
    """Graph, demand and the answer of any router, single flows or fluid."""
    graph = build_graph(net, [flows], per_endpoint=places_flows(router))
    kept, _ = split_reachable(graph, [flows])
    demand = phase_demand(graph, kept, [1.0])
    pairs = [PairTraffic(kept[0], 1.0, flows_per_pair)]
    given = RoutingOptions(**options)
    return graph, demand, ROUTERS[router]({}, graph=graph, demand=demand, pairs=pairs, options=given)


@CONTRACT
@pytest.mark.parametrize("seed", SEEDS)
def test_traffic_is_conserved_at_every_node(router, seed):
    """Leaving minus entering is what is sent minus what is received, on random networks with multi-homed hosts."""
    case = larger_case(seed)
    graph, demand, routing = routed(case.net, case.flows, router)
    out = np.bincount(graph.src, routing.edge_gbps.sum(axis=1), graph.nodes)
    into = np.bincount(graph.dst, routing.edge_gbps.sum(axis=1), graph.nodes)
    gbps = np.where(routing.unreachable, 0.0, demand.total_gbps)
    sent = np.bincount(demand.src, gbps, graph.nodes) - np.bincount(demand.dest_of_entry, gbps, graph.nodes)
    np.testing.assert_allclose(out - into, sent, atol=1e-6)
    assert (routing.edge_gbps >= -1e-9).all()


@CONTRACT
@pytest.mark.parametrize("seed", SEEDS)
def test_no_router_beats_the_certified_optimum(router, seed):
    """The bound of ``optimal`` holds for all; nothing is carried on links that are down or without capacity."""
    case = larger_case(seed)
    bound = ours(case, "optimal").certificate.lower_bound
    route = ours(case, router)
    assert route.max_utilisation >= bound * (1 - 1e-6)
    dead = ~case.net.up | (case.net.links.capacity_gbps <= 0)
    assert not route.link_gbps[dead].any()


@CONTRACT
@pytest.mark.parametrize("seed", SEEDS)
def test_demand_and_capacity_scale_the_answer(router, seed):
    """Eight times the demand is eight times the utilisation, eight times the capacity an eighth (powers of two)."""
    case = larger_case(seed)
    theta = ours(case, router).max_utilisation
    louder = Case(case.net, tuple((src, dst, gbps * 8) for src, dst, gbps in case.rows))
    wider = with_capacity(case, case.net.links.capacity_gbps * 8)
    assert ours(louder, router).max_utilisation == pytest.approx(theta * 8, rel=2e-4)
    assert ours(wider, router).max_utilisation == pytest.approx(theta / 8, rel=2e-4)


@CONTRACT
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_question_has_the_same_answer_to_the_bit(router, seed):
    """One seed, same bytes."""
    case = larger_case(seed)
    first, second = ours(case, router, seed=seed), ours(case, router, seed=seed)
    assert first.link_gbps.tobytes() == second.link_gbps.tobytes()


@pytest.mark.parametrize("router", [name for name in NAMES if TRAITS[name].ties != "number"])
@pytest.mark.parametrize("seed", SEEDS)
def test_names_and_numbers_of_nodes_do_not_matter_to_fluids(router, seed):
    """The same network with its nodes in another order has the same fullest link."""
    case = larger_case(seed)
    order = np.random.default_rng(seed).permutation(len(case.net.nodes))
    other = renamed(case, order)
    expected = ours(case, router).max_utilisation
    assert ours(other, router).max_utilisation == pytest.approx(expected, rel=2e-4)


@CONTRACT
def test_entries_without_a_path_are_flagged_and_load_nothing(router):
    """Asked without the usual filter: a and b reach each other, c and d do, and a sends to c and b as well."""
    from topologies.assemble import assemble

    net = assemble("islands", "test")
    a, b, c, d = net.switches("router", ["a", "b", "c", "d"], level=1, nics=1)
    net.cables([a, c], [b, d], 100.0)
    flows = Flows.of([a, a, d], [b, c, c], [10.0, 20.0, 30.0])
    graph = build_graph(net.freeze(), [flows], per_endpoint=places_flows(router))
    demand = phase_demand(graph, [flows], [1.0])
    given = {"demand": demand, "pairs": [PairTraffic(flows, 1.0, 1)], "options": RoutingOptions()}
    routing = ROUTERS[router]({}, graph=graph, **given)
    ends = list(zip(demand.src.tolist(), demand.dest_of_entry.tolist(), strict=True))
    assert [ends[entry] for entry in np.flatnonzero(routing.unreachable)] == [(graph.source[a], graph.sink[c])]
    on_its_way = graph.src == graph.source[a]
    np.testing.assert_allclose(routing.edge_gbps[on_its_way].sum(), 10.0)
    assert routing.edge_gbps[graph.src == graph.source[d]].sum() == pytest.approx(30.0)


@CONTRACT
@pytest.mark.parametrize("cpus", [1, 4])
def test_threads_do_not_change_a_bit(router, cpus, monkeypatch):
    """300 leaves on 2 spines, enough for several slices: any number of threads gives the same bytes."""
    keys = {"leaves": 300, "spines": 2, "hosts_per_leaf": 1, "host_speed": "100G", "uplink_speed": "100G"}
    net = TOPOLOGIES["leaf-spine"](keys)
    hosts = net.endpoint_nodes
    flows = Flows.of(np.tile(hosts, 3), np.concatenate([np.roll(hosts, shift) for shift in (1, 7, 100)]), 1.0)
    expected = routed(net, flows, router)[2].edge_gbps
    monkeypatch.setattr(kernels.os, "cpu_count", lambda: cpus)
    assert routed(net, flows, router)[2].edge_gbps.tobytes() == expected.tobytes()


@CONTRACT
def test_explicit_splits_and_paths_carry_the_loads(router):
    """What a router hands out for switches makes the loads that it reports, but for spraying's efficiency of 1."""
    case = larger_case(3)
    case = Case(case.net, tuple(reachable(case)[0]))
    graph, demand, routing = routed(case.net, case.flows, router)
    loads = np.zeros(len(graph.src))
    if routing.splits is not None:
        for row in range(len(demand.dest)):
            amount = np.zeros(graph.nodes)
            for entry in range(demand.start[row], demand.start[row + 1]):
                amount[demand.src[entry]] += demand.total_gbps[entry]
            for at in range(routing.splits.start[row], routing.splits.start[row + 1]):
                edge = routing.splits.edge[at]
                moved = amount[graph.src[edge]] * routing.splits.fraction[at]
                loads[edge] += moved
                amount[graph.dst[edge]] += moved
    elif routing.paths is not None:
        paths = routing.paths
        for path, gbps in enumerate(paths.gbps.tolist()):
            edges = paths.edge[paths.start[path] : paths.start[path + 1]]
            assert graph.src[edges[0]] == paths.src[path]
            assert graph.dst[edges[-1]] == paths.dst[path]
            assert (graph.dst[edges[:-1]] == graph.src[edges[1:]]).all()
            loads[edges] += gbps
    else:
        pytest.skip(f"{router} is implicit: equal splits, or a rule per endpoint")
    np.testing.assert_allclose(routing.edge_gbps.sum(axis=1), loads, atol=1e-6)


@CONTRACT
@pytest.mark.parametrize("seed", SEEDS)
def test_a_rule_makes_the_loads_where_the_answer_has_no_splits_or_paths(router, seed):
    """The rule that a router declares is what explanations and tables take its loads apart by."""
    traits = traits_of(router)
    case = larger_case(seed)
    graph, demand, routing = routed(case.net, case.flows, router)
    own = traits.tables_from_splits and routing.splits is not None
    if traits.follows_rule and not own:
        loads, unreachable, _ = shortest_loads(graph, demand, traits.rule)
        np.testing.assert_allclose(routing.edge_gbps, loads, atol=1e-6)
        np.testing.assert_array_equal(routing.unreachable, unreachable)
    else:
        assert own or routing.paths is not None or not traits.programmable


@CONTRACT
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_said_to_stay_together_does(router, seed):
    """Whole flows have one path each, of what they send; towards one destination a switch sends over one link."""
    case = larger_case(seed)
    graph, _, routing = routed(case.net, case.flows, router, flows_per_pair=2)
    traits, paths = traits_of(router), routing.paths
    if traits.single_flows:
        sent = dict.fromkeys(zip(case.flows.src.tolist(), case.flows.dst.tolist(), strict=True), 0.0)
        for src, dst, gbps in zip(case.flows.src.tolist(), case.flows.dst.tolist(), case.flows.amount, strict=True):
            sent[src, dst] += float(gbps)
        ends = list(zip(paths.src_endpoint.tolist(), paths.dst_endpoint.tolist(), strict=True))
        assert places_flows(router)
        assert all(ends.count(pair) % 2 == 0 for pair in ends)
        for pair in set(ends):
            mine = [gbps for end, gbps in zip(ends, paths.gbps.tolist(), strict=True) if end == pair]
            assert sum(mine) == pytest.approx(sent[pair])
    elif traits.placement == "one-path" and routing.splits is not None:
        np.testing.assert_array_equal(routing.splits.fraction, 1.0)
    elif traits.placement == "one-path" and paths is not None:
        onward = {}
        for path, end in enumerate(paths.dst_endpoint.tolist()):
            for edge in paths.edge[paths.start[path] : paths.start[path + 1]].tolist():
                assert onward.setdefault((int(graph.src[edge]), end), edge) == edge
    elif traits.placement == "one-path":
        assert traits.rule == "lowest"
    else:
        assert router_label(router) == f"{router} (if split perfectly)"


@CONTRACT
def test_demand_without_a_path_is_said_and_loads_nothing(router):
    """A leaf without uplinks: its pairs to other leaves have no path, all else is routed."""
    net = TOPOLOGIES["leaf-spine"](
        {"leaf": {"count": 3, "down": 2, "up": 2, "speed": "100G"}, "spine": {"count": 2, "speed": "100G"}}
    )
    leaf = int(np.flatnonzero(net.nodes.level == 1)[0])
    links = net.links
    cut = np.flatnonzero(((links.src == leaf) | (links.dst == leaf)) & (net.nodes.level[links.src] > 0))
    net = net.with_down(links=cut[net.nodes.level[links.dst[cut]] > 0])
    hosts = net.endpoint_nodes.tolist()
    rows = tuple((src, dst, 10.0) for src in hosts for dst in hosts if src != dst)
    route = ours(Case(net, rows), router)
    assert route.unreachable_pairs == 2 * 2 * 4
    assert route.max_utilisation > 0
    assert np.isfinite(route.utilisation).all()


@CONTRACT
@pytest.mark.parametrize("capacities", [(1e-3, 1e6), (1e6, 1e-3)])
def test_capacities_a_billion_apart_are_routed_in_proportion(router, capacities):
    """Two parallel ways of 1e-3 and 1e6 Gb/s: no router fails, and the optimum fills both alike."""
    from topologies.assemble import assemble

    net = assemble("apart", "test")
    a, b, c, d = net.switches("router", ["a", "b", "c", "d"], level=1, nics=1)
    for middle, gbps in zip((b, c), capacities, strict=True):
        net.cables([a], [middle], gbps)
        net.cables([middle], [d], gbps)
    case = Case(net.freeze(), ((int(a), int(d), 100.0),))
    route = ours(case, router)
    assert np.isfinite(route.max_utilisation)
    best = ours(case, "optimal")
    assert best.max_utilisation == pytest.approx(100.0 / (1e6 + 1e-3), rel=1e-3)
    assert route.max_utilisation >= best.certificate.lower_bound * (1 - 1e-9)


@CONTRACT
def test_nothing_to_send_is_an_answer(router):
    """Demand inside one switch loads no link between switches; none at all loads nothing."""
    net = TOPOLOGIES["leaf-spine"](
        {"leaf": {"count": 2, "down": 2, "up": 2, "speed": "100G"}, "spine": {"count": 2, "speed": "100G"}}
    )
    hosts = net.endpoint_nodes
    route = ours(Case(net, ((int(hosts[0]), int(hosts[1]), 50.0),)), router)
    assert route.max_utilisation == pytest.approx(0.5)
    between = net.nodes.forwards[net.links.src] & net.nodes.forwards[net.links.dst]
    assert not route.link_gbps[between].any()


def test_a_weak_link_two_hops_away_tells_the_routers_apart():
    """From a to b over x, whose link to b is 25G, or over y, all else 100G; 100 Gbps.

    ECMP, and spraying by its own queues, send half over x: 50 of 25 is 200 %. By capacity towards b a fifth goes there:
    20 of 25 and 80 of 100 are 80 %, the optimum. One path is 100 % or 400 %, depending on which.
    """
    from topologies.assemble import assemble

    net = assemble("uneven", "test")
    a, b, x, y = net.switches("router", ["a", "b", "x", "y"], level=1, nics=1)
    net.cables([a, y], [x, b], 100.0)
    net.cables([x], [b], 25.0)
    net.cables([a], [y], 100.0)
    case = Case(net.freeze(), ((int(a), int(b), 100.0),))
    assert ours(case, "ecmp").max_utilisation == pytest.approx(2.0)
    assert ours(case, "spray", spray_efficiency=1.0).max_utilisation == pytest.approx(2.0)
    assert ours(case, "wcmp").max_utilisation == pytest.approx(0.8)
    assert ours(case, "optimal").max_utilisation == pytest.approx(0.8)
    assert ours(case, "single-path").max_utilisation in (pytest.approx(1.0), pytest.approx(4.0))
    assert ours(case, "k-shortest", k_paths=1).max_utilisation in (pytest.approx(1.0), pytest.approx(4.0))
    assert ours(case, "k-shortest", k_paths=2).max_utilisation == pytest.approx(2.0)


@pytest.mark.parametrize("radix", [4, 6, 8])
def test_ftree_gives_every_shift_permutation_links_of_its_own(radix):
    """D-mod-k on an intact fat tree: each of the n − 1 shifts has highest utilisation 1 (Zahavi 2010, theorem 1)."""
    net = TOPOLOGIES["fat-tree"]({"radix": radix, "speed": "100G"})
    hosts = net.endpoint_nodes
    for shift in range(1, len(hosts), max(len(hosts) // 12, 1)):
        rows = tuple((int(a), int(b), 100.0) for a, b in zip(hosts, np.roll(hosts, -shift), strict=True))
        assert ours(Case(net, rows), "ftree").max_utilisation == pytest.approx(1.0)


@pytest.mark.parametrize("radix", [4, 8])
def test_valiant_on_a_fat_tree_loads_no_link_above_its_access(radix):
    """Over all (k/2)² cores evenly: what k/2 hosts send is spread over k/2 uplinks, whatever the permutation."""
    net = TOPOLOGIES["fat-tree"]({"radix": radix, "speed": "100G"})
    hosts = net.endpoint_nodes
    rng = np.random.default_rng(radix)
    rows = tuple(
        (int(a), int(b), 100.0) for a, b in zip(hosts, hosts[rng.permutation(len(hosts))], strict=True) if a != b
    )
    route = ours(Case(net, rows), "valiant")
    assert route.max_utilisation <= 1 + 1e-9


def test_valiant_goes_straight_where_no_intermediate_is_in_common():
    """A line a -> b of one-way links: the only switches on the way are its ends, so 1 Gbps crosses its one link."""
    from topologies.assemble import assemble

    net = assemble("islands", "test")
    a, b, c, d = net.switches("router", ["a", "b", "c", "d"], level=1, nics=1)
    net.cables([a, c], [b, d], 100.0)
    case = Case(net.freeze(), ((int(a), int(b), 1.0), (int(c), int(d), 1.0)))
    assert ours(case, "valiant").max_utilisation == pytest.approx(0.01)


def test_ftree_takes_blocks_and_rows_alike():
    """An all-to-all block and the same pairs written out."""
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    hosts = net.endpoint_nodes
    src, dst = np.nonzero(~np.eye(len(hosts), dtype=bool))
    rows = Flows.of(hosts[src], hosts[dst], np.full(len(src), 2.0))
    none = Flows.none()
    block = replace(none, blocks=(UniformBlock(hosts, 2.0),))
    one, other = (routed(net, flows, "ftree")[2].edge_gbps for flows in (rows, block))
    np.testing.assert_allclose(one, other, rtol=1e-12)
