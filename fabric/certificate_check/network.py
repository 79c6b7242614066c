"""From links and points to the graph that a routing chooses in; checks that the two say the same.

The model, stated once more in a second implementation: a link that is up and has capacity can be used. Links between
two nodes that forward are edges of their own. An endpoint with one link to one switch has no choice: its traffic enters
and leaves there, its access link carries what it sends and receives. Other endpoints belong to sets whose members hang
alike, each link of a member being part of one edge together with the like links of all other members; nothing crosses
an endpoint. Links between two endpoints carry nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.certificate_check.columns import Bools, FabricColumns, Floats, Ints, PhaseColumns

_ALIKE = 1e-9  # relative; members of a set have equal links up to this


@dataclass(frozen=True, eq=False)
class Network:
    """Points and edges."""

    fabric: FabricColumns
    points: int
    tail: Ints  # shape (E,), points
    head: Ints
    capacity_gbps: Floats  # 0 where the links are down
    weight: Floats
    first_link: Ints  # shape (E,), a link of each edge
    members: Ints  # shape (V,), endpoints behind a point of multi-homed ones, 0 for switches
    name_of_point: Ints  # shape (V,), a node of each point

    @property
    def usable(self) -> Bools:
        """Edges that traffic can take, shape (E,)."""
        return self.capacity_gbps > 0

    def point_name(self, point: int) -> str:
        """Name of the switch, or of one endpoint of a set."""
        more = int(self.members[point]) - 1
        name = str(self.fabric.node_name[self.name_of_point[point]])
        return f"{name} and {more} like it" if more > 0 else name

    def edge_name(self, edge: int) -> str:
        """Name of an edge's link, or of the first of them."""
        return self.fabric.link_name(int(self.first_link[edge]))


def build_network(phase: PhaseColumns) -> tuple[Network | None, list[str]]:
    """The graph of a phase, and what in the file contradicts its links; without a graph when nothing fits.

    Returns
    -------
    Network or None
    list of str
        One sentence per kind of contradiction; empty when the graph is that of the links.
    """
    fabric, edge_of = phase.fabric, phase.link_edge
    wrong = _switch_points(phase)
    routed = np.flatnonzero(edge_of >= 0)
    edge, first = np.unique(edge_of[routed], return_index=True)
    if wrong or len(edge) != int(edge_of.max(initial=-1)) + 1:
        return None, wrong or ["an edge has no link"]
    first = routed[first]
    tail, head = phase.send_point[fabric.link_src[first]], phase.receive_point[fabric.link_dst[first]]
    mine = edge_of[routed]
    ends = phase.send_point[fabric.link_src[routed]], phase.receive_point[fabric.link_dst[routed]]
    odd = (ends[0] < 0) | (ends[1] < 0) | (ends[0] != tail[mine]) | (ends[1] != head[mine])
    if odd.any():
        return None, [f"{fabric.link_name(int(routed[np.argmax(odd)]))} does not have the ends of its edge"]
    points = int(max(phase.send_point.max(initial=-1), phase.receive_point.max(initial=-1))) + 1
    owner = np.zeros(points, dtype=np.int64)
    for at in (phase.send_point, phase.receive_point):
        owner[at[at >= 0][::-1]] = np.flatnonzero(at >= 0)[::-1]
    switches = np.flatnonzero(fabric.node_forwards)
    owner[phase.send_point[switches]] = switches
    network = Network(
        fabric=fabric,
        points=points,
        tail=tail,
        head=head,
        capacity_gbps=np.bincount(mine, fabric.capacity_gbps[routed], len(edge)).astype(np.float64),
        weight=fabric.link_weight[first],
        first_link=first,
        members=_members(phase, points),
        name_of_point=owner,
    )
    return network, [*_core(phase), *_single_homed(phase), *_sets(phase, network)]


def _switch_points(phase: PhaseColumns) -> list[str]:
    """Every switch is one point, its own; sets send or receive, never both."""
    switch = np.flatnonzero(phase.fabric.node_forwards)
    own = phase.send_point[switch]
    if (own < 0).any() or (own != phase.receive_point[switch]).any() or len(np.unique(own)) < len(own):
        return ["a switch has no point of its own"]
    sends, receives = _sets_of(phase, phase.send_point), _sets_of(phase, phase.receive_point)
    if np.intersect1d(phase.send_point[sends], phase.receive_point[receives]).size:
        return ["traffic could cross an endpoint: a set of endpoints receives and sends at one point"]
    return []


