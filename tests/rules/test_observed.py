"""Comparison with what runs: dumps of tables, routes of a kernel; equal behaviour is told from equal entries."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_cases import planned_rules

from fabric.routing.tables.slot_table import slot_parts
from fabric.rules.address_line import line_prefixes
from fabric.rules.errors import RuleError
from fabric.rules.kernel_routes import KernelHop, parse_routes
from fabric.rules.next_hops import routes_of
from fabric.rules.observed import compare_tables
from fabric.rules.observed_routes import compare_routes
from fabric.rules.ovs_text import format_group, format_rule, parse_groups, parse_rules
from fabric.rules.packet import Packet, find_rule
from fabric.rules.table import DROP, Action, Bucket, Group, Match, Rule, SwitchTable, cookie_of, priority_of

SOME = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def rule(match, action=DROP):
    return Rule(priority_of(match), match, action, cookie_of(match))


def table_of(rules, groups=()):
    return SwitchTable("s", 1, 0, tuple(groups), tuple(sorted(rules, key=lambda one: (-one.priority, one.match))))


# ---- flow tables -----------------------------------------------------------------------------------------------------


def test_a_dump_of_the_same_table_has_no_differences(tmp_path):
    """Written as ``dump-flows`` does, with statistics, parsed back."""
    for table in planned_rules(tmp_path, "fat-tree", "pinned", families=(4, 6)).rules.tables():
        dump = "".join(
            f" {format_rule(one).replace(',priority', ', duration=1s, table=0, n_packets=3, n_bytes=9, priority')}\n"
            for one in table.rules
        )
        groups = "".join(f" {format_group(one, 7)}\n" for one in table.groups)
        found = compare_tables(table, parse_rules(dump, "dump"), parse_groups(groups, "dump"))
        assert found.entries == ()
        assert found.same_behaviour


def test_entries_that_differ_may_behave_alike():
    """A /8 against its two halves; a group of another id; a rule below that nothing reaches."""
    whole, halves = Match(4, 10 << 24, 8), [Match(4, 10 << 24, 9), Match(4, (10 << 24) + (1 << 23), 9)]
    buckets = (Bucket(1, 1), Bucket(2, 1))
    ours = table_of([rule(whole, Action("group", 5)), rule(Match(0))], [Group(5, buckets)])
    theirs = [rule(half, Action("group", 6)) for half in halves] + [rule(Match(0))]
    found = compare_tables(ours, theirs, [Group(6, buckets)])
    assert sorted(one.kind for one in found.entries) == [
        "missing", "missing", "unexpected", "unexpected", "unexpected"
    ]  # fmt: skip
    assert found.same_behaviour


def test_differences_name_prefix_ours_theirs_and_cookie():
    """One half goes elsewhere, one rule lost its cookie, a single flow is gone."""
    whole = rule(Match(4, 10 << 24, 8), Action("output", 1))
    flow = rule(Match(4, (10 << 24) + 9, 32, 1, 32, 17, 7, 4791), Action("output", 2))
    miss = rule(Match(0))
    half = rule(Match(4, 10 << 24, 9), Action("output", 3))
    found = compare_tables(table_of([flow, whole, miss]), [whole, half, miss._replace(cookie=0)], [])
    assert [(one.kind, one.cookie) for one in found.entries] == [
        ("missing", flow.cookie), ("different", miss.cookie), ("unexpected", half.cookie)
    ]  # fmt: skip
    prefix, single = found.behaviour
    assert (prefix.about, prefix.ours, prefix.theirs) == ("10.0.0.0/9", "port 1", "port 3")
    assert "10.0.0.9/32 from 0.0.0.1/32" in single.about
    assert (single.ours, single.theirs) == ("port 2", "port 3")


def test_weights_that_a_switch_realises_alike_behave_alike():
    """3 : 1 and 6 : 2 are both 12 : 4 of 16 slots; 2 : 1 is not."""
    ours = table_of([rule(Match(0), Action("group", 5))], [Group(5, (Bucket(1, 3), Bucket(2, 1)))])
    for weights, same in (((6, 2), True), ((2, 1), False)):
        group = Group(5, (Bucket(1, weights[0]), Bucket(2, weights[1])))
        found = compare_tables(ours, ours.rules, [group])
        assert found.same_behaviour == same
        assert {one.kind for one in found.entries} == {"different"}


ACTIONS = [DROP, Action("output", 1), Action("output", 2), Action("group", 1), Action("group", 2), Action("group", 3)]
GROUPS = [Group(1, (Bucket(1, 1), Bucket(2, 1))), Group(2, (Bucket(1, 2), Bucket(2, 2))), Group(3, (Bucket(2, 1),))]
TABLES = st.dictionaries(
    st.integers(0, 4).flatmap(lambda bits: st.tuples(st.just(28 + bits), st.integers(0, (1 << bits) - 1))),
    st.sampled_from(ACTIONS),
    max_size=8,
)


@SOME
@given(TABLES, TABLES)
def test_behaviour_agrees_with_a_look_up_of_every_address(one, two):
    """All 16 addresses of a /28, one by one: those that differ are those of the prefixes that are named."""

    def rules(made):
        return [rule(Match(4, at << (32 - bits), bits), action) for (bits, at), action in made.items()]

    def ways(made, address):
        found = find_rule(made, Packet(4, 0, address))
        if found is None or found.action.kind == "drop":
            return {}
        if found.action.kind == "output":
            return {found.action.value: 1.0}
        buckets = GROUPS[found.action.value - 1].buckets
        return dict(zip([b.port for b in buckets], slot_parts([b.weight for b in buckets]), strict=True))

    found = compare_tables(table_of(rules(one), GROUPS), rules(two), GROUPS)
    named = set()
    for difference in found.behaviour:
        address, bits = difference.about.split("/")
        first = int(address.split(".")[3])
        named |= set(range(first, first + (1 << (32 - int(bits)))))
    assert named == {at for at in range(16) if ways(rules(one), at) != ways(rules(two), at)}


@SOME
@given(st.integers(0, 300), st.integers(0, 300))
def test_prefixes_of_an_interval_cover_it_once(first, last):
    """Counted address by address."""
    covered = []
    for match in line_prefixes(first, last):
        covered += range(match.dst, match.dst + (1 << (32 - match.dst_bits)))
    assert covered == list(range(first, last))


# ---- kernel routes ---------------------------------------------------------------------------------------------------


def as_kernel(planned, node, table, percent=False):
    """Our routes as ``ip -j route`` shows them: one next hop in the entry itself, several in a list."""
    shown = []
    for route in routes_of(planned.rules, node, table):
        entry = {"dst": route.prefix.removesuffix("/32"), "protocol": "196", "metric": 20, "flags": []}
        total = sum(hop.weight for hop in route.hops)
        hops = [
            {"dev": f"eth{hop.port}", "weight": 100 * hop.weight // total if percent else hop.weight, "flags": []}
            | ({"gateway": hop.via} if hop.via else {"scope": "link"})
            for hop in route.hops
        ]
        if not hops:
            entry["type"] = "blackhole"
        elif len(hops) == 1:
            entry |= {key: value for key, value in hops[0].items() if key != "weight"}
        else:
            entry["nexthops"] = hops
        shown.append(entry)
    return shown


@pytest.mark.parametrize(("fabric", "router"), [("fat-tree", "ecmp"), ("leaf-spine", "wcmp"), ("rails", "ecmp")])
@pytest.mark.parametrize("percent", [False, True])
def test_our_own_routes_in_a_kernel_have_no_differences(tmp_path, fabric, router, percent):
    """Also with weights scaled to percent, rounded down, as FRR's."""
    planned = planned_rules(tmp_path, fabric, router)
    for node, table in zip(planned.rules.nodes, planned.rules.tables(), strict=True):
        routes = parse_routes(json.dumps(as_kernel(planned, node, table, percent)), "routes.json")
        assert compare_routes(table, planned.plan, routes).behaviour == ()


