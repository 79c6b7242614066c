"""Open vSwitch text: what is written reads back, what ovs-ofctl dumps reads too, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric.rules.errors import RuleError
from fabric.rules.ovs_text import format_group, format_rule, parse_groups, parse_rules
from fabric.rules.table import DROP, LOCAL, Action, Bucket, Group, Match, Rule


@st.composite
def prefixes(draw: st.DrawFn, family: int) -> tuple[int, int]:
    """Address without host bits, and length."""
    width = 32 if family == 4 else 128
    bits = draw(st.integers(0, width))
    return draw(st.integers(0, (1 << bits) - 1)) << (width - bits), bits


@st.composite
def matches(draw: st.DrawFn) -> Match:
    """All that a Match can ask for."""
    family = draw(st.sampled_from([0, 4, 6]))
    if not family:
        return Match(0)
    protocol = draw(st.one_of(st.sampled_from([0, 1, 6, 17, 58, 132]), st.integers(0, 255)))
    port = st.integers(0, 65_535) if protocol in (6, 17, 132) else st.just(0)
    return Match(family, *draw(prefixes(family)), *draw(prefixes(family)), protocol, draw(port), draw(port))


PORTS = st.one_of(st.integers(1, 65_279), st.just(LOCAL))
ACTIONS = st.one_of(
    st.just(DROP),
    PORTS.map(lambda port: Action("output", port)),
    st.integers(0, 2**31 - 1).map(lambda group: Action("group", group)),
)
RULES = st.builds(Rule, st.integers(0, 65_535), matches(), ACTIONS, st.integers(0, 2**64 - 1))
BUCKETS = st.lists(st.builds(Bucket, PORTS, st.integers(0, 65_535)), max_size=20).map(tuple)
GROUPS = st.builds(Group, st.integers(0, 2**31 - 1), BUCKETS)


@given(st.lists(RULES, unique_by=lambda rule: (rule.priority, rule.match)))
def test_written_rules_read_back(rules):
    """parse(format(x)) == x, one line each, and the text is canonical: writing again gives the same."""
    text = "\n".join(map(format_rule, rules))
    assert parse_rules(text, "x") == rules
    assert all("\n" not in format_rule(rule) for rule in rules)


@given(st.lists(GROUPS, unique_by=lambda group: group.id), st.integers(0, 2**32 - 1))
def test_written_groups_read_back(groups, basis):
    """Buckets keep their order, which the slots of the switch depend on."""
    text = "\n".join(format_group(group, basis) for group in groups)
    assert parse_groups(text, "x") == sorted(groups)


def test_rules_are_written_in_the_words_of_ovs_ofctl():
    """One of each kind, spelled out by hand from ovs-fields(7)."""
    flow = Match(4, 0x0A000102, 32, 0x0A000001, 32, 17, 49152, 4791)
    assert format_rule(Rule(1132, flow, Action("output", 3), 0xFA02000000000001)) == (
        "cookie=0xfa02000000000001,priority=1132,udp,nw_src=10.0.0.1,nw_dst=10.0.1.2,tp_src=49152,tp_dst=4791,"
        "actions=output:3"
    )
    six = Match(6, 0xFD00 << 112 | 0xABC << 64, 64)
    assert format_rule(Rule(164, six, Action("group", 5), 1)) == (
        "cookie=0x1,priority=164,ipv6,ipv6_dst=fd00:0:0:abc::/64,actions=group:5"
    )
    assert format_rule(Rule(132, Match(4, 0x0A000001, 32), Action("output", LOCAL), 1)) == (
        "cookie=0x1,priority=132,ip,nw_dst=10.0.0.1,actions=LOCAL"
    )
    assert format_rule(Rule(0, Match(0), DROP, 1)) == "cookie=0x1,priority=0,actions=drop"


DUMP_13 = """\
OFPST_FLOW reply (OF1.3) (xid=0x2):
 cookie=0xfa02000000000001, duration=0.016s, table=0, n_packets=0, n_bytes=0, priority=1132,udp,nw_src=10.0.0.1,\
