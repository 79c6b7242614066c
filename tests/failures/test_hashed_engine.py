"""Cases of hashed flows by what they move: equal to routing every case anew, for every kind of hash."""

from __future__ import annotations

import numpy as np
import pytest
from hashed_cases_random import all_pairs_of, assert_alike, damage_from, hashed_phase, random_damage, random_phase

from fabric.failures.engine import CAUSES, LinkWorst, Outcomes
from fabric.failures.hashed import HashedEngine
from fabric.failures.plain import PlainEngine
from fabric.failures.reaction import FROZEN
from fabric.routing.graph import build_graph
from fabric.routing.hashing.flows import FlowTable
from fabric.routing.hashing.functions import lasting_pick, most_picks, next_hop
from fabric.routing.hashing.headers import draw
from fabric.routing.router import AdaptiveOptions, HashOptions, PairTraffic
from topologies.builder import TOPOLOGIES
from topologies.columns import column
from traffic.demands import Flows, UniformBlock

CASES = 10  # of one random fabric


@pytest.mark.parametrize("resilient", [True, False])
@pytest.mark.parametrize("block", range(10))
def test_a_thousand_random_cases_are_what_routing_anew_says(block, resilient):
    """Weights, parallel and one-way links, multi-homed hosts, slow links, links down before, two jobs."""
    for seed in range(10 * block, 10 * block + 10):
        phase = random_phase(seed, resilient=resilient)
        links = len(phase.topology.links)
        damage = random_damage(np.random.default_rng(seed), links, CASES)
        ours, theirs = LinkWorst.empty(links), LinkWorst.empty(links)
        engine = HashedEngine.of(phase)
        assert_alike(engine.outcomes(damage, ours, 5), PlainEngine(phase).outcomes(damage, theirs, 5), ours, theirs)
        np.testing.assert_allclose(
            engine.utilisation(damage, 3), PlainEngine(phase).utilisation(damage, 3), rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("resilient", [True, False])
@pytest.mark.parametrize("block", range(5))
def test_a_thousand_pairs_are_both_at_once(block, resilient):
    """All 45 pairs of ten cases; and the same as the second case on top of the first."""
    for seed in range(100 + 5 * block, 105 + 5 * block):
        phase = random_phase(seed, resilient=resilient)
        links = len(phase.topology.links)
        damage = random_damage(np.random.default_rng(seed), links, CASES, most=3)
        engine, ours, theirs = HashedEngine.of(phase), LinkWorst.empty(links), LinkWorst.empty(links)
        upper = engine.pairs(damage, 0, 4, ours, 0)
        lower = engine.pairs(damage, 4, CASES, ours, len(upper.hottest))
        pairs = Outcomes(**{name: np.concatenate([getattr(upper, name), getattr(lower, name)]) for name in vars(upper)})
        plain = PlainEngine(phase).outcomes(all_pairs_of(damage), theirs)
        assert_alike(pairs, plain, ours, theirs)
        anew, onto = LinkWorst.empty(links), LinkWorst.empty(links)
        second = engine.damaged(damage, 2).outcomes(damage, anew)
        assert_alike(second, PlainEngine(phase).damaged(damage, 2).outcomes(damage, onto), anew, onto)


def builder_cases():
    fat = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    spine = {"leaves": 4, "spines": 3, "hosts_per_leaf": 3, "host_speed": "100G", "uplink_speed": "200G"}
    leaf = TOPOLOGIES["leaf-spine"](spine)
    torus = TOPOLOGIES["torus"](TOPOLOGIES["torus"].example)
    dragonfly = TOPOLOGIES["dragonfly"](TOPOLOGIES["dragonfly"].example)
    return {"fat-tree": fat, "leaf-spine": leaf, "torus": torus, "dragonfly": dragonfly}


@pytest.mark.parametrize("resilient", [True, False])
@pytest.mark.parametrize("router", ["ecmp-hash", "adaptive"])
@pytest.mark.parametrize("name", ["fat-tree", "leaf-spine", "torus", "dragonfly"])
def test_links_and_switches_of_what_people_build(name, router, resilient):
    """Every third cable, every switch, and pairs of them, under an all-to-all and a shift."""
    net = builder_cases()[name]
    ends, links = net.endpoint_nodes[:24], net.links
    none = Flows.none()
    parts = [
        Flows(none.src, none.dst, none.amount, (UniformBlock(column(ends, np.int32), 2.0),)),
        Flows.of(ends, np.roll(ends, 3), np.full(len(ends), 30.0)),
    ]
    phase = hashed_phase(
        net, parts, router=router, hash=HashOptions(resilient=resilient), adaptive=AdaptiveOptions("flow")
    )
    dead = [np.array([link], dtype=np.int32) for link in np.flatnonzero(net.is_cable)[::3]][:20]
    dead += [
        np.flatnonzero((links.src == node) | (links.dst == node)).astype(np.int32)
        for node in np.flatnonzero(net.is_switch)[:6]
    ]
    damage = damage_from(dead)
    ours, theirs = LinkWorst.empty(len(links)), LinkWorst.empty(len(links))
    engine, plain = HashedEngine.of(phase), PlainEngine(phase)
    assert_alike(engine.outcomes(damage, ours), plain.outcomes(damage, theirs), ours, theirs)
    few = damage_from(dead[:: max(len(dead) // 5, 1)])
    ours, theirs = LinkWorst.empty(len(links)), LinkWorst.empty(len(links))
    pairs = engine.pairs(few, 0, len(few), ours)
    assert_alike(pairs, plain.outcomes(all_pairs_of(few), theirs), ours, theirs)


def frozen_loads(phase, dead):
    """Gbps per link and pairs that lose a flow, hop by hop: groups of the intact fabric, less what is dead."""
    net, options = phase.topology, phase.options
    graph = build_graph(net, phase.demands.flows, per_endpoint=True)
    table = FlowTable.of(graph, [PairTraffic(part, 1.0, 3, True) for part in phase.demands.flows])
    drawn = draw(graph, (table.src_endpoint, table.dst_endpoint), table.name, options.hash, (options.seed,))
    node, up, down = graph.single_homed
    out, back = dict(zip(node.tolist(), up, strict=True)), dict(zip(node.tolist(), down, strict=True))
    loads, lost, distances = np.zeros(len(net.links)), set(), {}
    for flow, (here, dest) in enumerate(zip(table.src.tolist(), table.dest_of_flow.tolist(), strict=True)):
        ends = int(table.src_endpoint[flow]), int(table.dst_endpoint[flow])
        if dest not in distances:
            distances[dest] = hops_to(graph, dest)
        near, path, arrives = distances[dest], [], True
        for link in [out[ends[0]]] if ends[0] in out else []:
            arrives = link not in dead
            path += [link] if arrives else []
        while arrives and here != dest:
            group = [int(e) for e in np.flatnonzero(graph.src == here) if near[graph.dst[e]] + 1 == near[here]]
            alive = [graph.first_link[edge] not in dead for edge in group]
            key, seed = drawn.keys[0, flow], drawn.seeds[0, here]
            arrives = any(alive)
            if arrives and options.hash.resilient:
                picks = (lasting_pick(key, seed, drawn.bits, len(group), at) for at in range(most_picks(len(group))))
                edge = group[next(pick for pick in picks if alive[pick])]
            elif arrives:
                left = [one for one, good in zip(group, alive, strict=True) if good]
                edge = left[next_hop(key, seed, drawn.bits, len(left))]
            if arrives:
                path.append(graph.first_link[edge])
                here = int(graph.dst[edge])
        for link in [back[ends[1]]] if arrives and ends[1] in back else []:
            arrives = link not in dead
            path += [link] if arrives else []
        np.add.at(loads, np.array(path, dtype=int), table.gbps[flow])
        if not arrives:
            lost.add((int(table.code[flow]), *ends))
    return loads, len(lost)


def hops_to(graph, dest):
    """Hops to a node, breadth first."""
    near, ring = {dest: 0}, [dest]
    while ring:
        ring = [
            int(tail)
            for head in ring
            for tail in graph.src[graph.dst == head]
            if tail not in near and near.setdefault(int(tail), near[head] + 1)
        ]
    return {node: near.get(node, np.inf) for node in range(graph.nodes)}


@pytest.mark.parametrize("resilient", [True, False])
@pytest.mark.parametrize("name", ["fat-tree", "leaf-spine", "torus"])
def test_frozen_groups_lose_dead_members_and_nothing_else(name, resilient):
    """One to four dead cables, one after the other too; what reaches a switch without a next hop is lost there."""
    net = builder_cases()[name]
    ends, rng = net.endpoint_nodes[:16], np.random.default_rng(3)
    phase = hashed_phase(
        net, [Flows.of(ends, np.roll(ends, 5), np.full(len(ends), 30.0))], hash=HashOptions(resilient=resilient)
    )
    dead = [np.unique(rng.integers(len(net.links), size=rng.integers(1, 5))).astype(np.int32) for _ in range(40)]
    engine, worst = HashedEngine.of(phase, FROZEN), LinkWorst.empty(len(net.links))
    damage, lost_any = damage_from(dead), 0
    outcomes = engine.outcomes(damage, worst)
    after = engine.damaged(damage, 0).outcomes(damage, worst)
    both = engine.pairs(damage, 0, 1, worst)
    for case, links in enumerate(dead):
        gone = {int(one) for link in links for one in (link, net.links.reverse[link])} - {-1}
        loads, lost = frozen_loads(phase, gone)
        utilisation = np.divide(loads, net.capacity_gbps)
        assert outcomes.max_utilisation[case] == pytest.approx(utilisation.max(), rel=1e-9)
        assert outcomes.unreachable_pairs[case] == lost
        assert outcomes.cut[case].all() == (lost > 0)
        np.testing.assert_allclose(engine.utilisation(damage, case), utilisation, rtol=1e-9, atol=1e-12)
        lost_any += lost > 0
        if case:
            assert both.unreachable_pairs[case - 1] == after.unreachable_pairs[case]
            assert both.max_utilisation[case - 1] == after.max_utilisation[case]
    assert lost_any > 0


def test_the_worst_of_two_threads_are_the_worst_of_all():
    """Joined one by one, or by sorting all."""
    rng = np.random.default_rng(1)

    def some(first):
        worst = LinkWorst.empty(7)
        for case in range(first, first + 40):
            worst.add(case, np.arange(7, dtype=np.int32), rng.integers(0, 20, size=7) / 4)
        return worst

    one, two = some(0), some(40)
    joined = two.merged(one)
    values = np.concatenate([one.utilisation, two.utilisation], axis=1)
    cases = np.concatenate([one.case, two.case], axis=1)
    order = np.lexsort((cases, -values), axis=1)[:, :CAUSES]
    np.testing.assert_array_equal(joined.utilisation, np.take_along_axis(values, order, axis=1))
    np.testing.assert_array_equal(joined.case, np.take_along_axis(cases, order, axis=1))
