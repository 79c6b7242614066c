"""Bisection against closed forms, and the halving against every halving of small networks."""

import itertools

import networkx as nx
import numpy as np
import pytest

from topologies.assemble import assemble
from topologies.bisection import bisection
from topologies.builder import TOPOLOGIES
from topologies.hosts import HostGroup


def build(kind, **keys):
    return TOPOLOGIES[kind]({"speed": "100G", **keys})


@pytest.mark.parametrize(
    ("kind", "keys", "cables"),
    [
        ("torus", {"dims": [8]}, 2),
        ("torus", {"dims": [8, 4]}, 8),  # 2 * 4, across the long dimension
        ("torus", {"dims": [8, 8, 8]}, 128),  # 2 * 8^2
        ("torus", {"dims": [4, 4, 4], "wrap": False}, 16),
        ("torus", {"dims": [2] * 6}, 32),  # a hypercube: half of its nodes
        ("hyperx", {"dims": [8], "endpoints_per_switch": 1}, 16),  # a clique: (S/2)^2
        ("hyperx", {"dims": [4, 4], "endpoints_per_switch": 2}, 16),
    ],
)
def test_the_halving_is_that_of_the_closed_form(kind, keys, cables):
    """Dally and Towles 2004, chapter 5, and Ahn 2009, section 2."""
    cut = bisection(build(kind, **keys)).cut
    assert cut.cables == cables
    assert cut.gbps == pytest.approx(100.0 * cables)
    assert cut.at_least_gbps <= cut.gbps + 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_no_halving_of_a_small_network_is_narrower_and_the_bound_holds(seed):
    rng = np.random.default_rng(seed)
    count = 8
    pairs = [pair for pair in itertools.combinations(range(count), 2) if rng.random() < 0.45]
    pairs += [(i, (i + 1) % count) for i in range(count)]
    gbps = rng.choice([100.0, 200.0, 400.0], size=len(pairs))
    net = assemble("random", "random")
    ids = net.switches("switch", [f"s{i}" for i in range(count)], level=1)
    net.cables(net.hosts([f"h{i}" for i in range(count)]), ids, 100.0)
    net.cables([ids[a] for a, _ in pairs], [ids[b] for _, b in pairs], gbps)
    least = min(
        sum(rate for (a, b), rate in zip(pairs, gbps, strict=True) if (a in half) != (b in half))
        for half in itertools.combinations(range(count), count // 2)
    )
    cut = bisection(net.freeze()).cut
    assert cut.gbps == pytest.approx(least)
    assert cut.at_least_gbps <= least + 1e-6


def test_spines_take_the_side_that_cuts_least():
    """Dragonfly+ of two groups: all cables between the groups, none inside."""
    net = build("dragonfly-plus", groups=2, leaves=2, spines=2, p=2, global_links=2)
    cut = bisection(net).cut
    assert cut.cables == np.count_nonzero(net.links.tier == net.tiers.index("global")) / 2


def test_boundaries_of_levels_have_their_cables_and_half_their_rate():
    found = bisection(TOPOLOGIES["leaf-spine"](
        {"leaves": 4, "spines": 2, "hosts_per_leaf": 12, "host_speed": "100G", "uplink_speed": "200G"}
    ))  # fmt: skip
    assert found.cut is None
    host, leaf = found.tiers
    assert (host.tier, host.cables, host.gbps, host.ratio) == ("host-leaf", 48, 4800.0, 1.0)
    assert (leaf.cables, leaf.gbps, leaf.bisection_gbps) == (8, 1600.0, 800.0)
    assert leaf.ratio == leaf.least_ratio == pytest.approx(1 / 3)  # 3:1 oversubscribed


def test_spare_and_management_cables_are_no_boundary_and_failures_count():
    net = TOPOLOGIES["superpod"](dict(TOPOLOGIES["superpod"].example))
    assert [entry.tier for entry in bisection(net).tiers] == ["host-leaf", "leaf-spine"]
    spine = bisection(net.with_down(nodes=[net.node("spine0")])).tiers[1]
    assert spine.gbps < bisection(net).tiers[1].gbps


def graph_of(net, hosts_gbps=None):
    """All links that are up as a directed graph, parallel ones in one; host links of ``hosts_gbps`` where given."""
    graph = nx.DiGraph()
    for link in np.flatnonzero(net.up).tolist():
        ends = int(net.links.src[link]), int(net.links.dst[link])
        host = hosts_gbps is not None and not net.nodes.forwards[list(ends)].all()
        gbps = hosts_gbps if host else float(net.links.capacity_gbps[link])
        graph.add_edge(*ends, capacity=graph.get_edge_data(*ends, {"capacity": 0.0})["capacity"] + gbps)
    return graph


def flow(graph, sources, sinks):
    """Most that flows from all of ``sources`` to all of ``sinks``."""
    graph = graph.copy()
    graph.add_edges_from(("source", node) for node in sources)
    graph.add_edges_from((node, "sink") for node in sinks)
    return nx.maximum_flow_value(graph, "source", "sink")


LEVELS = [entry for entry in TOPOLOGIES if bisection(entry(dict(entry.example))).cut is None]


@pytest.mark.parametrize("entry", LEVELS, ids=[entry.name for entry in LEVELS])
def test_a_boundary_carries_what_flows_up_from_all_hosts(entry):
    """By NetworkX: from all hosts to the upper ends of the tier, all tiers below as wide as one likes."""
    net = entry(dict(entry.example))
    for tier in bisection(net).tiers:
        mine = (net.links.tier == net.tiers.index(tier.tier)) & (net.direction > 0)
        tops = set(net.links.dst[mine].tolist())
        graph = nx.DiGraph()
        for link in np.flatnonzero(net.direction > 0).tolist():
            ends = int(net.links.src[link]), int(net.links.dst[link])
            if ends[0] in tops or net.nodes.nics[ends[0]] + net.nodes.forwards[ends[0]] == 0:
                continue
            gbps = float(net.links.capacity_gbps[link]) if mine[link] else 1e12
            graph.add_edge(*ends, capacity=graph.get_edge_data(*ends, {"capacity": 0.0})["capacity"] + gbps)
        assert flow(graph, net.endpoint_nodes.tolist(), tops) == pytest.approx(tier.gbps)
        assert tier.beneath_gbps == pytest.approx(bisection(net).endpoint_gbps)
        assert tier.ratio == pytest.approx(tier.gbps / tier.beneath_gbps)


def test_cables_above_no_hosts_carry_nothing_and_the_worst_leaf_is_named():
    """12 hosts on leaves of 8 with 2 x 200G up: 8, 4 and none; 0.5, 1.0 and nothing, 800 of 1,200 Gb/s in all."""
    host = HostGroup("n", tuple(f"n{i}" for i in range(12)), 1, 100.0)
    keys = {"leaves": 3, "spines": 2, "hosts_per_leaf": 8, "uplink_speed": "200G"}
    leaf = bisection(TOPOLOGIES["leaf-spine"](keys, hosts=[host])).tiers[1]
    assert (leaf.cables, leaf.gbps, leaf.beneath_gbps) == (4, 800.0, 1200.0)
    assert (leaf.ratio, leaf.least_ratio, leaf.least_at) == (pytest.approx(2 / 3), 0.5, "leaf0")


def test_a_leaf_that_lost_its_uplinks_has_the_least():
    net = TOPOLOGIES["leaf-spine"](dict(TOPOLOGIES["leaf-spine"].example))
    cut_off = [link for link in np.flatnonzero(net.links.src == net.node("leaf1")).tolist() if net.direction[link] > 0]
    leaf = bisection(net.with_down(links=cut_off)).tiers[1]
    assert (leaf.least_ratio, leaf.least_at) == (0.0, "leaf1")
    assert leaf.ratio == pytest.approx(1.5)  # 3 of 4 leaves with 2 x 400G, over 4 x 4 x 100G


GRIDS = [
    ("torus", {"dims": [4, 6]}, (0, 2), 12, 1.0),  # 2 x 6 of 12 hosts
    ("torus", {"dims": [4, 6]}, (1, 3), 8, 2 / 3),
    ("torus", {"dims": [2, 3, 4]}, (0, 1), 12, 1.0),  # one cable, not two, in a dimension of two
    ("torus", {"dims": [2, 3, 4]}, (2, 2), 12, 1.0),
    ("torus", {"dims": [4, 4], "wrap": False, "parallel": 2}, (1, 2), 8, 1.0),
    ("torus", {"dims": [5, 4]}, (0, 2), 8, 1.0),  # 2 | 3 of 5: 2 x 4 cables over 8 hosts
    ("hyperx", {"dims": [4, 3], "endpoints_per_switch": 2}, (0, 2), 12, 1.0),  # 3 x 2 x 2 over 12 hosts
    ("slim-fly", {"q": 5, "p": 4}, (0, 1), 125, 1.25),  # q^3 between both halves, over 100 hosts
]


@pytest.mark.parametrize(("kind", "keys", "at", "cables", "ratio"), GRIDS)
def test_halvings_along_a_coordinate_cut_what_networkx_cuts(kind, keys, at, cables, ratio):
    """Sides by the coordinates in the names; the closed forms beside it."""
    net = build(kind, **keys)
    axis, below = at
    halving = bisection(net).halvings[axis]
    graph = nx.MultiGraph()
    inner = net.is_cable & net.is_switch[net.links.src] & net.is_switch[net.links.dst]
    graph.add_edges_from(zip(net.links.src[inner].tolist(), net.links.dst[inner].tolist(), strict=True))
    place = {node: int(net.nodes.name[node].removeprefix("switch").split(".")[axis]) for node in graph}
    assert nx.cut_size(graph, {node for node in graph if place[node] < below}) == cables == halving.cables
    assert halving.gbps == pytest.approx(100.0 * cables)
    assert halving.ratio == pytest.approx(ratio)
    assert halving.name.endswith(f"| {below}" if max(place.values()) == below else f"| {below}-{max(place.values())}")


@pytest.mark.parametrize("kind", ["dragonfly", "dragonfly-plus"])
def test_groups_are_cut_between_and_in_the_middle(kind):
    """Cables by the groups in the names; what leaves a group counts once for each group."""
    net = TOPOLOGIES[kind](dict(TOPOLOGIES[kind].example))
    group = [int(name.split("/")[0].removeprefix("group")) for name in net.nodes.name]
    below = (max(group) + 1) // 2
    crossing = leaving = 0
    for link in np.flatnonzero(net.is_cable).tolist():
        a, b = group[net.links.src[link]], group[net.links.dst[link]]
        crossing += (a < below) != (b < below)
        leaving += a != b
    found = bisection(net)
    tier = next(each for each in found.tiers if each.between_groups)
    assert (tier.tier, tier.cables, tier.bisection_gbps) == ("global", leaving, None)
    assert tier.gbps == pytest.approx(2 * leaving * 200.0)
    assert tier.ratio == pytest.approx(tier.gbps / found.endpoint_gbps)
    assert found.halvings[0].cables == crossing
    assert not found.halvings[0].even


PLACED = [entry for entry in TOPOLOGIES if entry.name in ("bcube", "dcell", "hyperx", "slim-fly", "torus")]


@pytest.mark.parametrize("entry", PLACED, ids=[entry.name for entry in PLACED])
def test_no_halving_is_less_than_what_flows_between_its_sides(entry):
    """A cut bounds NetworkX's flow from the hosts of one side to those of the other, hosts as fast as one likes."""
    net = entry(dict(entry.example))
    along = [each for each in bisection(net).halvings if not each.name.startswith(("cubes", "groups"))]
    assert len(along) >= 2
    for halving in along:
        axis = int(halving.name.split(":")[0].split()[1])
        ends = np.flatnonzero((net.nodes.nics > 0) & net.nodes.forwards).tolist()
        hosts = {end: net.nodes.name[end] for end in ends} or {
            int(net.links.src[link]): net.nodes.name[net.links.dst[link]]
            for link in np.flatnonzero((net.nodes.nics[net.links.src] > 0) & net.up).tolist()
        }
        place = {end: int(name.strip("abcdefghijklmnopqrstuvwxyz/").split(".")[axis]) for end, name in hosts.items()}
        below = (max(place.values()) + 1) // 2
        low = [end for end in hosts if place[end] < below]
        assert flow(graph_of(net, hosts_gbps=None if ends else 1e9), low, set(hosts) - set(low)) <= halving.gbps + 1e-6


def test_planes_are_no_halves():
    """Hosts on both of two planes are halved, not the planes: twice the cut of one torus."""
    plane = {"kind": "torus", "dims": [4, 4], "speed": "200G"}
    one, both = (
        bisection(build("torus", dims=[4, 4])),
        bisection(TOPOLOGIES["multi-plane"]({"planes": 2, "plane": plane})),
    )
    assert one.cut.cables == 8
    assert (both.cut.cables, both.cut.gbps, both.cut.ratio) == (16, 3200.0, 1.0)
    assert [halving.cables for halving in both.halvings] == [16, 16]


@pytest.mark.parametrize("seed", range(6))
def test_hosts_on_several_switches_are_halved_as_networkx_says(seed):
    """Every halving of six hosts on random pairs of switches; the least of their maximum flows is the cut."""
    rng = np.random.default_rng(seed)
    net = assemble("pairs", "pairs")
    ids = net.switches("switch", [f"s{i}" for i in range(5)], level=1)
    hosts = net.hosts([f"h{i}" for i in range(6)], nics=2)
    homes = [rng.choice(5, size=2, replace=False) for _ in hosts]
    net.cables(np.repeat(hosts, 2), ids[np.concatenate(homes)], 400.0)
    pairs = [pair for pair in itertools.combinations(range(5), 2) if rng.random() < 0.7]
    net.cables([ids[a] for a, _ in pairs], [ids[b] for _, b in pairs], rng.choice([100.0, 200.0], size=len(pairs)))
    built = net.freeze()
    graph = graph_of(built)
    least = min(
        flow(graph, half, set(hosts.tolist()) - set(half)) for half in itertools.combinations(hosts.tolist(), 3)
    )
    cut = bisection(built).cut
    assert cut.beneath_gbps == 2400.0
    assert cut.gbps == pytest.approx(least)


@pytest.mark.parametrize("seed", range(4))
def test_the_halving_of_a_jellyfish_is_a_bound_from_above(seed):
    """All halvings of ten switches; only where the bound from below meets it is it called least."""
    net = build("jellyfish", switches=10, ports=4, network_ports=3, seed=seed)
    graph = nx.Graph()
    inner = net.is_cable & net.is_switch[net.links.src] & net.is_switch[net.links.dst]
    graph.add_edges_from(zip(net.links.src[inner].tolist(), net.links.dst[inner].tolist(), strict=True))
    least = min(nx.cut_size(graph, half) for half in itertools.combinations(sorted(graph), 5))
    found = bisection(net)
    assert found.halvings == ()
    assert found.cut.at_least_gbps <= 100.0 * least + 1e-6 <= found.cut.gbps + 2e-6
