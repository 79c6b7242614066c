"""Which switch of the catalogue every node of a topology is, as far as the scenario says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel

from topologies.builder import names_of
from topologies.columns import Ints, column
from topologies.registry import Spec
from topologies.switches import SwitchPorts, SwitchSpec, switch_of_role
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class NodeModels:
    """Descriptions of switches, and which of them every node is; -1 where the scenario says nothing of it."""

    switches: tuple[SwitchPorts, ...]
    of_node: Ints  # shape (N,)

    def at(self, node: int) -> SwitchPorts | None:
        """What is said of a node."""
        code = int(self.of_node[node])
        return self.switches[code] if code >= 0 else None


def node_models(topology: Topology, spec: BaseModel) -> NodeModels:
    """What the parameters of a builder say of every switch, by its role, or by its name where they list switches."""
    switches: list[SwitchPorts] = []
    by_role = np.full(len(topology.roles), -1, dtype=np.int32)
    for code, role in enumerate(topology.roles):
        switch = _of_role(spec, role)
        if switch is not None:
            by_role[code] = len(switches)
            switches.append(switch)
    of_node = np.where(topology.is_switch, by_role[topology.nodes.role], -1)
    for listed in _listed(spec):
        names = (
            names_of(listed.name or "", listed.count or 1, where="switches")
            if (listed.count or 1) > 1
            else [listed.name or ""]
        )
        nodes = [topology.node(name) for name in names if topology.has_node(name)]
        of_node[nodes] = len(switches)
        switches.append(listed)
    return NodeModels(tuple(switches), column(of_node, np.int32))


def _of_role(spec: BaseModel, role: str) -> SwitchPorts | None:
    """Switches of a role, also those of the plane of a multi-plane."""
    own = switch_of_role(spec, role)
    if own is not None:
        return own
    inner = (getattr(spec, name) for name in type(spec).model_fields)
    nested = (value for value in inner if isinstance(value, Spec) and not isinstance(value, SwitchPorts))
    return next((switch for value in nested if (switch := _of_role(value, role)) is not None), None)


def _listed(spec: BaseModel) -> Iterable[SwitchSpec]:
    """Switches that are listed one kind after another."""
    for name in type(spec).model_fields:
        value = getattr(spec, name)
        if isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, SwitchSpec))


def ways_of(switch: SwitchPorts) -> int:
    """Links that every port of a switch is broken out into."""
    physical = switch.row.ports if switch.row else (switch.radix or 0)
    return max(1, switch.ports // physical) if physical else 1
