"""Ports at both ends of every link: the port and cage it is plugged into, and what the vendor calls it.

Ports of a switch are numbered in the order of the links that leave it, as exported tables number them: links down
first where a builder cables hosts first. Links that share a port (breakouts) or a cage (twin-port modules) take
neighbouring numbers; where the size of a part changes, the next port begins whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.cables.devices import Devices, label_codes
from fabric.cables.models import NodeModels, ways_of
from topologies.columns import Ints, column
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class LinkEnds:
    """Both ends of every cabled link of a fabric, the lower one first; shape (C,) each.

    Attributes
    ----------
    link : ndarray
        The directed link with the lower id.
    node, port : pair of ndarray
        Node of an end; its port from 0, in the order of the links that leave the node.
    cage, links : pair of ndarray
        Number of the cage among all of the fabric; links that it has room for.
    """

    topology: Topology
    link: Ints
    node: tuple[Ints, Ints]
    port: tuple[Ints, Ints]
    cage: tuple[Ints, Ints]
    links: tuple[Ints, Ints]
    names: tuple[tuple[str, ...], tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.link)


def link_ends(topology: Topology, models: NodeModels, devices: Devices) -> LinkEnds:
    """Ends of all cabled links.

    Parameters
    ----------
    models : NodeModels
        What is known of its switches: cages, breakouts, names of ports.
    devices : Devices
        What hosts are called, and which of their NICs share a cage.
    """
    links, level = topology.links, topology.nodes.level
    link = column(np.flatnonzero(topology.is_cable), np.int32)
    src, dst = links.src[link], links.dst[link]
    port = _ports(topology, link)
    taken = (links.src_ports[link], np.where(links.reverse[link] < 0, 1.0, links.src_ports[links.reverse[link]]))
    low = np.where(level[src] <= level[dst], 0, 1)
    ends = [
        (np.where(low == end, src, dst), np.where(low == end, *port), np.where(low == end, *taken)) for end in (0, 1)
    ]
    node, port_of, taken_of = (np.concatenate([ends[0][part], ends[1][part]]) for part in range(3))
    plugs = _plugs(models, node, port_of, taken_of)
    names = _names(topology, models, plugs, node, port_of, devices)
    _file_names(topology, link, low, names)
    box, room = plugs.cage, plugs.links
    holder = node.astype(np.int64)
    hosts = np.flatnonzero(~topology.is_switch[node])
    holder[hosts], box[hosts], room[hosts] = devices.host_cages(node[hosts], port_of[hosts])
    cage = _numbered(holder, box)
    count = len(link)

    def pair(values: np.ndarray) -> tuple[Ints, Ints]:
        return column(values[:count], np.int32), column(values[count:], np.int32)

    shown = (tuple(names[:count]), tuple(names[count:]))
    return LinkEnds(topology, link, pair(node), pair(port_of), pair(cage), pair(room), shown)


def _numbered(holder: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Number of every pair of a holder and a box in it among those there are, by holder, then by box."""
    boxes = np.zeros(int(holder.max(initial=-1)) + 1, dtype=np.int64)
    np.maximum.at(boxes, holder, box + 1)
    place = (np.cumsum(boxes) - boxes)[holder] + box
    used = np.zeros(int(boxes.sum()), dtype=np.bool_)
    used[place] = True
    return np.asarray((np.cumsum(used) - 1)[place])


def _ports(topology: Topology, link: Ints) -> tuple[np.ndarray, np.ndarray]:
    """Port at the source and at the destination of links; where nothing leads back, behind all ports that send."""
    links = topology.links
    back = links.reverse[link]
    one_way = np.flatnonzero(back < 0)
    there = topology.src_port[np.maximum(back, 0)].astype(np.int64)
    if len(one_way):
        arriving = links.dst[link[one_way]]
        order = np.argsort(arriving, kind="stable")
        ranked = arriving[order]
        rank = np.empty(len(ranked), dtype=np.int64)
        rank[order] = np.arange(len(ranked)) - np.searchsorted(ranked, ranked)
        there[one_way] = np.bincount(links.src, minlength=len(topology.nodes))[arriving] + rank
    return topology.src_port[link], there


