"""Tables made by hand for two leaves and two spines, in Open vSwitch: what the lab gives, and how tiers hash.

Every leaf has one link in use to each spine, every spine two parallel links to each leaf::

    leaf0 --1-- spine0 ==2== leaf1        groups: leaf0 over spine0, spine1 (1:1)
         --1-- spine1 ==2==                       spine over its two links to leaf1 (1:1)
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ovs_lab import OvsLab
from real_programs import require

from fabric.rules.addressing import AddressPlan, plan_addresses
from fabric.rules.dialects.ovs import DIALECT
from fabric.rules.ovs_text import parse_groups, parse_rules
from fabric.rules.ports import Ports
from fabric.rules.rule_set import RuleSet
from fabric.rules.table import (
    DROP,
    UDP,
    Action,
    Bucket,
    Group,
    Match,
    Rule,
    SwitchTable,
    cookie_of,
    priority_of,
)
from topologies.builder import TOPOLOGIES

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip", "ping", "ethtool")
pytestmark = pytest.mark.real_ovs

FLOWS = 2000
ELEPHANT = 40_000  # source port of the flow with a rule of its own


def links_to(plan: AddressPlan, node: int, far: int) -> list[int]:
    """Ports of ``node`` towards ``far``."""
    topology, ports = plan.topology, Ports(plan.topology)
    links = ports.links(node)
    return [port for port, link in enumerate(links.tolist(), 1) if topology.links.dst[link] == far]


def first_host(plan: AddressPlan, leaf: str) -> int:
    """First host of a leaf."""
    node = plan.topology.node(leaf)
    return next(host for host in plan.topology.endpoint_nodes.tolist() if links_to(plan, node, host))


def rule(match: Match, action: Action) -> Rule:
    """A rule as the core makes it."""
    return Rule(priority_of(match), match, action, cookie_of(match))


def table(plan: AddressPlan, node: int, basis: int) -> SwitchTable:
    """The tables of the drawing above; leaf0's flow from port ``ELEPHANT`` always takes spine1."""
    node_of = plan.topology.node
    leaves, spines = [node_of("leaf0"), node_of("leaf1")], [node_of("spine0"), node_of("spine1")]
    rules, groups = [rule(Match(0), DROP)], []
    for number, leaf in enumerate(leaves, 1):
        hosts = [host for host in plan.topology.endpoint_nodes.tolist() if links_to(plan, leaf, host)]
        if node == leaf:
            for host in hosts:
                action = Action("output", links_to(plan, leaf, host)[0])
                for family, bits in ((4, 32), (6, 128)):
                    rules.append(rule(Match(family, plan.address(family, host), bits), action))
            continue
        outs = [links_to(plan, node, spine)[0] for spine in spines] if node in leaves else links_to(plan, node, leaf)
        groups.append(Group(number, tuple(Bucket(port, 1) for port in outs)))
        for family in (4, 6):
            match = Match(family, *plan.site_prefix(family, int(plan.site_of[hosts[0]])))
            rules.append(rule(match, Action("group", number)))
        if node in leaves:
            src = first_host(plan, plan.topology.nodes.name[node])
            flow = Match(4, plan.address(4, hosts[0]), 32, plan.address(4, src), 32, UDP, ELEPHANT, 4791)
            rules.append(rule(flow, Action("output", outs[1])))
    rules.sort(key=lambda one: (-one.priority, one.match))
    return SwitchTable(plan.topology.nodes.name[node], plan.datapath(node), basis, tuple(groups), tuple(rules))


def write(plan: AddressPlan, folder: Path, *, same_basis: bool = False) -> dict[str, SwitchTable]:
    """Files of dialect ovs; the tables by name."""
    made = {node: table(plan, node, 5 if same_basis else 1000 + node) for node in plan.switches.tolist()}
    rules = RuleSet(plan, (4, 6), "by hand", sorted(made), lambda node: made[node])
    for file in DIALECT.write(rules):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(file.content), encoding="utf-8")
    return {one.name: one for one in made.values()}


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    """Two leaves of two hosts, two spines, real wires, tables loaded by ``load.sh``."""
    topology = TOPOLOGIES["leaf-spine"](
        {
            "leaf": {"count": 2, "radix": 8, "speed": "100G", "down": 2, "up": 4},
            "spine": {"count": 2, "radix": 8, "speed": "100G"},
        }
    )
    plan = plan_addresses(topology, "main")
    folder = tmp_path_factory.mktemp("by-hand")
    tables = write(plan, folder)
    with OvsLab(plan) as lab:
        lab.load_stems(folder, {name: name for name in tables})
        yield lab, folder, tables


def test_the_switch_has_what_was_written(up):
    """By its own diff, and by reading OpenFlow 1.3 and 1.5 dumps, with statistics and without."""
    lab, folder, tables = up
    for name, made in tables.items():
        bridge = lab.bridge(lab.plan.topology.node(name))
        assert lab.diff_flows(bridge, folder / "switches" / f"{name}.flows") == ""
        for version in ("OpenFlow13", "OpenFlow15"):
            for flags in (["--no-names"], ["--no-names", "--no-stats"]):
                flows = lab.run("ovs-ofctl", "-O", version, *flags, "dump-flows", bridge)
                assert sorted(parse_rules(flows, bridge)) == sorted(made.rules)
            groups = lab.run("ovs-ofctl", "-O", version, "--no-names", "dump-groups", bridge)
            assert parse_groups(groups, bridge) == sorted(made.groups)
        shown = lab.run("ovs-ofctl", "-O", "OpenFlow13", "show", bridge)
        assert int(re.search(r"dpid:([0-9a-f]{16})", shown)[1], 16) == made.datapath


