"""DCell: servers that forward, cabled to one small switch and to servers of other cells."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES, Hosts
from topologies.columns import Ints, column
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.flat import Length, Parallel, Speed
from topologies.node_names import node_names
from topologies.server_centric import add_servers
from topologies.switches import SwitchPorts
from topologies.topology import Topology
from topologies.units import Count, CountOrZero

_MOST = 1_000_000


def servers_of(n: int, k: int) -> int:
    """Servers of a DCell: t₀ = n, t_k = t_(k−1)·(t_(k−1)+1).

    >>> servers_of(4, 1), servers_of(4, 2)
    (20, 420)
    """
    count = n
    for _ in range(k):
        count *= count + 1
    return count


def facts(n: int, k: int, speed: float, parallel: int = 1) -> Facts:
    """Closed form (Guo et al., SIGCOMM 2008, section 3): t_k servers of k+1 ports, t_k/n switches, k·t_k/2 cables."""
    count = servers_of(n, k)
    cables = {"host-switch": count * parallel}
    if k:
        cables["host-host"] = k * count // 2 * parallel
    return Facts(
        endpoints=count * (k + 1) * parallel,
        switches=count // n,
        cables_by_tier=cables,
        tier_gbps={tier: number * speed for tier, number in cables.items()},
        ports_used_max=n * parallel,
        hosts_forward=True,
        ports_per_endpoint=(k + 1) * parallel,
    )


@TOPOLOGIES.register("dcell", facts=facts, example={"n": 4, "k": 1, "speed": "100G"})
def dcell(
    n: Annotated[Count, Field(ge=2, description="Servers of a cell of level 0, and ports of its switch")],
    k: Annotated[CountOrZero, Field(le=4, description="Level; servers have k+1 ports")],
    speed: Speed,
    parallel: Parallel = 1,
    length: Length = None,
    switch: Annotated[SwitchPorts | None, Field(description="Model or radix of the switches")] = None,
    hosts: Hosts = (),
) -> Topology:
    """DCell of level k: server-centric, hosts forward; every two cells of a level are joined by one cable of servers.

    A cell of level l is made of one more cell of level l−1 than each of those has servers; server j−1 of cell i is
    cabled to server i of cell j. Listed nodes must fill all places: a cell with gaps may fall apart.

    References
    ----------
    Guo et al., "DCell: a scalable and fault-tolerant network structure for data centers", SIGCOMM 2008, section 3.
    """
    count = servers_of(n, k)
    listed = sum(len(group.hosts) for group in hosts)
    if count > _MOST or (hosts and listed != count):
        sizes = sorted({servers_of(ports, level) for ports in range(2, 65) for level in range(5)})
        near = sorted(sizes, key=lambda size: abs(size - (listed or _MOST)))[:2]
        what = f"has {count:,} servers" if count > _MOST else f"has {count:,} places but {listed:,} nodes are listed"
        raise TopologyError(
            f"a DCell of n={n}, k={k} {what}",
            where="k" if count > _MOST else "n",
            hint=f"the nearest sizes are {' and '.join(f'{size:,}' for size in sorted(near))}",
            code="FP3022",
        )
    net = assemble(f"dcell(n={n}, k={k})", "dcell")
    names = node_names("host", _places(n, k))
    servers = add_servers(net, hosts, count, k + 1, parallel, speed, switch, names)
    ports = switch.ports if switch and switch.ports else n * parallel
    cells = node_names("switch", _places(n, k)[::n, :-1]) if k else node_names("switch", [0])
    switches = net.switches("switch", cells, level=1, radix=ports)
    far = np.nan if length is None else length
    net.cables(servers, np.repeat(switches, n), speed, parallel=parallel, length_m=far)
    for level in range(1, k + 1):
        one, other = _joined(count, servers_of(n, level - 1))
        net.cables(servers[one], servers[other], speed, parallel=parallel, tier="host-host", length_m=far)
    return net.freeze()


def _places(n: int, k: int) -> np.ndarray:
    """The cell of every level that each server is in, the outermost first, and its place in the last, shape (t, k+1).

    >>> _places(2, 1).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]
    """
    place = np.arange(servers_of(n, k))
    digits = []
    for level in range(k - 1, -1, -1):
        digit, place = np.divmod(place, servers_of(n, level))
        digits.append(digit)
    return np.stack([*digits, place], axis=1)


def _joined(count: int, size: int) -> tuple[Ints, Ints]:
    """Servers joined at one level, all of its cells: ``size`` servers in each of size+1 cells of the level below."""
    first, second = np.triu_indices(size + 1, k=1)
    starts = np.arange(0, count, size * (size + 1))[:, None]
    one = starts + first * size + second - 1
    other = starts + second * size + first
    return column(one.ravel(), np.int32), column(other.ravel(), np.int32)
