"""Torus and mesh: a grid of switches, each cabled to its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import Assembler, assemble
from topologies.attach import attach_hosts
from topologies.builder import TOPOLOGIES, Hosts
from topologies.columns import Bools, Ints, column
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.flat import HostSpeed, Length, Parallel, Speed, cable, flat_network, grid_names, host_gbps
from topologies.hosts import AttachOrder
from topologies.node_names import node_names
from topologies.switches import Switch, SwitchPorts
from topologies.topology import Topology
from topologies.units import Count


def facts(
    dims: Sequence[int],
    endpoints_per_switch: int,
    speed: float,
    cube: int | None = None,
    ocs: int | bool = False,
    wrap: bool | Sequence[bool] = True,
    parallel: int = 1,
) -> Facts:
    """Closed form: a cable per switch and closed dimension, less one a line where it is open or its size is 2.

    With cubes of side c in d dimensions, one cable in c of each dimension leaves its cube; through optical switches, of
    which there are d·c^(d−1), one for every place of a cube's faces (Jouppi et al., ISCA 2023, section 2.2).
    """
    switches = prod(dims)
    rings = [ring and size > 2 for size, ring in zip(dims, _closed(wrap, len(dims)), strict=True)]
    cabled = sum(switches - (0 if ring else switches // size) for size, ring in zip(dims, rings, strict=True))
    cables = {"host-switch": switches * endpoints_per_switch}
    if cube is None:
        cables["switch-switch"] = cabled * parallel
    else:
        out = sum(switches // cube - (0 if ring else switches // size) for size, ring in zip(dims, rings, strict=True))
        cables["intra-cube"] = (cabled - out) * parallel
        cables["optical" if ocs else "inter-cube"] = out * parallel
    return Facts(
        endpoints=switches * endpoints_per_switch,
        switches=switches,
        cables_by_tier=cables,
        tier_gbps={tier: count * speed for tier, count in cables.items()},
        ports_used_max=endpoints_per_switch + parallel * sum(2 if size > 2 else 1 for size in dims),
        other_nodes=len(dims) * cube ** (len(dims) - 1) if cube and ocs else 0,
    )


@TOPOLOGIES.register(
    "torus",
    facts=facts,
    example={"dims": [4, 4, 8], "endpoints_per_switch": 1, "speed": "200G", "cube": 4, "ocs": 136},
)
def torus(
    dims: Annotated[
        tuple[Count, ...], Field(min_length=1, description="Switches along every dimension, each 2 or more")
    ],
    speed: Speed,
    endpoints_per_switch: Annotated[Count, Field(description="Hosts of a switch")] = 1,
    wrap: Annotated[
        bool | tuple[bool, ...], Field(description="Whether dimensions close to rings: all, or one by one; else a mesh")
    ] = True,
    cube: Annotated[
        int | None, Field(ge=2, description="Side of the cubes that the grid is made of, which divides all dims")
    ] = None,
    ocs: Annotated[
        bool | Count,
        Field(description="Join cubes by optical circuit switches: true, or the ports that each has", examples=[136]),
    ] = False,
    host_speed: HostSpeed = None,
    switch: Switch = None,
    parallel: Parallel = 1,
    length: Length = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Torus: rings along every dimension; a dimension of two switches has one cable, not two.

    With ``cube`` the cables between cubes, and those that close the rings, are a tier of their own. With ``ocs`` they
    are patched through optical circuit switches: one for every place of a cube's faces, which takes the cables of all
    cubes at that place. An optical switch forwards nothing by itself; when it fails, its circuits do.

    References
    ----------
    Dally and Towles, Principles and Practices of Interconnection Networks, 2004, chapter 5; Jouppi et al., "TPU v4: an
    optically reconfigurable supercomputer for machine learning", ISCA 2023, section 2.
    """
    closed = _closed(wrap, len(dims))
    names = grid_names(dims)
    if len(closed) != len(dims):
        raise TopologyError(
            f"wrap has {len(closed)} entries, but there are {len(dims)} dimensions",
            where="wrap",
            hint="wrap: true closes all",
            code="FP3041",
        )
    title = f"torus({'x'.join(map(str, dims))})"
    if cube is not None:
        net = assemble(title, "torus")
        ids = _add_cubes(net, dims, closed, cube, names, switch, ocs=ocs, speed=speed, parallel=parallel, length=length)
        attach_hosts(
            net, hosts, ids, names, endpoints_per_switch, host_gbps(speed, host_speed, switch), order=attach_order
        )
        return net.freeze()
    if ocs:
        message = "optical switches join cubes, and no cube is given"
        raise TopologyError(message, where="ocs", hint="add cube: 4", code="FP3033")
    return flat_network(
        title,
        "torus",
        names,
        _pairs(dims, closed)[:2],
        hosts=hosts,
        hosts_per_switch=endpoints_per_switch,
        speed=speed,
        host_speed=host_speed,
        switch=switch,
        attach_order=attach_order,
        parallel=parallel,
        length=length,
    )