@pytest.mark.parametrize("family", [4, 6])
def test_all_hosts_answer(up, family):
    """4 hosts, 12 pings of others and 4 of themselves."""
    assert up[0].ping_all(family=family) == []


def sent(lab: OvsLab, names: list[str], flows: int = FLOWS, first_port: int = 20_000) -> dict[str, np.ndarray]:
    """Packets per bucket of the group towards leaf1, for flows from a host of leaf0 to one of leaf1."""
    node_of, src, dst = lab.plan.topology.node, first_host(lab.plan, "leaf0"), first_host(lab.plan, "leaf1")
    before = {name: np.array(lab.bucket_packets(node_of(name))[2]) for name in names}
    lab.send(src, dst, flows=flows, first_port=first_port)
    return {name: np.array(lab.bucket_packets(node_of(name))[2]) - before[name] for name in names}


def test_each_tier_halves_with_a_basis_of_its_own_and_does_not_with_one_for_all(up, tmp_path):
    """2,000 flows. Sampling error of a half of n flows: 0.5 / sqrt(n); five are allowed.

    With one basis, a spine gets only flows of hashes that its own group deals to one bucket: the other stays idle.
    """
    lab, folder, tables = up
    names = ["leaf0", "spine0", "spine1"]
    for name, counts in sent(lab, names).items():
        assert counts.sum() >= FLOWS * 0.4, name
        assert counts / counts.sum() == pytest.approx([0.5, 0.5], abs=5 * 0.5 / np.sqrt(counts.sum())), name
    write(lab.plan, tmp_path, same_basis=True)
    lab.load_stems(tmp_path, {name: name for name in tables})
    for name, counts in sent(lab, names).items():
        assert (min(counts) <= 0.01 * counts.sum()) == (name != "leaf0"), name
    lab.load_stems(folder, {name: name for name in tables})


def test_a_group_that_names_no_method_sends_all_flows_of_a_pair_one_way(up, tmp_path):
    """Why groups name dp_hash: the default of OpenFlow 1.3 groups leaves UDP source ports out of the hash."""
    lab, folder, tables = up
    write(lab.plan, tmp_path)
    for path in (tmp_path / "switches").glob("*.groups"):
        path.write_text(re.sub(r"selection_method=dp_hash,selection_method_param=\d+,", "", path.read_text()))
    stems = {name: name for name in tables}
    lab.load_stems(tmp_path, stems)
    counts = sent(lab, ["leaf0"])["leaf0"]
    assert counts.sum() >= FLOWS
    assert min(counts) <= 0.01 * counts.sum()
    lab.load_stems(folder, stems)


def test_a_flow_with_a_rule_of_its_own_takes_its_path(up):
    """The group does not count it, its port does."""
    lab, _, tables = up
    plan, node_of = lab.plan, lab.plan.topology.node
    leaf = node_of("leaf0")
    own = next(one for one in tables["leaf0"].rules if one.match.is_flow)
    assert own.action.value == links_to(plan, leaf, node_of("spine1"))[0]
    before = lab.sent_packets(leaf)
    counts = sent(lab, ["leaf0"], flows=1, first_port=ELEPHANT)
    after = lab.sent_packets(leaf)
    assert counts["leaf0"].sum() == 0
    assert after[own.action.value] - before[own.action.value] >= 1
    ends = f"nw_src={plan.ipv4(first_host(plan, 'leaf0'))},nw_dst={plan.ipv4(first_host(plan, 'leaf1'))}"
    trace = lab.trace(leaf, f"in_port=1,udp,{ends},udp_src={ELEPHANT},udp_dst=4791")
    assert f"output:{own.action.value}" in trace


def test_loading_again_loses_no_packet_and_leaves_no_stale_group(up, tmp_path):
    """A host pings every 10 ms while every switch gets other group ids, and back."""
    lab, folder, tables = up
    plan = lab.plan
    other = {
        name: replace(
            one,
            groups=tuple(group._replace(id=group.id + 50) for group in one.groups),
            rules=tuple(
                each._replace(action=Action("group", each.action.value + 50)) if each.action.kind == "group" else each
                for each in one.rules
            ),
        )
        for name, one in tables.items()
    }
    node_of = plan.topology.node
    rules = RuleSet(plan, (4, 6), "by hand", plan.switches.tolist(), lambda node: other[plan.topology.nodes.name[node]])
    for file in DIALECT.write(rules):
        (tmp_path / file.path).parent.mkdir(exist_ok=True)
        (tmp_path / file.path).write_text(str(file.content), encoding="utf-8")
    stems = {name: name for name in tables}
    with lab.pinging(first_host(plan, "leaf0"), first_host(plan, "leaf1")) as ping:
        for place in (tmp_path, folder, tmp_path, folder):
            lab.load_stems(place, stems)
    assert ping.sent > 20
    assert ping.lost == 0
    for name, one in tables.items():
        assert parse_groups(lab.dump_groups(lab.bridge(node_of(name))), name) == sorted(one.groups)


def test_the_lab_leaves_nothing_behind_when_it_fails(up):
    """Namespaces, folder and processes are gone after an error inside."""
    with pytest.raises(ZeroDivisionError), OvsLab(up[0].plan, wires="patch") as lab:
        _ = 1 / 0
    assert not lab.folder.exists()
    assert not [line for line in Path("/run/netns").iterdir() if line.name.startswith(f"{lab.name}")]
    assert not [pid for pid in lab.pids if cmdline(pid)]


def cmdline(pid: int) -> bytes:
    """Command of a process, empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
