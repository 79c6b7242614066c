"""Torus and mesh: a grid of switches, each cabled to its neighbours."""

from __future__ import annotations

from math import prod
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.builder import TOPOLOGIES, Hosts
from topologies.columns import Ints, column
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.flat import HostSpeed, Length, Parallel, Speed, Switch, flat_network, grid_names
from topologies.topology import Topology
from topologies.units import Count


def facts(dims: list[int], endpoints_per_switch: int, speed: float) -> Facts:
    """Closed form with all dimensions closed: one cable per switch and dimension, half of it where the size is 2."""
    switches = prod(dims)
    cables = {
        "host-switch": switches * endpoints_per_switch,
        "switch-switch": sum(switches if size > 2 else switches // 2 for size in dims),
    }
    return Facts(
        endpoints=switches * endpoints_per_switch,
        switches=switches,
        cables_by_tier=cables,
        tier_gbps={tier: count * speed for tier, count in cables.items()},
        ports_used_max=endpoints_per_switch + sum(2 if size > 2 else 1 for size in dims),
    )


@TOPOLOGIES.register("torus", facts=facts, example={"dims": [4, 3, 2], "endpoints_per_switch": 1, "speed": "200G"})
def torus(
    dims: Annotated[
        tuple[Count, ...], Field(min_length=1, description="Switches along every dimension, each 2 or more")
    ],
    speed: Speed,
    endpoints_per_switch: Annotated[Count, Field(description="Hosts of a switch")] = 1,
    wrap: Annotated[
        bool | tuple[bool, ...], Field(description="Whether dimensions close to rings: all, or one by one; else a mesh")
    ] = True,
    host_speed: HostSpeed = None,
    switch: Switch = None,
    parallel: Parallel = 1,
    length: Length = None,
    hosts: Hosts = (),
) -> Topology:
    """Torus: rings along every dimension; a dimension of two switches has one cable, not two.

    References
    ----------
    Dally and Towles, Principles and Practices of Interconnection Networks, 2004, chapter 5.
    """
    closed = (wrap,) * len(dims) if isinstance(wrap, bool) else wrap
    names = grid_names(dims)
    if len(closed) != len(dims):
        raise TopologyError(
            f"wrap has {len(closed)} entries, but there are {len(dims)} dimensions",
            where="wrap",
            hint="wrap: true closes all",
            code="FP3041",
        )
    return flat_network(
        f"torus({'x'.join(map(str, dims))})",
        "torus",
        names,
        _pairs(dims, closed),
        hosts=hosts,
        hosts_per_switch=endpoints_per_switch,
        speed=speed,
        host_speed=host_speed,
        switch=switch,
        parallel=parallel,
        length=length,
    )


def _pairs(dims: tuple[int, ...], closed: tuple[bool, ...]) -> tuple[Ints, Ints]:
    number = np.arange(prod(dims)).reshape(dims)
    one, other = [], []
    for axis, (size, ring) in enumerate(zip(dims, closed, strict=True)):
        lines = np.moveaxis(number, axis, -1).reshape(-1, size)
        steps = size if ring and size > 2 else size - 1
        one.append(lines[:, :steps].ravel())
        other.append(np.roll(lines, -1, axis=1)[:, :steps].ravel())
    return column(np.concatenate(one), np.int32), column(np.concatenate(other), np.int32)