def _closed(wrap: bool | Sequence[bool], count: int) -> tuple[bool, ...]:
    """Whether each dimension closes to rings."""
    return (wrap,) * count if isinstance(wrap, bool) else tuple(wrap)


def _add_cubes(
    net: Assembler,
    dims: tuple[int, ...],
    closed: tuple[bool, ...],
    cube: int,
    names: Sequence[str],
    switch: SwitchPorts | None,
    *,
    ocs: bool | int,
    speed: float,
    parallel: int,
    length: float | None,
) -> Ints:
    """The switches, cube by cube a pod, and the cables inside and between cubes; returns the switches."""
    _check_cube(dims, cube)
    one, other, axis = _pairs(dims, closed)
    place = column(np.stack(np.unravel_index(np.arange(prod(dims)), dims)), np.int32)
    number = np.ravel_multi_index(tuple(place // cube), tuple(size // cube for size in dims))
    ids = net.switches("switch", names, level=1, radix=switch.ports if switch else 0, pod=number)
    out = _leaves_cube(place, one, other, axis, cube)
    cable(net, ids[one[~out]], ids[other[~out]], speed, tier="intra-cube", parallel=parallel, length=length)
    through: Ints | int = -1
    if ocs:
        inside = column(place % cube, np.int32)
        through = np.repeat(_optical(net, inside, one[out], axis[out], cube, 0 if ocs is True else ocs), parallel)
    net.cables(
        ids[one[out]],
        ids[other[out]],
        speed,
        tier="optical" if ocs else "inter-cube",
        parallel=parallel,
        length_m=np.nan if length is None else length,
        through=through,
    )
    return ids


def _leaves_cube(place: Ints, one: Ints, other: Ints, axis: Ints, cube: int) -> Bools:
    """Which cables join two cubes, or close a ring: those that do not step on by one inside a cube."""
    here, there = place[axis, one], place[axis, other]
    return column((there != here + 1) | (there % cube == 0), np.bool_)


def _check_cube(dims: tuple[int, ...], cube: int) -> None:
    """Cubes fill the grid."""
    if any(size % cube for size in dims):
        whole = [max(round(size / cube), 1) * cube for size in dims]
        raise TopologyError(
            f"cubes of side {cube} do not fill dims {list(dims)}",
            where="cube",
            hint=f"dims: {whole}, or a cube that divides {', '.join(map(str, dims))}",
            code="FP3041",
        )


def _optical(net: Assembler, inside: Ints, one: Ints, axis: Ints, cube: int, ports: int) -> Ints:
    """The optical switch of every cable that leaves a cube; one per dimension and place of the cube's face."""
    count = len(inside)
    face = np.zeros(len(one), dtype=np.int64)
    for dimension in range(count):
        across = axis != dimension
        face[across] = face[across] * cube + inside[dimension, one[across]]
    per_face = cube ** (count - 1)
    names = node_names("ocs", list(np.ndindex(count, *(cube,) * (count - 1))))
    ids = net.nodes("ocs", names, level=2, radix=ports, forwards=False)
    return column(ids[axis * per_face + face], np.int32)


def _pairs(dims: tuple[int, ...], closed: tuple[bool, ...]) -> tuple[Ints, Ints, Ints]:
    """Both ends of every cable and its dimension; the second end is one further on, or round the ring."""
    number = np.arange(prod(dims)).reshape(dims)
    one, other, along = [], [], []
    for axis, (size, ring) in enumerate(zip(dims, closed, strict=True)):
        lines = np.moveaxis(number, axis, -1).reshape(-1, size)
        steps = size if ring and size > 2 else size - 1
        one.append(lines[:, :steps].ravel())
        other.append(np.roll(lines, -1, axis=1)[:, :steps].ravel())
        along.append(np.full(len(one[-1]), axis))
    return (
        column(np.concatenate(one), np.int32),
        column(np.concatenate(other), np.int32),
        column(np.concatenate(along), np.int32),
    )
