"""Who loads a link: the pairs whose traffic crosses it, and how much of it.

Pairs of explicit flows are named by their endpoints. All-to-all blocks are summed between the switches their members
hang on, so that a million pairs are a few rows. Rows add up to what the link is offered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fabric.evaluation.crossing import crossing_by_rule, crossing_by_splits
from fabric.result import PhaseRoute, Routed
from fabric.routing.router import ROUTERS, FlowPaths, traits_of
from fabric.routing.tables.decisions import edge_of_links
from fabric.routing.utilisation import descending
from topologies.columns import Floats, Ints, Longs, column
from topologies.errors import RoutingError


@dataclass(frozen=True, eq=False)
class LinkFlows:
    """Rows of pairs, largest first.

    Attributes
    ----------
    code : ndarray, shape (R,)
        Traffic class of each row.
    src, dst : ndarray, shape (R,)
        Topology nodes; of rows that stand for several pairs, the first endpoint of its group.
    pairs : ndarray, shape (R,)
        Pairs of endpoints a row stands for.
    subflows : ndarray, shape (R,)
        Hashed or pinned flows of the row on this link; 0 where traffic divides like a fluid.
    gbps : ndarray, shape (R,)
        What the row offers to this link.
    """

    link: int
    code: Longs
    src: Longs
    dst: Longs
    pairs: Longs
    subflows: Longs
    gbps: Floats
    offered_gbps: float

    def __len__(self) -> int:
        return len(self.gbps)

    @property
    def total_pairs(self) -> int:
        """Pairs of endpoints that cross the link."""
        return int(self.pairs.sum())

    @property
    def total_subflows(self) -> int:
        """Single flows that cross the link; 0 for fluids."""
        return int(self.subflows.sum())


def link_flows(route: PhaseRoute, link: int) -> LinkFlows:
    """Who loads a link of a routed phase.

    Raises
    ------
    RoutingError
        FP9001 where the routing kept no paths: a saved result, router valiant, or more hashed flows than are listed.
    """
    routed = route.routed
    if routed is None:
        raise RoutingError(
            "this result was saved without its paths", code="FP9001", hint="open the scenario itself to see flows"
        )
    parts = _access(route, routed, link)
    if parts is None:
        edge, part = _edge(routed, link)
        parts = (
            []
            if edge < 0
            else _of_paths(routed.routing.paths, routed, edge, part)
            if routed.routing.paths is not None
            else _of_fractions(route, routed, link, edge, part)
        )
    offered = float(route.link_gbps[link].sum())
    return _sorted(link, parts, offered)


@dataclass(frozen=True, eq=False)
class _Part:
    code: int | Longs
    src: Longs
    dst: Longs
    pairs: Longs
    subflows: Longs
    gbps: Floats


def _sorted(link: int, parts: list[_Part], offered: float) -> LinkFlows:
    def joined(name: str, dtype: type) -> np.ndarray:
        found = [np.broadcast_to(getattr(part, name), part.gbps.shape) for part in parts]
        return np.concatenate(found).astype(dtype) if found else np.empty(0, dtype)

    gbps = joined("gbps", np.float64)
    order = descending(gbps)
    order = order[gbps[order] > 0]
    columns = {name: joined(name, np.int64)[order] for name in ("code", "src", "dst", "pairs", "subflows")}
    return LinkFlows(link, **columns, gbps=gbps[order], offered_gbps=offered)


def _edge(routed: Routed, link: int) -> tuple[int, float]:
    """Edge of the graph that a link belongs to, and the part of the edge it is; -1 where it carries nothing."""
    graph = routed.graph
    edge = int(edge_of_links(graph)[link])
    return edge, 1.0 if edge < 0 or graph.link_of[edge] >= 0 else 1.0 / float(graph.class_size[edge])


# ---- access links of single-homed endpoints -----------------------------------------------------------------------


def _access(route: PhaseRoute, routed: Routed, link: int) -> list[_Part] | None:
    """All that an endpoint sends or receives, where the link is its only one; None for other links."""
    node, up, down = routed.graph.single_homed
    for links, sends in ((up, True), (down, False)):
        at = np.flatnonzero(links == link)
        if len(at):
            return _of_endpoint(routed, int(node[at[0]]), sends=sends)
    return None


def _of_endpoint(routed: Routed, endpoint: int, *, sends: bool) -> list[_Part]:
    admitted = _admission(routed)
    parts = []
    for code, traffic in enumerate(routed.pairs):
        flows = traffic.flows
        mine = np.flatnonzero((flows.src if sends else flows.dst) == endpoint)
        if len(mine):
            gbps = flows.amount[mine] * traffic.gbps_per_unit * admitted(flows.src[mine], flows.dst[mine])
            sub = np.full(len(mine), _per_pair(routed, traffic.flows_per_pair))
            ones = np.ones(len(mine), np.int64)
            parts.append(_Part(code, _long(flows.src[mine]), _long(flows.dst[mine]), ones, sub, gbps))
        for block in flows.blocks:
            if endpoint not in block.members:
                continue
            others = np.asarray(block.members)[np.asarray(block.members) != endpoint]
            groups, first, count = np.unique(_group_of(routed, others), return_index=True, return_counts=True)
            me = np.full(len(groups), endpoint)
            ends = (me, others[first]) if sends else (others[first], me)
            gbps = count * block.amount * traffic.gbps_per_unit * admitted(*ends)
            sub = count * _per_pair(routed, traffic.flows_per_pair)
            parts.append(_Part(code, _long(ends[0]), _long(ends[1]), _long(count), _long(sub), gbps))
    return parts


def _per_pair(routed: Routed, flows_per_pair: int) -> int:
    return flows_per_pair if traits_of(routed.routing.router).single_flows else 0


def _group_of(routed: Routed, endpoints: np.ndarray) -> Ints:
    """Where endpoints' traffic leaves the graph."""
    return column(routed.graph.sink[endpoints], np.int32)