def _sets_of(phase: PhaseColumns, at: Ints) -> Ints:
    """Endpoints whose point is not a switch."""
    forwards = phase.fabric.node_forwards
    return np.flatnonzero(~forwards & (at >= 0) & ~np.isin(at, at[forwards]))


def _members(phase: PhaseColumns, points: int) -> Ints:
    count = np.zeros(points, dtype=np.int64)
    for at in (phase.send_point, phase.receive_point):
        count += np.bincount(at[_sets_of(phase, at)], minlength=points)
    return count


def _usable(fabric: FabricColumns, *, tail_forwards: bool, head_forwards: bool) -> Bools:
    """Links with capacity between nodes that forward or do not."""
    tail, head = fabric.node_forwards[fabric.link_src], fabric.node_forwards[fabric.link_dst]
    usable: Bools = (fabric.capacity_gbps > 0) & (tail == tail_forwards) & (head == head_forwards)
    return usable


def _core(phase: PhaseColumns) -> list[str]:
    """Links between switches: all of them, each an edge of its own; none between endpoints."""
    fabric, edge_of = phase.fabric, phase.link_edge
    wrong = []
    missing = _usable(fabric, tail_forwards=True, head_forwards=True) & (edge_of < 0)
    if missing.any():
        wrong.append(f"{fabric.link_name(int(np.argmax(missing)))} is up and left out of the routing")
    between = fabric.node_forwards[fabric.link_src] & fabric.node_forwards[fabric.link_dst] & (edge_of >= 0)
    shared = np.bincount(edge_of[between]) > 1
    if shared.any():
        link = int(np.argmax(between & (edge_of == int(np.argmax(shared)))))
        wrong.append(f"{fabric.link_name(link)} shares its edge with another link")
    hosts = ~fabric.node_forwards[fabric.link_src] & ~fabric.node_forwards[fabric.link_dst] & (edge_of >= 0)
    if hosts.any():
        wrong.append(f"{fabric.link_name(int(np.argmax(hosts)))} joins two endpoints and is routed over")
    return wrong


def _single_homed(phase: PhaseColumns) -> list[str]:
    """Endpoints at a switch's point have exactly one link to it, and that is not an edge."""
    fabric = phase.fabric
    for at, near, far, out in (
        (phase.send_point, fabric.link_src, fabric.link_dst, True),
        (phase.receive_point, fabric.link_dst, fabric.link_src, False),
    ):
        single = ~fabric.node_forwards & (at >= 0) & np.isin(at, at[fabric.node_forwards])
        links = np.flatnonzero(_usable(fabric, tail_forwards=not out, head_forwards=out) & single[near])
        wrong = single & (np.bincount(near[links], minlength=len(single)) != 1)
        if wrong.any():
            return [f"{fabric.node_name[int(np.argmax(wrong))]} does not have one access link, but is routed as if"]
        stray = (at[far[links]] != at[near[links]]) | (phase.link_edge[links] >= 0)
        if stray.any():
            return [f"{fabric.link_name(int(links[np.argmax(stray)]))} is not the access link it is taken for"]
    return []


def _sets(phase: PhaseColumns, network: Network) -> list[str]:
    """All links of the members of a set are in edges; each edge has one link of every member, all alike."""
    fabric, edge_of = phase.fabric, phase.link_edge
    for at, near, out in (
        (phase.send_point, fabric.link_src, True),
        (phase.receive_point, fabric.link_dst, False),
    ):
        inside = np.zeros(len(fabric.node_name), dtype=np.bool_)
        inside[_sets_of(phase, at)] = True
        missing = _usable(fabric, tail_forwards=not out, head_forwards=out) & inside[near] & (edge_of < 0)
        if missing.any():
            return [f"{fabric.link_name(int(np.argmax(missing)))} is up and left out of the routing"]
        links = np.flatnonzero(inside[near] & (edge_of >= 0))
        edge, first = edge_of[links], network.first_link[edge_of[links]]
        capacity, weight = fabric.capacity_gbps, fabric.link_weight
        unlike = np.abs(capacity[links] - capacity[first]) > _ALIKE * capacity[first]
        unlike |= weight[links] != weight[first]
        if unlike.any():
            return [f"{fabric.link_name(int(links[np.argmax(unlike)]))} is unlike the other links of its edge"]
        one_each = len(np.unique(edge * len(inside) + near[links])) == len(links)
        size = np.bincount(edge, minlength=len(network.tail))
        wanted = network.members[network.tail if out else network.head]
        short = (size > 0) & (size != wanted)
        if short.any() or not one_each:
            which = int(np.argmax(short)) if short.any() else int(edge[0])
            return [f"the edge of {network.edge_name(which)} does not have one link of every endpoint like it"]
    return []
