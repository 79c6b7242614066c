"""The demand matrix of a fabric: who sends how much to whom, by leaf, rack, unit or host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabric.output.columns import capacities, named, volumes
from fabric.output.table import Table
from topologies.columns import Floats, Ints, column
from topologies.errors import FormatError
from topologies.topology import Topology
from traffic.demands import Flows
from traffic.workload import WorkloadTraffic

MOST_PLACES = 4_096


@dataclass(frozen=True, eq=False)
class DemandMatrix:
    """Demand between places of a fabric; the diagonal is what stays inside a place."""

    fabric: str
    level: str
    names: tuple[str, ...]
    volume_bytes: Floats  # shape (n, n), per step
    rate_gbps: Floats  # shape (n, n), steady traffic

    def rows(self) -> list[dict[str, Any]]:
        """Cells with demand."""
        src, dst = np.nonzero((self.volume_bytes > 0) | (self.rate_gbps > 0))
        return [
            {
                "fabric": self.fabric,
                "src": self.names[tail],
                "dst": self.names[head],
                "volume_bytes": float(self.volume_bytes[tail, head]),
                "rate_gbps": float(self.rate_gbps[tail, head]),
            }
            for tail, head in zip(src.tolist(), dst.tolist(), strict=True)
        ]


def demand_matrix(
    topology: Topology,
    fabric: str,
    workloads: Sequence[WorkloadTraffic],
    level: str,
    *,
    phase: str = "all",
    rack_of_host: Mapping[str, str] | None = None,
) -> DemandMatrix:
    """Add up the phases of a step and steady traffic, or the one phase named.

    Parameters
    ----------
    level : {'leaf', 'rack', 'unit', 'host'}
        What a place is: endpoints on the same switches, a rack, a unit or pod, or a host.
    phase : str
        ``all``: every phase of the step, and what is steady; phases that come now and then only by name.

    Raises
    ------
    FormatError
        When the scenario has no racks (FP6240), the fabric no units (FP6241), or there are too many places (FP6245).
    """
    place, names = _places(topology, level, rack_of_host or {})
    if len(names) > MOST_PLACES:
        raise FormatError(
            f"{len(names):,} {level}s on {fabric}; a matrix of {MOST_PLACES:,} is the most",
            hint="--matrix leaf, or unit",
            code="FP6245",
        )
    volume, rate = np.zeros((len(names), len(names))), np.zeros((len(names), len(names)))
    for workload in workloads:
        for entry in workload.phases:
            wanted = entry.name == phase or (phase == "all" and (entry.every_step or entry.steady))
            if entry.fabric == fabric and wanted:
                _add(rate if entry.steady else volume, entry.flows, place)
    return DemandMatrix(fabric, level, names, column(volume, np.float64), column(rate, np.float64))


def _add(matrix: Floats, flows: Flows, place: Ints) -> None:
    count = len(matrix)
    key = place[flows.src].astype(np.int64) * count + place[flows.dst]
    matrix += np.bincount(key, flows.amount, count * count).reshape(count, count)
    for block in flows.blocks:
        members = np.bincount(place[block.members], minlength=count)
        matrix += block.amount * (np.outer(members, members) - np.diag(members))


def _places(topology: Topology, level: str, rack_of_host: Mapping[str, str]) -> tuple[Ints, tuple[str, ...]]:
    """Place of every node, shape (N,), and the names of places; only endpoints' places mean anything."""
    nodes = topology.nodes
    ends = topology.endpoint_nodes
    if level == "leaf":
        leaves = _leaves(topology)
        keys = [leaves[int(group)] for group in topology.groups.of_node[ends]]
    elif level == "unit":
        of_end = _unit_of_ends(topology)
        if (of_end < 0).any():
            raise FormatError("the fabric has no units or pods", hint="--matrix leaf", code="FP6241")
        keys = [f"unit{number}" for number in of_end.tolist()]
    else:
        keys = [nodes.name[node].split(".nic", 1)[0] for node in ends.tolist()]
        if level == "rack":
            missing = next((host for host in keys if host not in rack_of_host), None)
            if missing is not None:
                raise FormatError(
                    f"the scenario does not say in which rack {missing} stands",
                    hint="give nodes.per_rack for every group on the fabric",
                    code="FP6240",
                )
            keys = [rack_of_host[host] for host in keys]
    names = tuple(dict.fromkeys(keys))
    number = {name: at for at, name in enumerate(names)}
    place = np.zeros(len(nodes), dtype=np.int32)
    place[ends] = [number[key] for key in keys]
    return column(place, np.int32), names


def _leaves(topology: Topology) -> list[str]:
    """Names of the switches that each attachment group is attached to."""
    order = np.argsort(topology.links.src, kind="stable")
    tail = topology.links.src[order]
    first, last = (np.searchsorted(tail, topology.groups.first, side=side) for side in ("left", "right"))
    name, head = topology.nodes.name, topology.links.dst[order]
    return [
        "+".join(dict.fromkeys(name[node] for node in head[start:end].tolist()))
        for start, end in zip(first.tolist(), last.tolist(), strict=True)
    ]


def has_units(topology: Topology) -> bool:
    """Whether every endpoint is in a unit or pod."""
    return bool((_unit_of_ends(topology) >= 0).all())


def _unit_of_ends(topology: Topology) -> Ints:
    nodes = topology.nodes
    inside = column(np.where(nodes.unit >= 0, nodes.unit, nodes.pod), np.int32)
    return column(_unit_of(topology, inside)[topology.endpoint_nodes], np.int32)


def _unit_of(topology: Topology, unit: Ints) -> Ints:
    """Unit of every node; an endpoint without one has that of its switch."""
    links = topology.links
    found = unit.copy()
    bare = (found[links.src] < 0) & (topology.nodes.nics[links.src] > 0)
    found[links.src[bare]] = unit[links.dst[bare]]
    return column(found, np.int32)


def matrix_table(matrices: Sequence[DemandMatrix]) -> Table:
    """Cells with demand, fabric by fabric."""
    rows = [row for matrix in matrices for row in matrix.rows()]
    columns = (
        named("fabric", "fabric", [row["fabric"] for row in rows], width=8),
        named("src", "from", [row["src"] for row in rows], width=16),
        named("dst", "to", [row["dst"] for row in rows], width=16),
        volumes("volume_bytes", "per step", [row["volume_bytes"] for row in rows]),
        capacities("rate_gbps", "steady", [row["rate_gbps"] for row in rows]),
    )
    return Table.of(columns, len(rows), title="demand")


def fullest(table: Table) -> Table:
    """The cells with the most demand first, by volume, then by rate."""
    volume, rate = (table.column(name).values for name in ("volume_bytes", "rate_gbps"))
    return table.ordered(sorted(table.order.tolist(), key=lambda row: (-volume[row], -rate[row])))
