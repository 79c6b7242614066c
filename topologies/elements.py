"""Columns over the nodes and the directed links of a network."""

from __future__ import annotations

from dataclasses import dataclass

from topologies.columns import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Nodes:
    """Columns over nodes; -1 means "not in any" for ``pod``, ``unit``, ``rail`` and ``plane``."""

    name: tuple[str, ...]
    role: Ints  # shape (N,), code into Topology.roles
    level: Ints  # shape (N,), height above the hosts: 0 host, 1 leaf or edge, 2 spine, 3 core
    pod: Ints
    unit: Ints
    rail: Ints
    plane: Ints
    radix: Ints  # ports a switch has; 0 = not known, not checked
    nics: Ints  # NIC ports that are endpoints; 0 for pure switches
    forwards: Bools  # whether traffic of others may cross the node

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, eq=False)
class Links:
    """Columns over directed links; row ``reverse[i]`` is the other direction of the same cable (-1: one-way)."""

    src: Ints  # shape (L,), node ids
    dst: Ints
    capacity_gbps: Floats  # Gbps in this direction when up
    weight: Floats  # routing metric (IGP weight), > 0
    tier: Ints  # code into Topology.tiers
    reverse: Ints
    src_ports: Floats  # ports taken at the source: 1, or 0.5 for one half of a 2x breakout
    length_m: Floats  # nan = not known
    delay_us: Floats  # one-way propagation delay, nan = not known

    def __len__(self) -> int:
        return len(self.src)