def _long(values: Ints | Longs) -> Longs:
    return np.asarray(values, np.int64)


# ---- single flows -------------------------------------------------------------------------------------------------


def _of_paths(paths: FlowPaths, routed: Routed, edge: int, share: float) -> list[_Part]:
    graph = routed.graph
    places = np.flatnonzero(paths.edge == edge)
    path = np.searchsorted(paths.start, places, side="right") - 1
    src = np.where(paths.src_endpoint[path] >= 0, paths.src_endpoint[path], graph.node_of[paths.src[path]])
    dst = np.where(paths.dst_endpoint[path] >= 0, paths.dst_endpoint[path], graph.node_of[paths.dst[path]])
    width = len(graph.topology.nodes)
    key = (_long(paths.code[path]) * width + src) * width + dst
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    gbps = np.bincount(inverse, paths.gbps[path] * share, len(first)).astype(np.float64)
    subflows = np.bincount(inverse, minlength=len(first))
    single = traits_of(routed.routing.router).single_flows
    return [
        _Part(
            _long(paths.code[path][first]),
            _long(src[first]),
            _long(dst[first]),
            np.ones(len(first), np.int64),
            subflows if single else np.zeros(len(first), np.int64),
            gbps,
        )
    ]


# ---- fluids -------------------------------------------------------------------------------------------------------


def _of_fractions(route: PhaseRoute, routed: Routed, link: int, edge: int, share: float) -> list[_Part]:
    graph, demand, routing, traits = routed.graph, routed.demand, routed.routing, traits_of(route.router)
    if routing.splits is not None:
        crossing = crossing_by_splits(graph, demand, routing.splits, edge)
    elif traits.follows_rule and traits.rule is not None:
        crossing = crossing_by_rule(graph, demand, traits.rule, edge)
    else:
        listed = ", ".join(entry.name for entry in ROUTERS if entry.traits.follows_rule)
        raise RoutingError(
            f"router {route.router} does not record paths",
            code="FP9001",
            hint="fewer flows, so that their paths are kept" if traits.single_flows else f"routers that do: {listed}",
        )
    if routing.admitted is not None:
        crossing = crossing * routing.admitted
    chosen = np.flatnonzero(crossing > 0)
    key = _keys(demand.src[chosen], demand.dest_of_entry[chosen], graph.nodes)
    order = np.argsort(key, kind="stable")
    key, part = key[order], crossing[chosen][order]
    member = _member(routed, link)
    parts = []
    for code, traffic in enumerate(routed.pairs):
        flows, unit = traffic.flows, traffic.gbps_per_unit
        found = _parts_of(key, part, _keys(graph.source[flows.src], graph.sink[flows.dst], graph.nodes))
        ends = flows.src if routed.graph.topology.links.src[link] == member else flows.dst
        mine, scale = _of_member(found, member, ends, share)
        gbps = flows.amount[mine] * unit * found[mine] * scale
        none = np.zeros(len(mine), np.int64)
        parts.append(_Part(code, _long(flows.src[mine]), _long(flows.dst[mine]), none + 1, none, gbps))
        for block in flows.blocks:
            parts += _of_block(routed, code, np.asarray(block.members), block.amount * unit, (key, part), share, member)
    return parts


