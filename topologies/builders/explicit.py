"""A network written out: its switches and cables, one by one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES, Hosts, names_of
from topologies.errors import Problem, TopologyError, nearest_hint
from topologies.facts import Facts
from topologies.former_names import renamed_listed
from topologies.hosts import HostGroup
from topologies.registry import Spec
from topologies.switches import SwitchSpec, check_speed
from topologies.topology import Topology
from topologies.units import Count, LengthM, SpeedGbps


class ExplicitSwitch(SwitchSpec):
    """One switch, or several of one kind."""

    name: str = Field(description="Name, or a template for several", examples=["leaf{index}"])
    count: Count = Field(default=1, description="How many")
    role: str = Field(default="switch", description="Role, such as leaf or spine", pattern=r"^[a-z][a-z0-9]*$")
    level: Count = Field(default=1, description="Height above the hosts: 1 for leaves, 2 for spines")


class ExplicitCable(Spec):
    """One cable, or parallel ones."""

    ends: tuple[str, str] = Field(description="Two nodes, each perhaps with a port: leaf0 or leaf0:49")
    speed: SpeedGbps = Field(description="Speed", examples=["400G"])
    count: Count = Field(default=1, description="Parallel cables")
    length: LengthM | None = Field(default=None, description="Length")


def facts(switches: Sequence[ExplicitSwitch], endpoints: Sequence[str], cables: Sequence[ExplicitCable]) -> Facts:
    """What the lists say themselves: hosts on leaves, leaves on spines."""
    listed = set(endpoints)
    below = [row for row in cables if not listed.isdisjoint(row.ends)]
    above = [row for row in cables if listed.isdisjoint(row.ends)]

    def cabled(rows: Sequence[ExplicitCable]) -> int:
        return sum(row.count for row in rows)

    def gbps(rows: Sequence[ExplicitCable]) -> float:
        return float(sum(row.count * row.speed for row in rows))

    return Facts(
        endpoints=cabled(below),
        switches=sum(row.count for row in switches),
        cables_by_tier={"host-leaf": cabled(below), "leaf-spine": cabled(above)},
        tier_gbps={"host-leaf": gbps(below), "leaf-spine": gbps(above)},
    )


@TOPOLOGIES.register(
    "explicit",
    facts=facts,
    example={
        "switches": [
            {"name": "leaf{index}", "count": 2, "role": "leaf", "radix": 8},
            {"name": "spine0", "role": "spine", "level": 2, "radix": 8},
        ],
        "endpoints": ["h0", "h1"],
        "cables": [
            {"ends": ["h0", "leaf0:1"], "speed": "100G"},
            {"ends": ["h1", "leaf1:1"], "speed": "100G"},
            {"ends": ["leaf0", "spine0"], "speed": "100G", "count": 2},
            {"ends": ["leaf1", "spine0"], "speed": "100G", "count": 2},
        ],
    },
)
def explicit(
    switches: Annotated[tuple[ExplicitSwitch, ...], Field(min_length=1, description="Switches")],
    cables: Annotated[tuple[ExplicitCable, ...], Field(description="Cables")],
    endpoints: Annotated[tuple[str, ...], Field(description="Hosts, where the scenario has no nodes")] = (),
    hosts: Hosts = (),
) -> Topology:
    """Switches and cables as listed; hosts are the scenario's nodes, or listed too.

    Every mistake is reported: an end that is not a node, a cable from a node to itself, two cables on one port, a host
    with more or fewer cables than it has ports.
    """
    net = assemble("explicit", "explicit")
    gbps_of: dict[str, float | None] = {}
    ids: dict[str, int] = {}
    level: dict[str, int] = {}
    for number, kind in enumerate(switches):
        names = names_of(kind.name, kind.count, where=f"switches.{number}.name") if kind.count > 1 else [kind.name]
        for name, node in zip(names, net.switches(kind.role, names, level=kind.level, radix=kind.ports), strict=True):
            ids[name], gbps_of[name], level[name] = int(node), kind.port_gbps, kind.level
    wanted = _host_ports(hosts, endpoints)
    cabled = _cabled(cables, set(ids) | set(wanted))
    problems = _problems(cables, ids, wanted, gbps_of)
    for name, ports in wanted.items():
        if cabled.get(name, 0) != (ports or cabled.get(name, 0)) or not cabled.get(name):
            problems.append(
                Problem(
                    f"host {name} has {cabled.get(name, 0)} cables, and {ports or 'no'} port(s)",
                    code="FP3044",
                    where=("cables",),
                    hint=f"list a cable for every port: ends: [{name}, {next(iter(ids))}]",
                )
            )
    if problems:
        raise TopologyError(problems)
    names = list(wanted)
    ids |= dict(zip(names, net.hosts(names, nics=[cabled[name] for name in names]).tolist(), strict=True))
    named: list[str] = []
    for row in cables:
        low, high = sorted(row.ends, key=lambda end: (level.get(_node(end, ids), 0), ids[_node(end, ids)]))
        length = np.nan if row.length is None else row.length
        ends = [_node(end, ids) for end in (low, high)]
        net.cables([ids[ends[0]]], [ids[ends[1]]], row.speed, parallel=row.count, length_m=length)
        named += [_port(end, name) for end, name in zip((low, high), ends, strict=True)] * row.count
    built = net.freeze()
    return replace(built, src_port_names=tuple(named)) if any(named) else built


def _host_ports(groups: Sequence[HostGroup], listed: Sequence[str]) -> dict[str, int | None]:
    """Hosts and the ports each has; None where nothing says."""
    if not groups:
        return dict.fromkeys(listed)
    per_nic = {group.name: group.rail == "per-gpu" and group.nics > 1 for group in groups}
    return {
        group.nic_name(host, nic): 1 if per_nic[group.name] else group.nics
        for group in groups
        for host in group.hosts
        for nic in range(group.nics if per_nic[group.name] else 1)
    }


def _node(end: str, known: Collection[str]) -> str:
    """The node of an end; a port after the last colon is left out."""
    return end if end in known else end.rpartition(":")[0] or end


def _port(end: str, node: str) -> str:
    """The port of an end; empty where none is named."""
    return end[len(node) + 1 :]


def _cabled(cables: Sequence[ExplicitCable], known: set[str]) -> dict[str, int]:
    """Cables of every node."""
    count: dict[str, int] = {}
    for row in cables:
        for end in row.ends:
            name = _node(end, known)
            count[name] = count.get(name, 0) + row.count
    return count


def _problems(
    cables: Sequence[ExplicitCable],
    ids: Mapping[str, int],
    hosts: Mapping[str, int | None],
    gbps_of: Mapping[str, float | None],
) -> list[Problem]:
    known = {**ids, **hosts}
    found: list[Problem] = []
    taken: dict[str, int] = {}
    for number, row in enumerate(cables):
        for place, end in enumerate(row.ends):
            where = ("cables", number, "ends", place)
            name = _node(end, known)
            if name not in known:
                hint = renamed_listed(end, known) or renamed_listed(end.rpartition(":")[0], known)
                hint = hint or nearest_hint(end, known, otherwise=f"nodes are {', '.join(list(known)[:3])}, ...")
                found.append(Problem(f"no node is called {end!r}", code="FP3044", where=where, hint=hint))
            elif end != name and (end in taken or row.count > 1):
                what = f"cable {taken[end]} has the port too" if end in taken else f"{row.count} cables on one port"
                hint = "give every cable a port of its own, or leave the port out"
                found.append(Problem(f"{end}: {what}", code="FP3045", where=where, hint=hint))
            elif end != name:
                taken[end] = number
            try:
                check_speed("speed", row.speed, gbps_of.get(name), port=f"the ports of {name}")
            except TopologyError as error:
                found += error.under("cables", number).problems
        if len({_node(end, known) for end in row.ends}) == 1:
            message = f"{row.ends[0]} is cabled to itself"
            found.append(Problem(message, code="FP3014", where=("cables", number), hint="name two nodes"))
    return found
