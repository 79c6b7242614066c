"""Descent on split fractions and classes of equivalent columns, against exact programmes and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from oracle_fabrics import Case, PairFlows, ours, routed

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.changed_rows import with_cheap_arcs
from fabric.optimise.cuts import best_cut
from fabric.optimise.dags import shortest_dags
from fabric.optimise.descent import Descent
from fabric.optimise.flow_programmes import least_utilisation
from fabric.optimise.path_policy import arc_space
from fabric.optimise.solve import solve_programme
from fabric.optimise.symmetry import quotient
from fabric.routing.graph import build_graph, phase_demand
from topologies.builder import TOPOLOGIES
from traffic.demands import Flows, UniformBlock

OBJECTIVE = "fabric.optimise.least_utilisation"


def damaged(radix, failed, seed):
    """A k-ary fat tree of 100G without some of its switch links."""
    net = TOPOLOGIES["fat-tree"]({"radix": radix, "speed": "100G"})
    links, forwards = net.links, net.nodes.forwards
    cables = forwards[links.src] & forwards[links.dst] & (links.reverse > np.arange(len(links)))
    rng = np.random.default_rng(seed)
    return net.with_down(links=rng.choice(np.flatnonzero(cables), failed, replace=False)), rng


def permutation(net, rng):
    """Every host sends 100 Gbps to one other."""
    hosts = net.endpoint_nodes
    return Flows.of(hosts, hosts[np.roll(rng.permutation(len(hosts)), 1)], np.full(len(hosts), 100.0))


@pytest.mark.parametrize("paths", ["any", "shortest"])
@pytest.mark.parametrize("seed", range(12))
def test_descent_on_a_damaged_fat_tree_meets_the_programme_by_pairs(seed, paths, monkeypatch):
    """k = 4 without four of its 32 cables; a programme by pairs and links knows the least maximum utilisation."""
    monkeypatch.setattr(f"{OBJECTIVE}.PART_COLUMNS", 0)
    monkeypatch.setattr(f"{OBJECTIVE}.SMALL_COLUMNS", 0)
    monkeypatch.setattr(f"{OBJECTIVE}.AFTER_DESCENT", 0)
    net, rng = damaged(4, 4, seed)
    flows = permutation(net, rng)
    keep = flows.src != flows.dst
    rows = tuple(zip(flows.src[keep].tolist(), flows.dst[keep].tolist(), flows.amount[keep].tolist(), strict=True))
    case = Case(net, rows)
    route = ours(case, "optimal", paths=paths, gap=1e-3)
    least = PairFlows(case, shortest=paths == "shortest").least_theta()
    assert least * (1 - 1e-7) <= route.max_utilisation <= least * (1 + 2e-2)
    assert route.certificate.lower_bound <= least * (1 + 1e-7)
    assert route.partial == (route.max_utilisation > route.certificate.lower_bound * (1 + 1e-3))


@pytest.mark.parametrize("radix", [8, 12, 16])
def test_one_lost_uplink_costs_exactly_its_part(radix):
    """All-to-all over pods, one of k/2 uplinks of an edge switch down: its traffic has k/2 − 1 left.

    Every host sends 100 Gbps evenly to the n − k/2 hosts behind other edge switches, k/2 hosts share the live uplinks.
    """
    net = TOPOLOGIES["fat-tree"]({"radix": radix, "speed": "100G"})
    edge = int(np.flatnonzero(net.nodes.level == 1)[0])
    uplink = np.flatnonzero((net.links.src == edge) & (net.nodes.level[net.links.dst] == 2))[0]
    net = net.with_down(links=[uplink])
    hosts = net.endpoint_nodes
    none = Flows.none()
    each = 100.0 / (len(hosts) - radix // 2)
    flows = Flows(none.src, none.dst, none.amount, (UniformBlock(hosts, each),))
    graph, _, routing = routed(net, flows, gap=1e-4)
    half = radix / 2
    theta = (routing.edge_gbps.sum(axis=1) / graph.capacity_gbps).max()
    assert routing.certificate.lower_bound == pytest.approx(half / (half - 1), rel=1e-9)
    assert theta == pytest.approx(half / (half - 1), rel=1e-4)
    assert not routing.partial


def test_threads_do_not_change_a_bit(monkeypatch):
    """The sums of the slices are added in one order, by whichever thread they are computed."""
    from concurrent.futures import ThreadPoolExecutor

    net, rng = damaged(12, 20, 3)
    flows = permutation(net, rng)
    found = []
    for threads in (1, 2, 5):
        with ThreadPoolExecutor(threads) as pool:
            monkeypatch.setattr("fabric.routing.kernels.kernel_threads", lambda pool=pool: pool)
            _, _, routing = routed(net, flows, gap=1e-3)
        found.append((routing.edge_gbps.tobytes(), routing.certificate.lower_bound, routing.solver))
    assert found[0] == found[1] == found[2]
    assert found[0][2] == "descent"


@pytest.mark.parametrize("seed", range(6))
def test_added_arcs_leave_every_destination_without_a_cycle(seed):
    """Random prices pull arcs off the shortest paths into the table; heads stay grouped, farthest first."""
    net, rng = damaged(6, 12, seed)
    flows = permutation(net, rng)
    graph = build_graph(net, [flows])
    demand = phase_demand(graph, [flows], [1.0])
    arcs, routable = merge_parallel(graph), np.ones(len(demand.src), dtype=np.bool_)
    dags = shortest_dags(arcs, demand, routable)
    price = rng.random(len(arcs.src)) ** 4 + 1e-3
    every = np.arange(len(demand.dest), dtype=np.int32)
    more, shares = with_cheap_arcs(
        dags, np.ones(len(dags.slot), dtype=np.float32), demand, routable, price[arcs.into.edge], every
    )
    assert len(more.slot) == len(shares) == more.start[-1]
    for row, dest in enumerate(demand.dest.tolist()):
        mine = more.slot[more.start[row] : more.start[row + 1]]
        tails, heads = more.tail[mine].tolist(), more.head[mine].tolist()
        left: set[int] = set()
        for tail, head in zip(tails, heads, strict=True):
            left.add(tail)
            assert head not in left
        assert set(heads) - {dest} <= set(tails)
        sources = demand.src[demand.start[row] : demand.start[row + 1]].tolist()
        assert set(sources) <= set(tails)
        assert len(set(mine.tolist())) == len(mine)


def test_prices_of_the_descent_prove_what_it_reached():
    """Without being told the cut, its own prices come within two percent of it on a k = 8 tree."""
    net, rng = damaged(8, 8, 1)
    flows = permutation(net, rng)
    graph = build_graph(net, [flows])
    demand = phase_demand(graph, [flows], [1.0])
    routable = np.ones(len(demand.src), dtype=np.bool_)
    dags = shortest_dags(merge_parallel(graph), demand, routable)
    descent = Descent.of(dags, demand, routable, theta_min=0.0)
    begin = np.ones(len(dags.slot), dtype=np.float32)
    step = descent.run(begin, bound=0.0, gap=1e-4, deadline=np.inf, report=lambda *_: None)
    assert step.bound <= step.theta * (1 + 1e-9)
    assert step.bound == pytest.approx(step.theta, rel=2e-2)
    assert step.theta >= best_cut(graph, demand, routable).lower_bound * (1 - 1e-9)


@pytest.mark.parametrize("down", [(), (0,), (0, 3)])
def test_classes_of_equivalent_columns_have_the_same_optimum_and_proof(down):
    """All-to-all on 6 leaves and 4 spines is one class of links up and one down, and few more with cables out.

    The smaller programme's optimum, its point given to all members, and its prices are those of the whole programme.
    """
    net = TOPOLOGIES["leaf-spine"](
        {"leaf": {"count": 6, "down": 4, "up": 4, "speed": "100G"}, "spine": {"count": 4, "speed": "100G"}}
    )
    level, links = net.nodes.level, net.links
    up = np.flatnonzero((level[links.src] == 1) & (level[links.dst] == 2))
    net = net.with_down(links=up[list(down)])
    leaves = np.flatnonzero(level == 1).astype(np.int32)
    src, dst = np.nonzero(~np.eye(len(leaves), dtype=bool))
    flows = Flows.of(leaves[src], leaves[dst], np.full(len(src), 10.0))
    graph = build_graph(net, [flows])
    demand = phase_demand(graph, [flows], [1.0])
    space = arc_space(graph, demand, "any").over(None, complete=True)
    whole = least_utilisation(space.blocks, space.routable, scale=1.0, least=0.0)
    classes = quotient(whole)
    assert classes.columns < len(whole.cost) / (3 if down else 10)
    exact = solve_programme(whole, time_limit_s=60)
    small = solve_programme(classes.programme, time_limit_s=60)
    point, prices = classes.values(small.values), classes.row_prices(small.row_prices)
    assert point[-1] == pytest.approx(exact.values[-1], rel=1e-9)
    activity = whole.matrix @ point
    assert (activity >= whole.lower_row - 1e-9).all()
    assert (activity <= whole.upper_row + 1e-9).all()
    finite = np.isfinite(whole.lower_row)
    assert prices[finite] @ whole.lower_row[finite] == pytest.approx(exact.values[-1], rel=1e-9)
    assert (whole.cost - whole.matrix.T @ prices >= -1e-9).all()