nw_dst=10.0.1.2,tp_src=49152,tp_dst=4791 actions=output:3
 cookie=0xfa01000000000001, duration=1.5s, table=0, n_packets=12, n_bytes=888, idle_age=3, \
priority=126,ip,nw_dst=10.0.1.0/26 actions=group:7
 cookie=0x0, duration=0.016s, table=0, n_packets=0, n_bytes=0, reset_counts ipv6,ipv6_dst=fd00::/64 actions=LOCAL
 cookie=0xfa03000000000001, duration=0.016s, table=0, n_packets=0, n_bytes=0, priority=0 actions=drop
"""
DUMP_15 = """\
 cookie=0xfa02000000000001, priority=1132,udp,nw_src=10.0.0.1,nw_dst=10.0.1.2,tp_src=49152,tp_dst=4791 actions=output:3
 cookie=0xfa01000000000001, priority=126,ip,nw_dst=10.0.1.0/26 actions=group:7
 ipv6,ipv6_dst=fd00::/64 actions=LOCAL
 cookie=0xfa03000000000001, priority=0 actions=drop
"""


@pytest.mark.parametrize("dump", [DUMP_13, DUMP_15], ids=["1.3 with statistics", "1.5 without"])
def test_dumped_flows_read_as_rules(dump):
    """A flow that names no priority has 32768."""
    assert parse_rules(dump, "leaf1") == [
        Rule(1132, Match(4, 0x0A000102, 32, 0x0A000001, 32, 17, 49152, 4791), Action("output", 3), 0xFA02 << 48 | 1),
        Rule(126, Match(4, 0x0A000100, 26), Action("group", 7), 0xFA01 << 48 | 1),
        Rule(32768, Match(6, 0xFD00 << 112, 64), Action("output", LOCAL), 0),
        Rule(0, Match(0), DROP, 0xFA03 << 48 | 1),
    ]


@pytest.mark.parametrize(
    "dump",
    [
        "OFPST_GROUP_DESC reply (OF1.3) (xid=0x2):\n group_id=7,type=select,bucket=weight:3,watch_port:1,"
        "actions=output:1,bucket=actions=output:2\n",
        "OFPST_GROUP_DESC reply (OF1.5) (xid=0x2):\n group_id=7,type=select,selection_method=dp_hash,"
        "selection_method_param=5,bucket=bucket_id:0,weight:3,watch_port:1,actions=output:1,bucket=bucket_id:1,"
        "watch_port:2,actions=output:2\n",
    ],
    ids=["1.3", "1.5"],
)
def test_dumped_groups_read_as_groups(dump):
    """Weight 1 is not printed."""
    assert parse_groups(dump, "leaf1") == [Group(7, (Bucket(1, 3), Bucket(2, 1)))]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("priority=1,nw_dst=10.0.0.0/8,actions=drop", "a match on nw_dst=10.0.0.0/8"),  # ovs drops that match silently
        ("priority=1,ip,ip,actions=drop", "ip twice"),
        ("priority=1,ip,ipv6,actions=drop", "a match on ip,ipv6"),
        ("priority=1,ip,dl_vlan=1,actions=drop", "a match on dl_vlan"),
        ("priority=1,ip,nw_dst=10.0.0.1/8,actions=drop", "host bits"),
        ("priority=1,ip,nw_dst=10.0.0.0/0.0.0.255,actions=drop", "is not a number"),  # no hostmask, no wildcards inside
        ("priority=1,ip,nw_dst=10.0.0.0/33,actions=drop", "not in 0 to 32"),
        ("priority=1,ip,nw_dst=fd00::/8,actions=drop", "not an IPv4 prefix"),
        ("priority=1,ipv6,ipv6_dst=fe80::%1,actions=drop", "not an IPv6 prefix"),
        ("priority=1,ip,ipv6_dst=fd00::/8,actions=drop", "a match on ipv6_dst"),
        ("priority=1,ip,tp_dst=4791,actions=drop", "a match on tp_dst"),
        ("priority=1,udp,tp_dst=4791/0xff,actions=drop", "is not a number"),
        ("priority=1,udp,nw_proto=6,actions=drop", "a match on nw_proto"),
        ("priority=01,ip,actions=drop", "is not a number"),  # octal to ovs-ofctl
        ("priority=65536,ip,actions=drop", "not in 0 to 65535"),
        ("priority=1,priority=2,ip,actions=drop", "priority twice"),
        ("table=1,priority=1,ip,actions=drop", "table 1"),
        ("idle_timeout=10,priority=1,ip,actions=drop", "ends"),
        ("priority=1,ip", "without actions"),
        ("priority=1,ip,actions=", "actions ''"),
        ("priority=1,ip,actions=output:1,output:2", "actions 'output:1,output:2'"),
        ("priority=1,ip,actions=group:1,output:2", "actions 'group:1,output:2'"),
        ("priority=1,ip,actions=NORMAL", "actions 'NORMAL'"),
        ("priority=1,ip,actions=output:s0p1", "port 's0p1' is not a number"),
        ("priority=1,ip,actions=output:0", "not in 1"),
        ("priority=1,ip,actions=resubmit(,1)", "actions"),
        ("cookie=-1,priority=1,ip,actions=drop", "is not a number"),
        ("cookie=0x1/0xff,priority=1,ip,actions=drop", "is not a number"),
    ],
)
def test_a_flow_that_is_none_of_ours_is_refused_with_its_line(line, words):
    """Never guessed, never left out: the file and the line are named."""
    with pytest.raises(RuleError) as caught:
        parse_rules(f"# ours\npriority=0,actions=drop\n{line}\n", "leaf1.flows")
    (problem,) = caught.value.problems
    assert words in problem.message
    assert (problem.code, problem.file, problem.line) == ("FP8020", "leaf1.flows", 3)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("type=select,bucket=actions=output:1", "group_id '' is not a number"),
        ("group_id=1,bucket=actions=output:1", "type all"),
        ("group_id=1,type=ff,bucket=actions=output:1", "type ff"),
        ("group_id=1,type=select,selection_method=hash,bucket=actions=output:1", "does not follow weights"),
        ("group_id=1,type=select,fields(ip_src),bucket=actions=output:1", "fields"),
        ("group_id=1,group_id=2,type=select,bucket=actions=output:1", "group_id twice"),
        ("group_id=1,type=select,bucket=weight:1", "without actions"),
        ("group_id=1,type=select,bucket=weight:70000,actions=output:1", "not in 0 to 65535"),
        ("group_id=1,type=select,bucket=actions=drop", "a bucket that does 'drop'"),
        ("group_id=1,type=select,bucket=actions=output:1,output:2", "actions"),
        ("group_id=1,type=select,bucket=watch_port:2,actions=output:1", "watches port 2"),
        ("group_id=1,type=select,bucket=watch_group:2,actions=output:1", "a bucket with watch_group:2"),
    ],
)
def test_a_group_that_is_none_of_ours_is_refused_with_its_line(line, words):
    """As for flows."""
    with pytest.raises(RuleError) as caught:
        parse_groups(f"\n{line}\n", "leaf1.groups")
    (problem,) = caught.value.problems
    assert words in problem.message
    assert (problem.code, problem.file, problem.line) == ("FP8020", "leaf1.groups", 2)


def test_the_same_match_twice_is_refused():
    """The switch would keep only the later one."""
    with pytest.raises(RuleError, match="priority of line 1") as caught:
        parse_rules("priority=1,ip,actions=drop\n\npriority=1,ip,actions=output:1\n", "x")
    assert caught.value.problems[0].line == 3
    with pytest.raises(RuleError, match="group 1 is there twice"):
        parse_groups("group_id=1,type=select\ngroup_id=1,type=select\n", "x")
