"""OpenFlow 1.3 messages: the same values in os-ken's decoder, scapy's packets and Open vSwitch's words."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from real_programs import require

from fabric.rules.errors import RuleError
from fabric.rules.openflow13 import encode
from fabric.rules.openflow13.readback import read_flows, read_groups, read_messages
from fabric.rules.ovs_text import parse_groups, parse_rules
from fabric.rules.table import LOCAL, UDP, Action, Bucket, Group, Match, Rule, SwitchTable, cookie_of, priority_of

TABLE = SwitchTable(
    "leaf0",
    7,
    0,
    (Group(9, (Bucket(3, 5), Bucket(4, 3), Bucket(3, 1))), Group(2**31 - 1, (Bucket(1, 65535), Bucket(LOCAL, 1)))),
    tuple(
        Rule(priority_of(match), match, action, cookie_of(match))
        for match, action in (
            (Match(4, 0x0A400002, 32, 0x0A400101, 32, UDP, 49152, 4791), Action("output", 3)),
            (Match(6, 0xFD << 120 | 2, 128, 0xFD << 120 | 1 << 64, 64, UDP, 49153, 4791), Action("group", 9)),
            (Match(4, 0x0A400102, 32, 0, 0, 6, 0, 443), Action("drop")),
            (Match(4, 0x0A400100, 32), Action("output", LOCAL)),
            (Match(4, 0x0A400000, 26), Action("group", 9)),
            (Match(6, 0xFD << 120, 57), Action("group", 2**31 - 1)),
            (Match(0), Action("drop")),
        )
    ),
)


def decoded(message: bytes) -> Any:
    """A message as os-ken reads it."""
    from os_ken.ofproto import ofproto_v1_3_parser
    from os_ken.ofproto.ofproto_parser import header
    from os_ken.ofproto.ofproto_protocol import ProtocolDesc

    version, kind, length, xid = header(message)
    assert (version, length) == (4, len(message))
    return ofproto_v1_3_parser.msg_parser(ProtocolDesc(version=4), version, kind, length, xid, message)


def group_mod_of_os_ken(group: Group, *, command: int, xid: int) -> bytes:
    """GROUP_MOD as os-ken builds it."""
    from os_ken.ofproto import ofproto_v1_3_parser as parser
    from os_ken.ofproto.ofproto_protocol import ProtocolDesc

    ports = [0xFFFFFFFE if bucket.port == LOCAL else bucket.port for bucket in group.buckets]
    buckets = [
        parser.OFPBucket(bucket.weight, port, 0xFFFFFFFF, [parser.OFPActionOutput(port, 0xFFFF)])
        for bucket, port in zip(group.buckets, ports, strict=True)
    ]
    made = parser.OFPGroupMod(ProtocolDesc(version=4), command, 1, group.id, buckets)
    made.set_xid(xid)
    made.serialize()
    return bytes(made.buf)


def as_numbers(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Fields with addresses as numbers: os-ken spells some IPv6 addresses its own way."""

    def number(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(number, value))
        return int(ip_address(value)) if isinstance(value, str) else value

    return {key: number(value) for key, value in fields}