def test_a_lost_next_hop_a_wrong_weight_and_a_lost_route_are_found(tmp_path):
    """Each with the prefix, our shares and theirs."""
    planned = planned_rules(tmp_path, "fat-tree", "ecmp")
    node = planned.plan.topology.node("pod0/edge0")
    table = planned.rules.make(node)
    shown = as_kernel(planned, node, table)
    several = [entry for entry in shown if "nexthops" in entry]

    def found(entries):
        return compare_routes(table, planned.plan, parse_routes(json.dumps(entries), "f")).behaviour

    kept = json.loads(json.dumps(shown))
    for entry in kept:
        if "nexthops" in entry:
            del entry["nexthops"][0]
    lost = found(kept)
    assert lost
    assert all("50.0 %" in one.ours and one.theirs.startswith("via ") for one in lost)
    unequal = json.loads(json.dumps(shown))
    for entry in unequal:
        for hop in entry.get("nexthops", [])[:1]:
            hop["weight"] = 3
    assert all("75.0 %" in one.theirs for one in found(unequal))
    none = found([entry for entry in shown if entry not in several])
    assert {one.theirs for one in none} == {"dropped"}
    dead = json.loads(json.dumps(shown))
    for entry in dead:
        for hop in entry.get("nexthops", [])[:1]:
            hop["flags"] = ["dead", "linkdown"]
    assert found(dead) == lost
    owned = [int(planned.plan.ipv4(end)) for end in planned.plan.node_at.tolist()]
    named = np.zeros(len(owned), dtype=bool)
    for one in none:
        (match,) = parse_routes(json.dumps([{"dst": one.about, "type": "blackhole"}]), "f")
        named |= np.array([at >> (32 - match.bits) == match.address >> (32 - match.bits) for at in owned])
    far = [find_rule(table.rules, Packet(4, 0, at)).action.kind == "group" for at in owned]
    assert named.tolist() == far


