"""Traces of packets: the right rule at every switch, probabilities that a Markov chain confirms, ends of all sorts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rule_cases import planned_rules

from fabric.routing.tables.slot_table import slot_parts, slots
from fabric.rules.errors import RuleError
from fabric.rules.packet import Packet, find_rule, matches
from fabric.rules.table import DROP, LOCAL, Action, Match, Rule
from fabric.rules.trace import Tracer


def tracer(tmp_path, fabric, router, **keys):
    planned = planned_rules(tmp_path, fabric, router, **keys)
    return Tracer({table.name: table for table in planned.rules.tables()}, planned.plan), planned


def links_of(trace, path):
    """Directed links of a path, the last one to the endpoint included."""
    node = trace.plan.topology.node
    return [trace.ports.link(node(hop.switch), hop.out_port) for hop in path.hops if hop.out_port != LOCAL]


def chance_of_links(trace, packet, first):
    """Chance that a packet crosses each link, shape (L,): visits solve v = start + v P, without following any path."""
    topology = trace.plan.topology
    count = len(topology.nodes)
    step = np.zeros((count, count))
    shares = []
    for name, table in trace.tables.items():
        node = topology.node(name)
        rule = next(rule for rule in table.rules if matches(rule.match, packet))
        ways = [(rule.action.value, 1.0)] if rule.action.kind == "output" else []
        if rule.action.kind == "group":
            (group,) = [one for one in table.groups if one.id == rule.action.value]
            parts = slot_parts([bucket.weight for bucket in group.buckets])
            ways = [(bucket.port, part) for bucket, part in zip(group.buckets, parts, strict=True)]
        for port, part in ways:
            if port != LOCAL:
                link = trace.ports.link(node, port)
                step[node, topology.links.dst[link]] += part
                shares.append((link, node, part))
    start = np.zeros(count)
    start[topology.node(first)] = 1.0
    visits = np.linalg.solve(np.eye(count) - step.T, start)
    found = np.zeros(len(topology.links))
    for link, node, part in shares:
        found[link] += visits[node] * part
    return found


@pytest.mark.parametrize("fabric", ["fat-tree", "leaf-spine", "rails"])
@pytest.mark.parametrize("router", ["ecmp", "wcmp", "optimal"])
def test_all_paths_give_the_link_shares_of_a_markov_chain(tmp_path, fabric, router):
    """Sums of path probabilities per link equal the expected visits; all paths together have probability 1."""
    trace, planned = tracer(tmp_path, fabric, router)
    names = planned.plan.topology.nodes.name
    ends = [names[node] for node in planned.plan.node_at.tolist()]
    for src, dst in ((ends[0], ends[-1]), (ends[-1], ends[1])):
        packet = trace.packet(src, dst)
        entry = trace.entries(src)[0]
        found = trace.trace_all(packet, entry)
        assert found.rest == 0
        assert {path.end for path in found.paths} == {"delivered"}
        assert {path.at for path in found.paths} == {dst}
        assert sum(path.probability for path in found.paths) == pytest.approx(1)
        share = np.zeros(len(planned.plan.topology.links))
        for path in found.paths:
            share[links_of(trace, path)] += path.probability
        np.testing.assert_allclose(share, chance_of_links(trace, packet, entry[0]), atol=1e-12)


def test_one_trace_is_the_most_likely_of_all(tmp_path):
    """Each hop takes its most likely port, and says what the others get."""
    trace, _ = tracer(tmp_path, "leaf-spine", "wcmp", down=("link=leaf0:spine0#1",))
    packet = trace.packet("hosts0", "hosts11")
    entry = trace.entries("hosts0")[0]
    path = trace.trace(packet, entry)
    every = trace.trace_all(packet, entry).paths
    assert path.names in {one.names for one in every}
    first = path.hops[0]
    assert first.group is not None
    assert sum(choice.part for choice in first.choices) == pytest.approx(1)
    assert first.part == max(
        sum(c.part for c in first.choices if c.bucket.port == p.bucket.port) for p in first.choices
    )
    assert path.probability == pytest.approx(np.prod([hop.part for hop in path.hops]))


def test_a_slot_takes_the_bucket_of_the_switchs_slot_table(tmp_path):
    """Over all slots, each bucket is taken as often as its part says."""
    trace, _ = tracer(tmp_path, "fat-tree", "ecmp")
    packet = trace.packet("pod0/edge0/h0", "pod3/edge1/h1")
    entry = trace.entries("pod0/edge0/h0")[0]
    group = trace.trace(packet, entry).hops[0].group
    table = slots([bucket.weight for bucket in group.buckets])
    assert [trace.trace(packet, entry, slot=slot).hops[0].bucket for slot in range(2 * len(table))] == [*table, *table]


def test_single_flows_follow_their_own_rules(tmp_path):
    """A pinned flow's packet takes the rule of its 5-tuple at every switch, with certainty."""
    trace, planned = tracer(tmp_path, "fat-tree", "pinned")
    names = planned.plan.topology.nodes.name
    for flow in planned.flows[:20]:
        packet = trace.packet(names[flow.src], names[flow.dst], src_port=flow.match.src_port)
        path = trace.trace(packet, trace.entries(names[flow.src])[0])
        assert path.end == "delivered"
        assert path.probability == 1.0
        assert all(hop.rule.match == flow.match for hop in path.hops)