def expected_match(match: Match) -> dict[str, Any]:
    """What os-ken calls the fields of a match."""
    found: dict[str, Any] = {}
    if not match.family:
        return found
    found["eth_type"] = 0x0800 if match.family == 4 else 0x86DD
    if match.protocol:
        found["ip_proto"] = match.protocol
    width = 32 if match.family == 4 else 128
    for side, address, bits in (("src", match.src, match.src_bits), ("dst", match.dst, match.dst_bits)):
        if bits:
            mask = (2**width - 1) ^ (2 ** (width - bits) - 1)
            found[f"ipv{match.family}_{side}"] = address if bits == width else (address, mask)
    name = {6: "tcp", 17: "udp", 132: "sctp"}.get(match.protocol)
    found |= {f"{name}_src": match.src_port} if match.src_port else {}
    return found | ({f"{name}_dst": match.dst_port} if match.dst_port else {})


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any rule that fabric could write."""
    family = draw(st.sampled_from([4, 6]))
    width = 32 if family == 4 else 128
    ends = []
    for _ in range(2):
        bits = draw(st.integers(0, width))
        ends += [draw(st.integers(0, 2**width - 1)) >> (width - bits) << (width - bits), bits]
    protocol = draw(st.sampled_from([0, 6, 17, 132, 89]))
    ports = [draw(st.integers(0, 65535)) if protocol in (6, 17, 132) else 0 for _ in range(2)]
    kind = draw(st.sampled_from(["drop", "output", "group"]))
    action = Action(kind, 0 if kind == "drop" else draw(st.integers(1, 2**31 - 1)))
    match = Match(family, *ends, protocol, *ports)
    return Rule(draw(st.integers(0, 65535)), match, action, draw(st.integers(0, 2**64 - 1)))


@given(rules(), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_os_ken_decodes_a_rule_to_its_values(rule: Rule, xid: int) -> None:
    """FLOW_MOD of any rule: os-ken finds every field of it, and nothing else."""
    found = decoded(encode.flow_mod(rule, xid=xid))
    assert (found.xid, found.cookie, found.priority) == (xid, rule.cookie, rule.priority)
    assert (found.table_id, found.command, found.idle_timeout, found.hard_timeout, found.flags) == (0, 0, 0, 0, 0)
    assert as_numbers(found.match.items()) == expected_match(rule.match)
    actions = [action for instruction in found.instructions for action in instruction.actions]
    if rule.action.kind == "drop":
        assert not found.instructions
    else:
        assert [(one.type, getattr(one, "port", None) or one.group_id) for one in actions] == [
            (0 if rule.action.kind == "output" else 22, rule.action.value)
        ]


@given(rules(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_filled_layout_is_what_scapy_builds(rule: Rule, xid: int) -> None:
    """The layout filled in and scapy's own packet of the values have the same bytes."""
    shape = encode._shape(rule, "add")
    assert encode.flow_mod(rule, xid=xid) == bytes(encode._flow_packet(shape, encode._flow_values(rule, shape, xid)))


@given(st.lists(rules(), max_size=5))
@settings(max_examples=40, deadline=None)
def test_messages_read_back_are_the_rules_that_were_written(made: list[Rule]) -> None:
    """Written and read by other code of ours."""
    data = b"".join(encode.table_messages(SwitchTable("s", 1, 0, TABLE.groups, tuple(made))))
    assert read_messages(data) == (made, list(TABLE.groups))


@pytest.mark.parametrize("group", TABLE.groups)
def test_os_ken_builds_the_same_bytes_for_a_group(group: Group) -> None:
    """os-ken reads no GROUP_MOD; it builds one of type select that watches the ports it sends to."""
    assert encode.group_mod(group, "modify", xid=5) == group_mod_of_os_ken(group, command=1, xid=5)


def test_os_ken_decodes_what_changes_and_deletes() -> None:
    """Commands of the specification: MODIFY_STRICT 2, DELETE_STRICT 4, group DELETE 2."""
    rule = TABLE.rules[0]
    assert decoded(encode.flow_mod(rule, "modify_strict")).command == 2
    gone = decoded(encode.flow_mod(rule, "delete_strict"))
    assert (gone.command, gone.out_port, gone.out_group, gone.instructions) == (4, 0xFFFFFFFF, 0xFFFFFFFF, [])
    match = encode.flow_mod(TABLE.rules[-1])[48:56]
    exact = decoded(encode.flow_delete_exactly(3, 77, match, xid=9))
    assert (exact.command, exact.table_id, exact.priority, dict(exact.match.items())) == (4, 3, 77, {})
    assert encode.group_mod(TABLE.groups[0], "delete") == group_mod_of_os_ken(Group(9, ()), command=2, xid=0)
    ask = decoded(encode.hello(xid=1))
    assert [element.versions for element in ask.elements] == [[4]]