def _keys(src: np.ndarray, dst: np.ndarray, width: int) -> Longs:
    return column(np.asarray(src, np.int64) * width + dst, np.int64)


def _parts_of(key: Longs, part: Floats, wanted: Longs) -> Floats:
    """Part of each wanted pair of graph nodes; 0 for those that do not cross."""
    if not len(key):
        return np.zeros(len(wanted))
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[at] == wanted, part[at], 0.0)


def _member(routed: Routed, link: int) -> int:
    """The endpoint whose own link this is, among several of it; -1 between switches."""
    topology = routed.graph.topology
    for end in (int(topology.links.src[link]), int(topology.links.dst[link])):
        if topology.nodes.nics[end] > 0:
            return end
    return -1


def _of_member(found: Floats, member: int, mine: Ints, share: float) -> tuple[Longs, float]:
    """Rows that cross the link: of a class's access edge, those of the member alone, whole; elsewhere all.

    ``mine`` are the ends of rows on the member's side: their sources where it sends over the link, else their
    destinations. Two members of one class may exchange something, and only one of them does so over this link.
    """
    crossing = found > 0
    if member >= 0 and share < 1:
        return np.flatnonzero(crossing & (mine == member)), 1.0
    return np.flatnonzero(crossing), 1.0


def _of_block(
    routed: Routed,
    code: int,
    members: np.ndarray,
    gbps: float,
    crossing: tuple[Longs, Floats],
    share: float,
    member: int,
) -> list[_Part]:
    """A block of all-to-all, summed between the graph nodes its members are attached to."""
    graph = routed.graph
    key, part = crossing
    source, sink = graph.source[members], graph.sink[members]
    width = graph.nodes
    from_group, first_out, size_out = np.unique(source, return_index=True, return_counts=True)
    to_group, first_in, size_in = np.unique(sink, return_index=True, return_counts=True)
    a, b = np.divmod(key, width)
    i = np.minimum(np.searchsorted(from_group, a), len(from_group) - 1)
    j = np.minimum(np.searchsorted(to_group, b), len(to_group) - 1)
    mine = (from_group[i] == a) & (to_group[j] == b)
    i, j, value = i[mine], j[mine], part[mine]
    pairs = size_out[i].astype(np.int64) * size_in[j]
    overlap = _overlap(source, sink, from_group[i], to_group[j], width)
    pairs = pairs - overlap
    if member >= 0 and share < 1:
        pairs = np.round(pairs * share).astype(np.int64)
    none = np.zeros(len(pairs), np.int64)
    return [_Part(code, _long(members[first_out[i]]), _long(members[first_in[j]]), pairs, none, pairs * gbps * value)]


def _overlap(source: np.ndarray, sink: np.ndarray, a: np.ndarray, b: np.ndarray, width: int) -> Longs:
    """Members in both groups, which send nothing to themselves."""
    key, count = np.unique(_keys(source, sink, width), return_counts=True)
    wanted = _keys(a, b, width)
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[at] == wanted, count[at], 0).astype(np.int64)


def _admission(routed: Routed) -> Callable[[np.ndarray, np.ndarray], Floats]:
    """Part of each pair's demand that an objective admits."""
    admitted = routed.routing.admitted
    graph, demand = routed.graph, routed.demand
    if admitted is None:
        return lambda src, dst: np.ones(len(src))
    key = _keys(demand.src, demand.dest_of_entry, graph.nodes)
    order = np.argsort(key, kind="stable")
    key, part = key[order], admitted[order]
    return lambda src, dst: _parts_or_all(key, part, _keys(graph.source[src], graph.sink[dst], graph.nodes))


def _parts_or_all(key: Longs, part: Floats, wanted: Longs) -> Floats:
    """As ``_parts_of``; pairs that cross no switch link are admitted whole."""
    if not len(key):
        return np.ones(len(wanted))
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[at] == wanted, part[at], 1.0)