def test_ends_are_told_apart(tmp_path):
    """Dropped where nobody has the address; a dead port; a missing table; a cycle of two switches; a group gone."""
    trace, planned = tracer(tmp_path, "fat-tree", "ecmp")
    src, dst = "pod0/edge0/h0", "pod3/edge1/h1"
    entry = trace.entries(src)[0]
    gateway = str(planned.plan.ipv4(planned.plan.topology.node(dst)) - 2)
    unowned = trace.trace(trace.packet(src, gateway), entry)
    assert (unowned.end, unowned.at) == ("dropped", "pod3/edge1")
    packet = trace.packet(src, dst)
    path = trace.trace(packet, entry)
    lost = Tracer({name: table for name, table in trace.tables.items() if name != path.names[1]}, trace.plan)
    assert (lost.trace(packet, entry).end, lost.trace(packet, entry).at) == ("no table", path.names[1])

    def with_first(rule, groups=()):
        table = trace.tables[path.names[1]]
        changed = replace(table, rules=(rule, *table.rules), groups=groups)
        return Tracer({**trace.tables, table.name: changed}, trace.plan).trace(packet, entry)

    above = Rule(60_000, Match(0), DROP, 0)
    assert with_first(above).end == "dropped"
    assert with_first(above._replace(action=Action("output", 99))).end == "dead port"
    back = with_first(above._replace(action=Action("output", path.hops[1].in_port)))
    assert (back.end, back.at) == ("loop", path.names[0])
    assert with_first(above._replace(action=Action("group", 5))).end == "no such group"


def test_priorities_decide_before_prefix_lengths(tmp_path):
    """A short prefix of higher priority wins; of equals the first."""
    low = Rule(132, Match(4, 0x0A000001, 32), Action("output", 1), 1)
    high = Rule(200, Match(4, 0x0A000000, 8), Action("output", 2), 2)
    assert find_rule([low, high], Packet(4, 1, 0x0A000001)) is high
    assert find_rule([low], Packet(6, 1, 0x0A000001)) is None


@pytest.mark.parametrize(
    ("src", "dst", "words"),
    [
        ("nobody", "pod0/edge0/h1", "'nobody' is not on the fabric"),
        ("pod0/edge0", "pod0/edge0/h1", "'pod0/edge0' is a switch"),
        ("pod0/edge0/h0", "elsewhere", "neither an endpoint nor an address"),
        ("pod0/edge0/h0", "192.0.2.1", "not an address of fabric main"),
    ],
)
def test_unknown_ends_are_refused(tmp_path, src, dst, words):
    """With what is wrong, and names that would do."""
    trace, _ = tracer(tmp_path, "fat-tree", "ecmp")
    with pytest.raises(RuleError, match=words) as caught:
        trace.packet(src, dst)
    assert caught.value.problems[0].code == "FP8051"
    assert caught.value.problems[0].hint