@dataclass(frozen=True, eq=False)
class _Plugs:
    """What ends of links plug into, shape (2C,) each; counted from 0."""

    port: np.ndarray  # as the switch is sold, before breakout
    cage: np.ndarray
    lane: np.ndarray  # among the links of the port
    ways: np.ndarray  # links of the port
    links: np.ndarray  # of the cage


def _plugs(models: NodeModels, node: np.ndarray, port: np.ndarray, taken: np.ndarray) -> _Plugs:
    """Ports as sold, and cages, of ends of links."""
    order = np.lexsort((port, node))
    nodes, parts = node[order], np.maximum(1, np.rint(1 / taken[order])).astype(np.int64)
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = (nodes[1:] != nodes[:-1]) | (parts[1:] != parts[:-1])
    run = np.cumsum(fresh) - 1
    first = np.flatnonzero(fresh)
    size = np.diff(np.append(first, len(order)))
    whole = -(-size // parts[first])  # ports that a run of equal parts takes
    before = np.cumsum(whole) - whole
    start = before - before[np.searchsorted(nodes[first], nodes[first])]
    place = np.arange(len(order)) - first[run]
    port_at = np.empty(len(order), dtype=np.int64)
    lane_at, ways_at = port_at.copy(), port_at.copy()
    port_at[order] = start[run] + place // parts
    lane_at[order] = place % parts
    ways_at[order] = parts
    broken, per_cage = _sold_as(models)
    breakout, cage_ports = broken[node], per_cage[node]
    ways = ways_at * breakout
    lane = port_at % breakout * ways_at + lane_at
    sold = port_at // breakout
    return _Plugs(sold, sold // cage_ports, lane, ways, ways * cage_ports)


def _sold_as(models: NodeModels) -> tuple[np.ndarray, np.ndarray]:
    """Links that every port of a node is broken out into, and its ports that share a cage, shape (N,) each."""
    ways = [ways_of(switch) for switch in models.switches]
    cage = [switch.row.ports_per_cage if switch.row else 1 for switch in models.switches]
    return np.array([*ways, 1])[models.of_node], np.array([*cage, 1])[models.of_node]


def _names(
    topology: Topology,
    models: NodeModels,
    plugs: _Plugs,
    node: np.ndarray,
    port: np.ndarray,
    devices: Devices,
) -> list[str]:
    """Names of ports at ends of links: of hosts by their NICs, of switches by the template of their model."""
    names = np.empty(len(node), dtype=object)
    switch = topology.is_switch[node]
    hosts = np.flatnonzero(~switch)
    names[hosts] = devices.host_ports(column(node[hosts], np.int32), column(port[hosts], np.int32))
    key = label_codes([values + more for values, more in _label_of(plugs)])
    of_end = models.of_node[node]
    for code in range(-1, len(models.switches)):
        rows = np.flatnonzero(switch & (of_end == code))
        row = models.switches[code].row if code >= 0 else None
        _, first, place = np.unique(key[rows], return_index=True, return_inverse=True)
        some = rows[first]
        labels = zip(*((values[some] + more).tolist() for values, more in _label_of(plugs)), strict=True)
        texts = [row.port_label(*label) if row else _plain_label(*label) for label in labels]
        names[rows] = np.array(texts, dtype=object)[place]
    return names.tolist()


def _label_of(plugs: _Plugs) -> tuple[tuple[np.ndarray, int], ...]:
    """What names of ports are made of: port and way from 1, and ways."""
    return (plugs.port, 1), (plugs.lane, 1), (plugs.ways, 0)


def _plain_label(port: int, way: int, ways: int) -> str:
    """Name of a port of a switch without a model."""
    return f"port{port}/{way}" if ways > 1 else f"port{port}"


def _file_names(topology: Topology, link: Ints, low: np.ndarray, names: list[str]) -> None:
    """Names that a topology file gives take the place of others."""
    given = topology.src_port_names
    if given is None:
        return
    back = topology.links.reverse[link].tolist()
    count = len(link)
    for row, (forth, turned) in enumerate(zip(link.tolist(), low.tolist(), strict=True)):
        own = (given[forth], given[back[row]] if back[row] >= 0 else "")
        for end in (0, 1):
            name = own[end ^ turned]
            names[end * count + row] = name or names[end * count + row]
