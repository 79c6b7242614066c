"""Flat families: their cheapest design is that of plain loops, and their uniform load is what routing says."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement, product
from math import ceil, inf, prod
from random import Random

import networkx as nx
import numpy as np
import pytest
from counted_fabrics import SMALL, build, designs

from fabric.design.counting.flat import load_allowed
from fabric.design.families import dragonfly, dragonfly_plus, hyperx, slim_fly, zcube
from fabric.design.family import FAMILIES
from fabric.design.need import FabricNeed
from topologies.builder import TOPOLOGIES
from topologies.finite_field import prime_power

FLAT = {
    "dragonfly": dragonfly,
    "dragonfly-plus": dragonfly_plus,
    "hyperx": hyperx,
    "slim-fly": slim_fly,
    "zcube": zcube,
}
HOST_RUN = "host"


def need_of(family, hosts, nics=1, ceiling=1.0, **keys):
    """Hosts on switches of 8 ports of 400G; NICs of ZCubes are split."""
    split = {"nic_gbps": 800.0, "nic_ports": (2,)} if family == "zcube" else {"nic_gbps": 400.0}
    return FabricNeed(
        "backend", hosts, nics, nics, rail="per-gpu", oversubscription=ceiling, switches=("s8",), **split, **keys
    )


# ---- plain loops: all keys of a kind, the hosts that it has room for, and the uniform load of its paper --------------


def every_slim_fly(need):
    for q, hosts, cables in product((3, 4, 5), range(1, 9), range(1, 4)):
        if prime_power(q):
            keys = {"q": q, "p": hosts * need.nics, "parallel": cables}
            switches, degree = 2 * q * q, (3 * q - {1: 1, 3: -1}.get(q % 4, 0)) // 2
            load = Fraction(hosts * need.nics * (2 * switches - degree - 2), degree * switches * cables)
            yield keys, switches * hosts, load


def every_hyperx(need):
    for size in (1, 2, 3):
        for dims in combinations_with_replacement(range(2, 9), size):
            for hosts, cables in product(range(1, 9), range(1, 8)):
                keys = {"dims": dims, "endpoints_per_switch": hosts * need.nics, "parallel": cables}
                yield keys, prod(dims) * hosts, Fraction(hosts * need.nics, min(dims) * cables)


def every_dragonfly(need):
    for hosts, a, h in product(range(1, 9), range(2, 9), range(1, 9)):
        links = hosts * need.nics
        for groups in range(2, a * h + 2):
            local = Fraction(links * (2 * groups - 1), a * groups)
            yield (
                {"p": links, "a": a, "h": h, "groups": groups},
                a * groups * hosts,
                max(local, Fraction(links * (groups - 1), groups * h)),
            )


def every_dragonfly_plus(need):
    for hosts, leaves, spines, ports, cables in product(*[range(1, 8)] * 5):
        links = hosts * need.nics
        if links + spines * cables > 8 or leaves * cables + ports > 8 or cables > 4 or leaves < 2:
            continue
        for groups in range(2, spines * ports + 2):
            keys = {"groups": groups, "leaves": leaves, "spines": spines, "p": links, "global_links": ports}
            up, across = (
                Fraction(links, spines * cables),
                Fraction(links * leaves * (groups - 1), groups * spines * ports),
            )
            yield keys | {"parallel": cables}, groups * leaves * hosts, max(up, across)


def every_zcube(need):
    for first, second, each, cables in product(range(2, 5), range(2, 5), range(1, 8), range(1, 8)):
        keys = {"dims": (first, second), "hosts_per_place": each, "parallel": cables}
        yield keys, second * (first * each // need.nics), Fraction(each, cables)


LOOPS = {
    "dragonfly": every_dragonfly,
    "dragonfly-plus": every_dragonfly_plus,
    "hyperx": every_hyperx,
    "slim-fly": every_slim_fly,
    "zcube": every_zcube,
}


def cheapest_by_loops(family, need, usd):
    """Least cost over all keys: of switches, and of every cable between switches."""
    best = inf
    facts = TOPOLOGIES[family].facts
    for keys, room, load in LOOPS[family](need):
        counts = facts(**keys, speed=400.0)
        if room >= need.hosts and load <= need.oversubscription and counts.ports_used_max <= 8:
            cables = sum(count for tier, count in counts.cables_by_tier.items() if not tier.startswith("host-"))
            best = min(best, counts.switches * usd[0] + cables * usd[1])
    return best


def cheapest_counted(family, need, usd):
    """The same over the designs of the family."""
    return min(
        (
            sum(row.count for row in design.switches) * usd[0]
            + sum(row.count for row in design.cables if row.run != HOST_RUN) * usd[1]
            for variant in FAMILIES[family].variants(need, SMALL)
            for design in designs(variant, Random(0), most=400)
        ),
        default=inf,
    )


@pytest.mark.parametrize("family", FLAT)
@pytest.mark.parametrize("usd", [(1000, 1), (1000, 300), (10, 100)])
def test_plain_loops_find_nothing_cheaper(family, usd):
    """By the closed forms of the builders: over all keys that make a fabric of switches of 8 ports."""
    found = 0
    for hosts, nics, ceiling in product((3, 8, 17, 40), (1, 2), (1.0, 2.0)):
        need = need_of(family, hosts, nics, ceiling)
        loops = cheapest_by_loops(family, need, usd)
        assert cheapest_counted(family, need, usd) == loops
        found += loops < inf
    assert found >= 2


@pytest.mark.parametrize("family", FLAT)
@pytest.mark.parametrize(("nics", "ceiling"), [(1, 1.0), (1, 2.0), (2, 1.0), (1, 0.5), (1, inf)])
def test_what_a_family_reaches_has_a_design_and_no_more_has(family, nics, ceiling):
    most = FAMILIES[family].most_endpoints(need_of(family, 1, nics, ceiling), SMALL)
    assert most % nics == 0
    if most:
        assert list(FAMILIES[family].variants(need_of(family, most // nics, nics, ceiling), SMALL))
    assert not list(FAMILIES[family].variants(need_of(family, most // nics + 1, nics, ceiling), SMALL))


# ---- the uniform load ------------------------------------------------------------------------------------------------


def uniform_loads(net):
    """Load of every link between switches over its capacity: all NICs evenly to all, hops counted by NetworkX.

    Flows split evenly over the shortest paths of the switches, and over the ports of a NIC whose paths are as short:
    those of a betweenness centrality of edges whose ends are weighted by the NICs on them.
    """
    graph = nx.DiGraph()
    ends = net.endpoint_nodes.tolist()
    for tail, head, gbps in zip(net.links.src.tolist(), net.links.dst.tolist(), net.links.capacity_gbps, strict=True):
        graph.add_edge(tail, head, gbps=graph.get_edge_data(tail, head, {"gbps": 0.0})["gbps"] + gbps, at_once=0)
    hosts = set(ends)
    for tail, head in graph.edges:  # traffic crosses no host
        graph[tail][head]["weight"] = 1000 if tail in hosts or head in hosts else 1
    count = nx.edge_betweenness_centrality_subset(graph, ends, ends, weight="weight")
    sent = sum(gbps for _, _, gbps in graph.out_edges(ends[0], data="gbps"))
    return [count[edge] * sent / len(ends) / graph.edges[edge]["gbps"] for edge in graph.edges if not hosts & set(edge)]


# Uniform load; what the mean and the fullest link carry when no NIC sends to itself and those of one switch meet there.
EXAMPLES = [
    ("slim-fly", {"q": 3, "p": 2}, 29 / 45, 29 / 45, 7 / 9),
    ("hyperx", {"dims": [3, 3], "endpoints_per_switch": 3}, 1, 1, 1),
    ("hyperx", {"dims": [4, 3], "endpoints_per_switch": 3}, 1, 0.85, 1),
    ("hyperx", {"dims": [2, 2, 2], "endpoints_per_switch": 2, "parallel": 2}, 0.5, 0.5, 0.5),
    ("dragonfly", {"p": 2, "a": 4, "h": 2, "groups": 9}, 17 / 18, 0.9111, 1.3056),
    ("dragonfly", {"p": 2, "a": 4, "h": 2, "groups": 5}, 0.9, 0.74, 1.0875),
    ("dragonfly-plus", {"groups": 5, "leaves": 4, "spines": 4, "p": 4, "global_links": 4}, 1, 0.9, 0.95),
    ("zcube", {"dims": [4, 4]}, 1, 9 / 16, 9 / 16),
    ("zcube", {"dims": [3, 4], "hosts_per_place": 2, "parallel": 1}, 2, 1, 1),
]


def counted_load(kind, keys):
    """The uniform load by the loops above, whose formulas are those of the families."""
    wanted = {"parallel": 1} | {key: tuple(value) if isinstance(value, list) else value for key, value in keys.items()}
    if kind == "hyperx":
        return Fraction(wanted["endpoints_per_switch"], min(wanted["dims"]) * wanted["parallel"])
    same = (
        {"parallel": 1} | made | wanted == {"parallel": 1} | made and load
        for made, _, load in LOOPS[kind](need_of(kind, 1))
    )
    return next(load for load in same if load)


@pytest.mark.parametrize(("kind", "keys", "load", "mean", "most"), EXAMPLES)
def test_the_uniform_load_is_no_less_than_an_all_to_all_leaves_on_the_mean_link(kind, keys, load, mean, most):
    """Equal where all links are alike; shortest paths are uneven over those of a dragonfly or Slim Fly."""
    assert counted_load(kind, keys) == pytest.approx(load)
    loads = uniform_loads(TOPOLOGIES[kind]({**keys, "speed": "400G"}))
    assert np.mean(loads) == pytest.approx(mean, abs=1e-4)
    assert max(loads) == pytest.approx(most, abs=1e-4)
    assert mean <= load + 1e-9


@pytest.mark.parametrize("family", FLAT)
def test_any_single_switch_may_die_where_that_was_asked_for(family):
    """Of the switches without hosts, and of those with hosts where NICs are split; what is left stays in one piece."""
    for part in ("spine", "leaf"):
        need = need_of(family, 12, single_failures=(part,))
        found = [
            design for variant in FAMILIES[family].variants(need, SMALL) for design in designs(variant, Random(1), 5)
        ]
        assert bool(found) == (part == "spine" or family == "zcube")
        for design in found:
            net = build(need, SMALL, design)
            graph = nx.Graph(zip(net.links.src.tolist(), net.links.dst.tolist(), strict=True))
            ends = set(net.endpoint_nodes.tolist())
            holding = set(net.links.dst[np.isin(net.links.src, list(ends))].tolist())
            for switch in np.flatnonzero(net.is_switch).tolist():
                if part == "leaf" or switch not in holding:
                    left = graph.subgraph(set(graph) - {switch} - ends)
                    assert nx.is_connected(left)
                    assert all(set(graph[end]) - {switch} for end in ends)


def test_a_pair_of_switches_is_joined_twice_where_a_cable_may_be_cut():
    need = need_of("hyperx", 4, single_failures=("leaf-uplink",))
    for variant in FAMILIES["hyperx"].variants(need, SMALL):
        for design in designs(variant, Random(2), 20):
            net = build(need, SMALL, design)
            graph = nx.MultiGraph()
            cables = net.is_cable & net.is_switch[net.links.src] & net.is_switch[net.links.dst]
            graph.add_edges_from(zip(net.links.src[cables].tolist(), net.links.dst[cables].tolist(), strict=True))
            assert not nx.has_bridges(nx.Graph(graph)) or min(dict(graph.degree).values()) >= 2


def test_tiers_bound_the_longest_path():
    """One tier: a switch alone; two: three switches, as leaf-spine; three: five."""
    shapes = {
        tiers: {
            family for family in FLAT if list(FAMILIES[family].variants(need_of(family, 12, max_tiers=tiers), SMALL))
        }
        for tiers in (1, 2, 3)
    }
    assert shapes[1] == set()
    assert shapes[2] >= {"hyperx", "zcube"}
    assert not shapes[2] & {"dragonfly", "dragonfly-plus"}
    assert shapes[3] >= {"dragonfly", "hyperx", "zcube"}
    assert load_allowed(need_of("hyperx", 1, ceiling=inf)) is None
    assert ceil(load_allowed(need_of("hyperx", 1, ceiling=3.0))) == 3