def test_the_longest_prefix_then_the_lowest_metric_decides(tmp_path):
    """A second route of worse metric changes nothing, one of better metric everything."""
    planned = planned_rules(tmp_path, "leaf-spine", "ecmp")
    node = planned.rules.nodes[0]
    table = planned.rules.make(node)
    shown = as_kernel(planned, node, table)
    for metric, same in ((30, True), (10, False)):
        second = [{"dst": entry["dst"], "type": "unreachable", "metric": metric} for entry in shown]
        for entries in ([*shown, *second], [*second, *shown]):
            found = compare_routes(table, planned.plan, parse_routes(json.dumps(entries), "f"))
            assert (found.behaviour == ()) == same


def test_both_versions_of_ip_and_skipped_kinds_are_read():
    """Default routes, gateways of the other version, local and broadcast routes of table local."""
    text = json.dumps(
        [
            {"dst": "default", "via": {"family": "inet6", "host": "fe80::1"}, "dev": "eth1", "flags": []},
            {"type": "broadcast", "dst": "10.0.0.255", "dev": "lo"},
            {},
        ]
    )
    (four,) = parse_routes(text, "f")
    assert (four.family, four.address, four.bits, four.hops) == (4, 0, 0, (KernelHop("fe80::1", "eth1", 1),))
    (six,) = parse_routes(text, "f", 6)
    assert (six.family, six.bits) == (6, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[{", "not JSON"),
        ("{}", "a list of routes"),
        ("[3]", "route 1 is not an object"),
        ('[{"dev": "eth1"}]', "route 1 has no dst"),
        ('[{"dst": "10.0.0.1/8", "dev": "e"}]', "host bits"),
        ('[{"dst": "10.0.0.0/8"}]', "has no dev"),
        ('[{"dst": "10.0.0.0/8", "dev": "e", "gateway": "x"}]', "'x' does not appear"),
        ('[{"dst": "10.0.0.0/8", "dev": "e", "gateway": 5}]', "gateway 5"),
        ('[{"dst": "10.0.0.0/8", "dev": "e", "metric": "a"}]', "metric 'a'"),
        ('[{"dst": "10.0.0.0/8", "nexthops": 4}]', "nexthops is not a list"),
        ('[{"dst": "10.0.0.0/8", "nexthops": [{"dev": "e", "weight": 0}]}]', "weight 0"),
        ('[{"dst": "10.0.0.0/8", "dev": "e", "flags": 7}]', "flags"),
        ('[{"dst": "10.0.0.0/8", "type": "nat", "dev": "e"}]', "of type 'nat'"),
        ('[{"dst": "10.0.0.0/8", "type": [1], "dev": "e"}]', r"of type \[1\]"),
        pytest.param("[" * 100_000, "nested more than", id="deep"),
    ],
)
def test_what_is_no_list_of_routes_is_refused(text, words):
    """With what is wrong and the command that writes it."""
    with pytest.raises(RuleError, match=words) as caught:
        parse_routes(text, "routes.json")
    assert caught.value.problems[0].code == "FP8022"


def test_a_switch_of_another_fabric_is_refused(tmp_path):
    """Its neighbours' addresses are not known."""
    planned = planned_rules(tmp_path, "fat-tree", "ecmp")
    with pytest.raises(RuleError, match="is not on fabric main"):
        compare_routes(replace(table_of([]), name="elsewhere"), planned.plan, [])
