"""What a scenario says about the cables of a tier: their speed, how many there are, how long they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
from pydantic import Field

from topologies.columns import Floats, column
from topologies.errors import TopologyError, nearest_hint
from topologies.registry import Spec
from topologies.topology import Topology
from topologies.units import Count, LengthM, SpeedGbps


class TierCabling(Spec):
    """The cables of one tier, where they differ from what the builder gives them."""

    speed: SpeedGbps | None = Field(default=None, description="Speed of a cable", examples=["400G"])
    parallel: Count | None = Field(default=None, description="Cables for every one of the plan", examples=[2])
    length: LengthM | None = Field(default=None, description="Length of a cable", examples=["30 m"])


def recabled(topology: Topology, cabling: Mapping[str, TierCabling], port_gbps: float | None = None) -> Topology:
    """The topology with its tiers cabled as ``cabling`` says.

    Parameters
    ----------
    port_gbps : float or None
        The fastest port of its switches, Gbps, where their models say.

    Raises
    ------
    TopologyError
        When a tier does not exist (FP3046), or a speed exceeds the ports (FP3036).
    """
    for tier, wanted in cabling.items():
        if tier not in topology.tiers:
            hint = nearest_hint(tier, topology.tiers, otherwise=f"its tiers are {', '.join(topology.tiers)}")
            message = f"no cable of this fabric is in a tier {tier!r}"
            raise TopologyError(message, where=("cabling", tier), hint=hint, code="FP3046", on_key=True)
        if wanted.speed is not None and port_gbps is not None and wanted.speed > port_gbps:
            raise TopologyError(
                f"speed is {wanted.speed:g}G but no port is faster than {port_gbps:g}G",
                where=("cabling", tier, "speed"),
                hint=f"set speed: {port_gbps:g}G, or use a switch with {wanted.speed:g}G ports",
                code="FP3036",
            )
        topology = _recable(topology, topology.tiers.index(tier), wanted)
    return topology


def _recable(topology: Topology, tier: int, wanted: TierCabling) -> Topology:
    """One tier of it."""
    mine = topology.links.tier == tier
    links = replace(
        topology.links,
        capacity_gbps=_where(mine, wanted.speed, topology.links.capacity_gbps),
        length_m=_where(mine, wanted.length, topology.links.length_m),
    )
    if (wanted.parallel or 1) == 1:
        return replace(topology, links=links)
    times = np.where(mine, wanted.parallel or 1, 1)
    start = np.cumsum(times) - times
    row = np.repeat(np.arange(len(links)), times)
    copy = np.arange(len(row)) - start[row]
    mate = links.reverse[row]
    columns: dict[str, Any] = {field.name: getattr(links, field.name)[row] for field in fields(links)}
    columns["reverse"] = np.where(mate >= 0, start[mate] + copy, -1).astype(np.int32)
    return replace(
        topology,
        links=type(links)(**{key: column(values, values.dtype) for key, values in columns.items()}),
        up=column(topology.up[row], np.bool_),
        src_port_names=_first_named(topology.src_port_names, row, copy),
        circuit=None if topology.circuit is None else column(topology.circuit[row], np.int32),
    )


def _first_named(names: tuple[str, ...] | None, row: np.ndarray, copy: np.ndarray) -> tuple[str, ...] | None:
    """Names of ports where cables are repeated: the first of each has it, the others have none."""
    if names is None:
        return None
    return tuple(names[at] if number == 0 else "" for at, number in zip(row.tolist(), copy.tolist(), strict=True))


def _where(rows: np.ndarray, value: float | None, otherwise: Floats) -> Floats:
    return otherwise if value is None else column(np.where(rows, value, otherwise), np.float64)
