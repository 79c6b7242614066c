"""OpenSM: forwarding tables for its ``file`` routing engine, fixed LIDs, and the fabric as an ``ibsim`` net file.

``opensm -R file -U opensm.lfts --honor_guid2lid``, with ``guid2lid`` in its cache, installs exactly these tables;
``-P partitions.conf`` its partitions, where the scenario has tenants.
LIDs count switches, then endpoints, from 1; GUIDs carry the fabric's number and the node's. A real fabric has GUIDs of
its own: ``lids.csv`` says which node each stands for. Switches reach each other over their lowest shortest port.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np

from fabric.routing.tables.decisions import decide_switches
from fabric.rules.addressing import AddressPlan
from fabric.rules.dialect import Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.lft import UNREACHABLE, Lft, format_lft
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import SwitchTable
from fabric.rules.tenants.partitions import PARTITIONS, partition_lines
from fabric.rules.verify.behaviour import behaviour
from topologies.columns import Longs

GUIDS = 0x02FA_B000_0000_0000
MOST_LIDS = 0xBFFF  # unicast LIDs end there


def node_guid(plan: AddressPlan, node: int) -> int:
    """GUID of a node; the port of an endpoint has the next one."""
    return GUIDS | plan.number << 32 | 2 * node


def lids(plan: AddressPlan) -> dict[int, int]:
    """LID of every switch and endpoint, by topology node."""
    ends = [node for node in plan.topology.endpoint_nodes.tolist() if not plan.topology.nodes.forwards[node]]
    nodes = [*plan.switches.tolist(), *ends]
    if len(nodes) > MOST_LIDS:
        raise RuleError(
            f"fabric {plan.fabric} needs {len(nodes):,} LIDs; InfiniBand has {MOST_LIDS:,} in a subnet",
            hint="split the fabric into subnets or planes",
            code="FP8030",
        )
    return {node: lid for lid, node in enumerate(nodes, 1)}


def write(rules: RuleSet) -> Iterator[File]:
    """``opensm.lfts``, ``guid2lid``, ``lids.csv`` and ``net.txt``."""
    plan = rules.plan
    lid_of = lids(plan)
    names = dict(zip(lid_of, safe_names(plan.topology.nodes.name[node] for node in lid_of), strict=True))
    lines: list[str] = []
    for table in forwarding_tables(rules, lid_of, names):
        lines += format_lft(table, last_lid=len(lid_of))
    yield File("opensm.lfts", "\n".join(lines) + "\n")
    forwards = plan.topology.nodes.forwards
    ports = {node: node_guid(plan, node) + (0 if forwards[node] else 1) for node in lid_of}
    yield File("guid2lid", "".join(f"{ports[node]:#018x} {lid:#06x} {lid:#06x}\n\n" for node, lid in lid_of.items()))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("lid", "port_guid", "name", "node"))
    for node, lid in lid_of.items():
        writer.writerow((lid, f"{ports[node]:#018x}", names[node], plan.topology.nodes.name[node]))
    yield File("lids.csv", text.getvalue())
    yield File("net.txt", "".join(net_lines(rules, names)))
    if rules.tenancy is not None:
        guids = {node: ports[node] for node in lid_of if not forwards[node]}
        yield File(PARTITIONS, "".join(partition_lines(rules.tenancy, guids)))


def forwarding_tables(rules: RuleSet, lid_of: dict[int, int], names: dict[int, str]) -> Iterator[Lft]:
    """Table of every switch, from the rules of a routing with one path per destination.

    Raises
    ------
    RuleError
        Where a switch divides traffic, which a forwarding table cannot.
    """
    plan = rules.plan
    ends = np.array([node for node in lid_of if not plan.topology.nodes.forwards[node]], dtype=np.int64)
    between = decide_switches(plan.topology)
    for row, (node, table) in enumerate(zip(rules.nodes, rules.tables(), strict=True)):
        ports = {lid_of[node]: 0}
        for other, link in zip(plan.switches.tolist(), between[row].tolist(), strict=True):
            if link >= 0:
                ports[lid_of[other]] = int(rules.ports.of_link[link])
        for end, port in zip(ends.tolist(), _ports(rules, table, ends), strict=True):
            ports[lid_of[end]] = port
        yield Lft(node_guid(plan, node), lid_of[node], names[node], ports)


def _ports(rules: RuleSet, table: SwitchTable, ends: Longs) -> list[int]:
    """Port for every endpoint."""
    plan = rules.plan
    made = behaviour(plan, rules.families[0], table.rules, table.groups, lambda weights: [1.0] * len(weights))
    offsets = plan.offset[ends]
    picked = made.way[np.searchsorted(made.start, offsets, side="right") - 1].tolist()
    found = []
    for way in picked:
        ways = made.ways[way]
        if len(ways) > 1:
            raise RuleError(
                f"{table.name} divides traffic over {len(ways)} ports; InfiniBand sends a LID out of one",
                hint="router ftree, or single-path",
                code="FP8030",
            )
        found.append(ways[0][0] if ways else UNREACHABLE)
    return found


def net_lines(rules: RuleSet, names: dict[int, str]) -> Iterator[str]:
    """The fabric in the words of ``ibsim``; links that are down are left out, all are 4x."""
    topology, links, ports = rules.topology, rules.topology.links, rules.ports
    for node, name in names.items():
        mine = ports.links(node).tolist()
        switch = bool(topology.nodes.forwards[node])
        kind, key = ("Switch", "switchguid") if switch else ("Hca", "caguid")
        yield f'{key}={node_guid(rules.plan, node):#x}\n{kind} {max(len(mine), 1)} "{name}"\n'
        for port, link in enumerate(mine, 1):
            far, back = int(links.dst[link]), int(links.reverse[link])
            if topology.up[link] and back >= 0 and topology.up[back] and far in names:
                yield f'[{port}] "{names[far]}"[{int(ports.of_link[back])}]\n'
        yield "\n"


SUMMARY = "forwarding tables for OpenSM's file engine, fixed LIDs, and the fabric for ibsim"
DIALECT = Dialect(
    name="opensm",
    format="lft",
    proof="OpenSM 3.3.23 on ibsim",
    carrier="exact",
    write=write,
    failover="lost",
    tenants="partitions",
)
