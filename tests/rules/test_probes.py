"""Probe packets: every rule once, read back by scapy, and by nothing but the bytes of the capture."""

from __future__ import annotations

import csv
import io
import struct

import pytest
from rule_cases import planned_rules

from fabric.rules.errors import RuleError
from fabric.rules.packet import Packet, find_rule
from fabric.rules.probes import PROBE_COLUMNS, plan_probes, probe_files
from fabric.rules.table import DROP, LOCAL, UDP, Action, Match, Rule, SwitchTable, cookie_of, priority_of


def frames(content):
    """Frames of a classic capture file, by its definition: a header of 24 bytes, then 16 bytes before every frame."""
    assert struct.unpack("<I", content[:4]) == (0xA1B2C3D4,)
    assert struct.unpack("<I", content[20:24]) == (1,)  # Ethernet
    at, found = 24, []
    while at < len(content):
        held, real = struct.unpack("<II", content[at + 8 : at + 16])
        assert held == real
        found.append(content[at + 16 : at + 16 + held])
        at += 16 + held
    return found


def packet_of(frame):
    """Header fields of a frame without options, read from its bytes."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == 0x0800:
        fields, after = (4, frame[26:30], frame[30:34], frame[23]), frame[34:38]
    elif kind == 0x86DD:
        fields, after = (6, frame[22:38], frame[38:54], frame[20]), frame[54:58]
    else:
        return Packet(0, 0, 0, 0, 0, 0)
    family, src, dst, protocol = fields
    ports = struct.unpack(">HH", after) if protocol in (6, UDP) else (0, 0)
    return Packet(family, int.from_bytes(src, "big"), int.from_bytes(dst, "big"), protocol, *ports)


@pytest.mark.parametrize(
    ("fabric", "router", "keys"),
    [
        ("fat-tree", "ecmp", {"families": (4, 6)}),
        ("leaf-spine", "wcmp", {"down": ("link=leaf0:spine0#1",)}),
        ("fat-tree", "pinned", {}),
        ("dual-homed", "ecmp", {}),
    ],
)
def test_every_rule_of_every_switch_is_hit_by_the_bytes_of_its_probe(tmp_path, fabric, router, keys):
    """Frames are parsed by hand and looked up: one per rule, in order; they never enter where they shall leave."""
    planned = planned_rules(tmp_path, fabric, router, **keys)
    for table in planned.rules.tables():
        probes = plan_probes(table, planned.plan)
        assert [probe.rule for probe in probes.probes] + list(probes.unreachable) == list(table.rules)
        assert probes.unreachable == ()
        capture, sidecar = probe_files(probes, "s")
        assert [find_rule(table.rules, packet_of(frame)) for frame in frames(capture.content)] == list(table.rules)
        rows = list(csv.DictReader(io.StringIO(sidecar.content)))
        assert tuple(rows[0]) == PROBE_COLUMNS
        assert [int(row["cookie"], 16) for row in rows] == [rule.cookie for rule in table.rules]
        groups = {group.id: group for group in table.groups}
        for probe in probes.probes:
            action = probe.rule.action
            if action.kind == "output":
                assert probe.in_port != action.value
            elif action.kind == "group":
                assert probe.in_port not in {bucket.port for bucket in groups[action.value].buckets}


def test_scapy_reads_the_capture_back(tmp_path):
    """As many packets, the same addresses, UDP port 4791; checksums are right."""
    from scapy.layers.inet import IP
    from scapy.layers.inet import UDP as LAYER
    from scapy.utils import rdpcap

    planned = planned_rules(tmp_path, "fat-tree", "ecmp")
    probes = plan_probes(next(planned.rules.tables()), planned.plan)
    capture, _ = probe_files(probes, "s")
    path = tmp_path / capture.path
    path.write_bytes(capture.content)
    read = rdpcap(str(path))
    assert len(read) == len(probes.probes)
    for packet, probe in zip(read, probes.probes, strict=True):
        assert packet[IP].dst == probe.packet.dst_text
        assert packet[LAYER].dport == 4791
        assert packet.src == probe.src_mac
        sums = packet[IP].chksum, packet[LAYER].chksum
        del packet[IP].chksum, packet[LAYER].chksum
        again = type(packet)(bytes(packet))
        assert (again[IP].chksum, again[LAYER].chksum) == sums


def rule(match, action=DROP):
    return Rule(priority_of(match), match, action, cookie_of(match))


def table_of(planned, *rules):
    name = planned.plan.topology.nodes.name[planned.rules.nodes[0]]
    ordered = sorted(rules, key=lambda one: (-one.priority, one.match))
    return SwitchTable(name, 1, 0, (), tuple(ordered))


def test_rules_that_no_packet_reaches_are_named(tmp_path):
    """A /31 whose two addresses have rules of their own; a rule for everything above which both families are taken."""
    planned = planned_rules(tmp_path, "fat-tree", "ecmp")
    halves = [rule(Match(4, 10, 32)), rule(Match(4, 11, 32))]
    hidden, whole = rule(Match(4, 10, 31)), rule(Match(0))
    found = plan_probes(table_of(planned, *halves, hidden, whole), planned.plan)
    assert found.unreachable == (hidden,)
    everything = [rule(Match(4, 0, 1)), rule(Match(4, 1 << 31, 1)), rule(Match(6, 0, 1)), rule(Match(6, 1 << 127, 1))]
    found = plan_probes(table_of(planned, *everything, whole), planned.plan)
    assert found.unreachable == ()
    assert found.probes[-1].packet.family == 0  # a frame that is not IP


def test_a_group_of_all_ports_is_probed_from_the_switch_itself(tmp_path):
    """No port is left to enter by that the packet could not be sent out of."""
    from fabric.rules.table import Bucket, Group

    planned = planned_rules(tmp_path, "fat-tree", "ecmp")
    group = Group(9, tuple(Bucket(port, 1) for port in range(1, 5)))
    table = table_of(planned, rule(Match(4, 0x0A000000, 8), Action("group", 9)))
    (probe,) = plan_probes(SwitchTable(table.name, 1, 0, (group,), table.rules), planned.plan).probes
    assert probe.in_port == LOCAL
    assert probe.expected == "group:9"


def test_a_switch_of_another_fabric_is_refused(tmp_path):
    """Its ports and addresses are not known."""
    planned = planned_rules(tmp_path, "fat-tree", "ecmp")
    with pytest.raises(RuleError, match="is not on fabric main"):
        plan_probes(SwitchTable("elsewhere", 1, 0, (), ()), planned.plan)
