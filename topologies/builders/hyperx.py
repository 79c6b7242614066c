"""HyperX: a grid of switches, all cabled to all along every dimension."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.builder import TOPOLOGIES, Hosts
from topologies.columns import Ints, column
from topologies.facts import Facts
from topologies.flat import HostSpeed, Length, Parallel, Speed, all_pairs, flat_network, grid_names
from topologies.hosts import AttachOrder
from topologies.switches import Switch
from topologies.topology import Topology
from topologies.units import Count


def facts(dims: Sequence[int], endpoints_per_switch: int, speed: float, parallel: int = 1) -> Facts:
    """Closed form (Ahn et al., SC 2009, section 3): ΠS switches with Σ(S−1) cables each."""
    switches, degree = prod(dims), sum(size - 1 for size in dims)
    cables = {"host-switch": switches * endpoints_per_switch, "switch-switch": switches * degree // 2 * parallel}
    return Facts(
        endpoints=switches * endpoints_per_switch,
        switches=switches,
        cables_by_tier=cables,
        tier_gbps={tier: count * speed for tier, count in cables.items()},
        ports_used_max=endpoints_per_switch + degree * parallel,
    )


@TOPOLOGIES.register("hyperx", facts=facts, example={"dims": [3, 4], "endpoints_per_switch": 2, "speed": "200G"})
def hyperx(
    dims: Annotated[
        tuple[Count, ...], Field(min_length=1, description="Switches along every dimension, each 2 or more")
    ],
    endpoints_per_switch: Annotated[Count, Field(description="Hosts of a switch")],
    speed: Speed,
    host_speed: HostSpeed = None,
    switch: Switch = None,
    parallel: Parallel = 1,
    length: Length = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """HyperX: switches that differ in one coordinate are cabled; with dimensions of 2 a hypercube.

    References
    ----------
    Ahn et al., "HyperX: topology, routing, and packaging of efficient large-scale networks", SC 2009, section 3.
    """
    return flat_network(
        f"hyperx({'x'.join(map(str, dims))})",
        "hyperx",
        grid_names(dims),
        _pairs(dims),
        hosts=hosts,
        hosts_per_switch=endpoints_per_switch,
        speed=speed,
        host_speed=host_speed,
        switch=switch,
        attach_order=attach_order,
        parallel=parallel,
        length=length,
    )


def _pairs(dims: tuple[int, ...]) -> tuple[Ints, Ints]:
    number = np.arange(prod(dims)).reshape(dims)
    one: list[np.ndarray] = []
    other: list[np.ndarray] = []
    for axis, size in enumerate(dims):
        lines = np.moveaxis(number, axis, -1).reshape(-1, size)
        for side, place in zip((one, other), all_pairs(size), strict=True):
            side.append(lines[:, place].ravel())
    return column(np.concatenate(one), np.int32), column(np.concatenate(other), np.int32)