def test_open_vswitch_reads_the_messages_of_a_table_as_the_table(tmp_path: Path) -> None:
    """``ovs-ofctl ofp-parse`` prints every message; its words, read as flows and groups, are the table."""
    require("ovs-ofctl", root=False)
    file = tmp_path / "leaf0.of13"
    file.write_bytes(b"".join(encode.table_messages(TABLE)))
    text = subprocess.run(
        ["ovs-ofctl", "ofp-parse", str(file)], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    lines = text.splitlines()
    flows = [line.split(": ADD ", 1)[1].replace("cookie:", "cookie=") for line in lines if "FLOW_MOD" in line]
    assert parse_rules("\n".join(flows), "ofp-parse") == list(TABLE.rules)
    groups = [line.removeprefix(" ADD ") for line in lines if line.startswith(" ADD ")]
    assert parse_groups("\n".join(groups), "ofp-parse") == list(TABLE.groups)
    assert sum("BARRIER_REQUEST" in line for line in lines) == 2


def test_flow_statistics_are_read_whatever_the_length_of_the_match() -> None:
    """Replies serialised by os-ken with matches of 0 to 58 bytes; scapy misreads all whose padding is not 4."""
    from os_ken.ofproto import ofproto_v1_3_parser as parser

    body = bytearray()
    for rule in TABLE.rules:
        mod = encode.flow_mod(rule)
        rest = mod[48:]
        body += (48 + len(rest)).to_bytes(2, "big") + bytes(10) + rule.priority.to_bytes(2, "big") + bytes(10)
        body += rule.cookie.to_bytes(8, "big") + bytes(16) + rest
    assert [flow.rule for flow in read_flows(bytes(body))] == list(TABLE.rules)
    first = parser.OFPFlowStats.parser(bytes(body), 0)  # os-ken agrees on the first
    assert (first.priority, first.cookie) == (TABLE.rules[0].priority, TABLE.rules[0].cookie)


FOREIGN = {
    "a field of another class": bytes.fromhex("0001000c00010a04000000ff00000000"),
    "a mask that is no prefix": bytes.fromhex("0001001680000a020800800019080a000000ff00ff0000000000")[:24],
    "an input port": bytes.fromhex("0001000c800000040000000100000000"),
}


@pytest.mark.parametrize("match", FOREIGN.values(), ids=FOREIGN)
def test_a_flow_of_others_is_kept_and_is_no_rule_of_ours(match: bytes) -> None:
    """It is counted and can be deleted by its bytes, but is never taken for a rule."""
    body = (48 + len(match)).to_bytes(2, "big") + bytes(46) + match
    (found,) = read_flows(body)
    assert (found.rule, found.asks, found.match, found.ours) == (None, None, match, False)
    assert "of others" in found.words


@pytest.mark.parametrize("body", [b"\0\x04aa", b"\xff\xff" + bytes(60), bytes(64), (56).to_bytes(2, "big") + bytes(54)])
def test_statistics_whose_lengths_contradict_are_refused(body: bytes) -> None:
    """Nothing is read beyond its end, and nothing loops."""
    with pytest.raises(ValueError, match="bytes"):
        read_flows(body)


def test_group_descriptions_of_other_types_are_kept_without_buckets() -> None:
    """A group of type all, and one that sets a field first, are no groups of ours."""
    assert [found.group for found in read_groups((8).to_bytes(2, "big") + b"\0\0" + (5).to_bytes(4, "big"))] == [None]


def test_what_does_not_fit_openflow_is_refused() -> None:
    """Weights have 16 bits, messages 65,535 bytes; IP protocol 89 has no ports."""
    with pytest.raises(RuleError, match="70000 does not fit into 16 bits"):
        encode.group_mod(Group(1, (Bucket(1, 70_000),)))
    with pytest.raises(RuleError, match="2,048 buckets"):
        encode.group_mod(Group(1, (Bucket(1, 1),) * 2048))
    with pytest.raises(RuleError, match="ports of IP protocol 89"):
        encode.flow_mod(Rule(1, Match(4, 0, 0, 0, 0, 89, 5), Action("drop"), 0))
