"""Networks without levels: switches that all have hosts, and cables between any two of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import Assembler, assemble
from topologies.attach import attach_hosts
from topologies.columns import Ints, column
from topologies.errors import TopologyError
from topologies.hosts import AttachOrder, HostGroup
from topologies.node_names import node_names
from topologies.switches import SwitchPorts, check_breakout, check_speed
from topologies.topology import Topology
from topologies.units import Count, LengthM, SpeedGbps

# Keys that every flat builder has.
Speed = Annotated[SpeedGbps, Field(description="Speed of a cable between switches", examples=["400G"])]
HostSpeed = Annotated[SpeedGbps | None, Field(description="Speed of a host port; that of the other cables if absent")]
Parallel = Annotated[Count, Field(description="Cables for every one of the plan")]
Length = Annotated[LengthM | None, Field(description="Length of a cable between switches")]


def host_gbps(speed: float, host_speed: float | None, switch: SwitchPorts | None) -> float:
    """Speed of host ports, with all speeds checked against the switch's ports."""
    if switch:
        check_breakout(switch)
    port = switch.port_gbps if switch else None
    check_speed("speed", speed, port, port="the ports of the switch")
    check_speed("host_speed", host_speed, port, port="the ports of the switch")
    return host_speed or speed


def flat_network(
    title: str,
    kind: str,
    names: Sequence[str],
    pairs: tuple[Ints, Ints],
    *,
    hosts: Sequence[HostGroup],
    hosts_per_switch: int,
    speed: float,
    host_speed: float | None,
    switch: SwitchPorts | None,
    parallel: int = 1,
    length: float | None = None,
    role: str = "switch",
    pod: Ints | int = -1,
    attach_order: AttachOrder = "fill",
) -> Topology:
    """Switches of one role, hosts on each, and cables between the pairs of switches.

    Parameters
    ----------
    pairs : two ndarrays of int, shape (C,)
        Positions of both ends of every cable; repeated pairs are parallel cables.
    """
    gbps = host_gbps(speed, host_speed, switch)
    net = assemble(title, kind)
    ids = net.switches(role, names, level=1, radix=switch.ports if switch else 0, pod=pod)
    attach_hosts(net, hosts, ids, names, hosts_per_switch, gbps, order=attach_order)
    cable(net, ids[pairs[0]], ids[pairs[1]], speed, tier=f"{role}-{role}", parallel=parallel, length=length)
    return net.freeze()


def cable(
    net: Assembler, one: Ints, other: Ints, gbps: float, *, tier: str, parallel: int = 1, length: float | None = None
) -> None:
    """Cables between switches, with their length where it is known."""
    net.cables(one, other, gbps, tier=tier, parallel=parallel, length_m=np.nan if length is None else length)


def all_pairs(count: int) -> tuple[Ints, Ints]:
    """Every two of ``count`` things, once.

    >>> [end.tolist() for end in all_pairs(3)]
    [[0, 0, 1], [1, 2, 2]]
    """
    one, other = np.triu_indices(count, k=1)
    return column(one, np.int32), column(other, np.int32)


def grid_names(dims: Sequence[int]) -> list[str]:
    """Names of the switches of a grid, by their coordinates.

    Raises
    ------
    TopologyError
        When a dimension has one switch (FP3041).

    >>> grid_names([2, 2])
    ['switch0.0', 'switch0.1', 'switch1.0', 'switch1.1']
    """
    if min(dims) < 2:
        raise TopologyError(
            f"dims {list(dims)} has a dimension of {min(dims)}, along which there is nothing to cable",
            where="dims",
            hint=f"dims: {[size for size in dims if size > 1] or [2]}",
            code="FP3041",
        )
    return node_names("switch", list(np.ndindex(*dims)))


def between_groups(groups: int, ports: int) -> Ints:
    """Cables between groups that have ``ports`` ports each, spread as evenly as can be, all ports used.

    Every two groups get ⌊ports/(groups−1)⌋ cables; what is left of each group's ports goes to peers at the same
    distances around a cycle. Only where groups x ports is odd, one port of one group stays free.

    Returns
    -------
    ndarray of int, shape (C, 4)
        Group and port of one end, group and port of the other.

    Raises
    ------
    TopologyError
        When a group has fewer ports than peers (FP3040).
    """
    if groups < 2:
        return column(np.empty((0, 4)), np.int32)
    if ports < groups - 1:
        raise TopologyError(
            f"{groups} groups need {groups - 1} global ports each, to reach each other; they have {ports}",
            where="groups",
            hint=f"groups is at most {ports + 1}",
            code="FP3040",
        )
    whole, rest = divmod(ports, groups - 1)
    rounds = [np.stack(all_pairs(groups), axis=1)] * whole
    number = np.arange(groups)
    for distance in range(1, rest // 2 + 1):
        rounds.append(np.stack([number, (number + distance) % groups], axis=1))
    if rest % 2:
        rounds.append(_matching(groups))
    pairs = np.concatenate(rounds)
    rows = np.empty((len(pairs), 4), dtype=np.int32)
    # Each group numbers its cables round by round, by the distance to the peer, so that neighbours differ in router.
    step = np.concatenate([np.full(len(part), turn) for turn, part in enumerate(rounds)])
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    away = (ends[:, 1] - ends[:, 0]) % groups
    order = np.lexsort((away, np.tile(step, 2), ends[:, 0]))
    place = np.empty(len(ends), dtype=np.int64)
    own = ends[order, 0]
    place[order] = np.arange(len(ends)) - np.searchsorted(own, own, side="left")
    rows[:, 0], rows[:, 2] = pairs[:, 0], pairs[:, 1]
    rows[:, 1], rows[:, 3] = place[: len(pairs)], place[len(pairs) :]
    return column(rows, np.int32)


def said_of_groups(groups: int, ports: int) -> list[str]:
    """Where groups with so many global ports each are not all joined alike.

    >>> said_of_groups(9, 8), said_of_groups(2, 3)
    ([], [])
    >>> said_of_groups(3, 3)[1]
    'one global port of one group stays free, as 3 groups x 3 ports are odd'
    """
    if groups < 2:
        return []
    whole, rest = divmod(ports, groups - 1)
    notes = []
    if rest:
        notes.append(
            f"pairs of groups have {whole} or {whole + 1} cables, as {ports} global ports do not divide by "
            f"{groups - 1} other groups"
        )
    if groups * ports % 2:
        notes.append(f"one global port of one group stays free, as {groups} groups x {ports} ports are odd")
    return notes


def _matching(count: int) -> np.ndarray:
    """Pairs that cover all of ``count`` things, or all but one."""
    far = count // 2
    if count % 2 == 0:
        return np.stack([np.arange(far), np.arange(far) + far], axis=1)
    walk = np.arange(count) * far % count  # far and count have no common divisor
    return walk[: count - 1].reshape(-1, 2)
