"""NetworkX graphs in and out: an adapter at the edge, not the storage.

``to_networkx`` writes every column as an attribute, and ``from_networkx`` reads them back, so that the round trip keeps
the topology exactly. Graphs from elsewhere need only ``capacity_gbps`` on every edge.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from topologies.columns import Ints
from topologies.errors import Problem, TopologyError
from topologies.reading.text_input import MAX_PROBLEMS, shown
from topologies.tables import ENDPOINT_ROLES, ROUTER, pair_directions, role_level, topology_of_tables
from topologies.topology import Topology

_NODE_NUMBERS = ("level", "pod", "unit", "rail", "plane", "radix", "nics", "forwards")
_LINK_NUMBERS = ("capacity_gbps", "weight", "length_m", "delay_us", "src_ports")


def to_networkx(topology: Topology) -> Any:
    """The topology as an ``nx.MultiDiGraph``: one node per node, one edge per directed link.

    Node attributes are ``role`` and the node columns; edge attributes are ``tier``, ``up`` and the link columns. The
    key of an edge is the link id, and ``reverse`` the key of the other direction of the same cable (-1: one-way).
    Capacities are those of links that are up, also on links that are down: look at ``up``.
    """
    import networkx as nx

    graph = nx.MultiDiGraph(
        name=topology.name, kind=topology.kind, roles=list(topology.roles), tiers=list(topology.tiers)
    )
    nodes, links = topology.nodes, topology.links
    words = [topology.roles[code] for code in nodes.role.tolist()]
    columns = [getattr(nodes, key).tolist() for key in _NODE_NUMBERS]
    for name, role, *values in zip(nodes.name, words, *columns, strict=True):
        graph.add_node(name, role=role, **dict(zip(_NODE_NUMBERS, values, strict=True)))
    keys = (*_LINK_NUMBERS, "reverse", "tier", "up")
    values_of = [getattr(links, key).tolist() for key in (*_LINK_NUMBERS, "reverse")]
    values_of += [[topology.tiers[code] for code in links.tier.tolist()], topology.up.tolist()]
    src, dst = links.src.tolist(), links.dst.tolist()
    graph.add_edges_from(
        (nodes.name[tail], nodes.name[head], link, dict(zip(keys, values, strict=True)))
        for link, (tail, head, *values) in enumerate(zip(src, dst, *values_of, strict=True))
    )
    return graph


def from_networkx(graph: Any, *, name: str, kind: str = "networkx") -> Topology:
    """A topology from any NetworkX graph.

    Parameters
    ----------
    graph : nx.Graph, nx.DiGraph, nx.MultiGraph or nx.MultiDiGraph
        Every edge needs ``capacity_gbps`` (Gbps, one direction). An undirected edge is a full-duplex cable; directed
        edges are paired with their reverse where there is one, and are one-way links otherwise. Optional on nodes:
        ``role`` ("router"), ``level`` (by role), ``nics`` (1: demand may start here), ``forwards`` (true, except for
        the roles host and nic), ``pod``, ``unit``, ``rail``, ``plane``, ``radix``; on edges: ``weight`` (1), ``tier``
        (by roles), ``length_m``, ``delay_us``, ``src_ports`` (1), ``up`` (true).

    Raises
    ------
    TopologyError
        For missing capacities and attributes of the wrong type, naming the node or edge; up to 20 at once.

    Examples
    --------
    >>> import networkx as nx
    >>> graph = nx.Graph()
    >>> graph.add_edge("a", "b", capacity_gbps=100)
    >>> net = from_networkx(graph, name="two")
    >>> [net.link_name(link) for link in range(len(net.links))]
    ['a -> b', 'b -> a']
    """
    problems: list[Problem] = []
    nodes = [(str(node), data) for node, data in graph.nodes(data=True)]
    ids = {node: row for row, node in enumerate(graph.nodes)}
    roles = [str(data.get("role", ROUTER)) for _, data in nodes]
    numbers = {
        "level": _column(nodes, "level", [role_level(role) for role in roles], _whole, problems),
        "forwards": _column(nodes, "forwards", [role not in ENDPOINT_ROLES for role in roles], _flag, problems),
        "nics": _column(nodes, "nics", 1, _whole, problems),
        "radix": _column(nodes, "radix", 0, _whole, problems),
        **{key: _column(nodes, key, -1, _whole, problems) for key in ("pod", "unit", "rail", "plane")},
    }

    arcs = _arcs(graph, ids)
    named = [(f"edge {tail!s} -> {head!s}", data) for tail, head, _, data in arcs]
    if not graph.is_directed():  # both directions share their attributes, and a problem is reported once
        named = [named[row - row % 2] for row in range(len(named))]
    links: dict[str, Any] = {
        "src": np.asarray([ids[tail] for tail, _, _, _ in arcs], dtype=np.int32),
        "dst": np.asarray([ids[head] for _, head, _, _ in arcs], dtype=np.int32),
        "capacity_gbps": _column(named, "capacity_gbps", None, _real, problems),
        "weight": _column(named, "weight", 1.0, _real, problems),
        "src_ports": _column(named, "src_ports", 1.0, _finite, problems),
        "length_m": _column(named, "length_m", math.nan, _real, problems),
        "delay_us": _column(named, "delay_us", math.nan, _real, problems),
    }
    up = _column(named, "up", True, _flag, problems)
    for tail, head, _, _ in arcs:
        if tail == head:
            problems.append(Problem(f"node {tail!s} has an edge to itself", code="FP3014", hint="remove the edge"))
    if problems:
        raise TopologyError(list(dict.fromkeys(problems))[:MAX_PROBLEMS])
    return topology_of_tables(
        name,
        kind,
        names=[node for node, _ in nodes],
        roles=roles,
        nodes=numbers,
        links=links,
        tiers=[None if data.get("tier") is None else str(data["tier"]) for _, _, _, data in arcs],
        reverse=_reverse(graph, arcs, links["src"], links["dst"]),
        up=up,
        known_roles=_table(graph, "roles"),
        known_tiers=_table(graph, "tiers"),
    )


def _arcs(graph: Any, ids: Mapping[Any, int]) -> list[tuple[Any, Any, Any, Mapping[str, Any]]]:
    """Directed edges as (tail, head, key, attributes), link ids in order when the keys are such."""
    if graph.is_multigraph():
        edges = [(tail, head, key, data) for tail, head, key, data in graph.edges(keys=True, data=True)]
    else:
        edges = [(tail, head, None, data) for tail, head, data in graph.edges(data=True)]
    if not graph.is_directed():
        return [arc for tail, head, key, data in edges for arc in ((tail, head, key, data), (head, tail, key, data))]
    keys = [key for _, _, key, _ in edges]
    if all(type(key) is int for key in keys) and len(set(keys)) == len(keys):
        edges.sort(key=lambda edge: edge[2])
    return edges


def _reverse(graph: Any, arcs: list[tuple[Any, Any, Any, Mapping[str, Any]]], src: Ints, dst: Ints) -> Any:
    """Row of the other direction of each cable: as the edges say (``reverse``), else by pairing."""
    count = len(arcs)
    if not graph.is_directed():
        return np.arange(count, dtype=np.int32) ^ 1
    rows = {key: row for row, (_, _, key, _) in enumerate(arcs)}
    if len(rows) != count or any("reverse" not in data for _, _, _, data in arcs):
        return pair_directions(src, dst)
    # Edges may have been taken out of the graph since: what has lost its other direction is one-way.
    mate = np.asarray([rows.get(data["reverse"], -1) for _, _, _, data in arcs], dtype=np.int32)
    mutual = (mate >= 0) & (mate[mate] == np.arange(count)) & (src == dst[mate]) & (dst == src[mate])
    return np.where(mutual, mate, -1)


def _column(
    rows: Iterable[tuple[str, Mapping[str, Any]]],
    key: str,
    default: Any,
    parse: Callable[[Any], Any],
    problems: list[Problem],
) -> list[Any]:
    """One attribute of all nodes or edges; ``default`` is a scalar, a list, or None where there must be a value."""
    values = []
    for row, (what, data) in enumerate(rows):
        value = data.get(key)
        if value is None and default is not None:
            values.append(default[row] if isinstance(default, list) else default)
            continue
        parsed = None if value is None else parse(value)
        if value is None:
            hint = f"set the attribute {key} on every edge, in Gbps for one direction"
            problems.append(Problem(f"{what} has no {key}", code="FP3103", hint=hint))
        elif parsed is None:
            wanted = "true or false" if parse is _flag else "a whole number" if parse is _whole else "a number"
            message = f"{what} has {key} {shown(value)}, which is not {wanted}"
            problems.append(Problem(message, code="FP3103", hint=f"write {key} as {wanted}, or leave it out"))
        values.append(0 if parsed is None else parsed)
    return values


def _real(value: Any) -> float | None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        return None
    return float(value)


def _finite(value: Any) -> float | None:
    number = _real(value)
    return number if number is not None and math.isfinite(number) else None


def _whole(value: Any) -> int | None:
    number = _real(value)
    limit = np.iinfo(np.int32)
    return int(number) if number is not None and number.is_integer() and limit.min <= number <= limit.max else None


def _flag(value: Any) -> bool | None:
    return bool(value) if isinstance(value, (bool, np.bool_)) else None


def _table(graph: Any, key: str) -> tuple[str, ...]:
    """Codes in the order the graph's maker gave them, so that the round trip keeps them."""
    words = graph.graph.get(key, ())
    return tuple(words) if isinstance(words, (list, tuple)) and all(isinstance(word, str) for word in words) else ()
