"""What the network is made of: nodes by role with ports and power, cables by tier."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from fabric.output.columns import capacities, counts, named, optional
from fabric.output.table import Column, Table
from fabric.scenario.fabric_schema import FabricSpec
from topologies.catalogue import SwitchModel
from topologies.summary import TopologySummary
from topologies.switches import switch_of_role
from topologies.topology import Topology
from topologies.units import to_one

ROLES_SHOWN = ("role", "nodes", "ports_used_max", "ports_available", "oversubscription")
TIERS_SHOWN = ("tier", "cables", "port_gbps", "capacity_gbps")


def roles_bottom_up(topology: Topology) -> list[str]:
    """Roles in order of height, hosts first."""
    nodes = topology.nodes
    codes, last = np.unique(nodes.role[::-1], return_index=True)
    height = dict.fromkeys(topology.roles, 0)
    height |= {topology.roles[code]: int(nodes.level[::-1][at]) for code, at in zip(codes.tolist(), last, strict=True)}
    return sorted(topology.roles, key=lambda role: height[role])


def role_table(fabric: str, summary: TopologySummary, topology: Topology, spec: FabricSpec) -> Table:
    """Nodes of every role, with the ports of the fullest switch, its oversubscription, model and power."""
    roles = roles_bottom_up(topology)
    nodes = [summary.nodes_by_role[role] for role in roles]
    used = [summary.ports_used_max_by_role.get(role) for role in roles]
    models = [None if ports is None else _model(spec, role) for role, ports in zip(roles, used, strict=True)]
    power = [
        None if model is None or model.typical_w is None else model.typical_w * count
        for model, count in zip(models, nodes, strict=True)
    ]
    guess = [" (estimate)" if model is not None and model.estimate else "" for model in models]
    columns = (
        named("role", "role", roles, width=12),
        counts("nodes", "nodes", nodes),
        named("model", "model", [None if model is None else model.model for model in models], width=16, priority=2),
        counts("ports_used_max", "ports used, max", used, width=15),
        counts(
            "ports_available",
            "ports available",
            [summary.ports_available_by_role.get(role) for role in roles],
            width=15,
        ),
        Column(
            "oversubscription",
            "oversubscription",
            [summary.oversubscription_by_role.get(role) for role in roles],
            optional(partial(to_one, places=2)),
            numeric=True,
            width=16,
            unit="ratio",
        ),
        counts(
            "power_w",
            "typical power, W",
            power,
            texts=["-" if watts is None else f"{watts:,.0f}{note}" for watts, note in zip(power, guess, strict=True)],
            unit="W",
            width=16,
            priority=1,
        ),
    )
    return Table.of(columns, len(roles), title=f"{fabric}: nodes by role")


def _model(spec: FabricSpec, role: str) -> SwitchModel | None:
    """The catalogue's switch of a role."""
    switch = switch_of_role(spec.topology, role)
    return switch.row if switch else None


def cable_table(summaries: Mapping[str, TopologySummary]) -> Table:
    """Cables of every tier, fabric by fabric, and their capacity in one direction."""
    rows = [(fabric, summary, tier) for fabric, summary in summaries.items() for tier in summary.cables_by_tier]
    columns = (
        named("fabric", "fabric", [fabric for fabric, _, _ in rows], width=8, priority=1),
        named("tier", "tier", [tier for _, _, tier in rows], width=12),
        counts("cables", "cables", [summary.cables_by_tier[tier] for _, summary, tier in rows]),
        capacities("port_gbps", "a cable", [summary.port_gbps_by_tier[tier] for _, summary, tier in rows]),
        capacities(
            "capacity_gbps",
            "capacity, one direction",
            [summary.capacity_gbps_by_tier[tier] for _, summary, tier in rows],
            width=23,
        ),
    )
    return Table.of(columns, len(rows), title=f"{', '.join(summaries)}: cables by tier")
