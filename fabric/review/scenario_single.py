"""Single points of failure: switches and cables that parts of a fabric hang on, hosts on one switch, shared feeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from fabric.pipeline.host_parts import HostsOfFabric
from fabric.pipeline.network import Network
from fabric.review.finding import Finding
from topologies.oversubscription import plural
from topologies.topology import Topology

_NAMED = 3
_MOST_GROUPS = 256


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


def cut_findings(fabric: str, topology: Topology) -> Iterator[Finding]:
    """Switches and cables whose loss parts switches from each other."""
    import networkx as nx

    graph, cables = _switch_graph(topology)
    parts = nx.number_connected_components(graph) if len(graph) else 0
    if parts > 1:
        sizes = sorted((len(each) for each in nx.connected_components(graph)), reverse=True)
        text = f"{parts:,} parts of {_sizes(sizes)} switches do not reach each other"
        fix = "right for rails and planes that are kept apart; else cables between them"
        yield Finding("note", "reach", "parts", text, (), fix, fabric)
    by_role: dict[str, list[str]] = {}
    for node in sorted(nx.articulation_points(graph)):
        by_role.setdefault(topology.roles[topology.nodes.role[node]], []).append(topology.nodes.name[node])
    for role, names in by_role.items():
        if len(names) == 1:
            text = f"{names[0]} is a single point of failure: without it switches do not reach each other"
        else:
            text = f"each of {len(names):,} {plural(role)} is a single point of failure: {_names(names)}"
        yield Finding("warning", "single-point", role, text, (), f"a second {role} with the same cables", fabric)
    bridges = [pair for pair in nx.bridges(graph) if cables[min(pair), max(pair)] == 1]
    if bridges:
        named = [f"{topology.nodes.name[min(pair)]} - {topology.nodes.name[max(pair)]}" for pair in sorted(bridges)]
        text = f"{len(bridges):,} cables between switches part the fabric when they fail: {_names(named)}"
        yield Finding("warning", "single-point", "cables", text, (), "a second cable, to another switch", fabric)


def _sizes(sizes: Sequence[int]) -> str:
    if sizes[0] == sizes[-1]:
        return f"{sizes[0]:,}"
    return f"{sizes[-1]:,} to {sizes[0]:,}"


def _switch_graph(topology: Topology) -> tuple[Any, dict[tuple[int, int], int]]:
    """Switches joined where a cable that is up joins them, and how many cables join each pair."""
    import networkx as nx

    links = topology.links
    rows = np.flatnonzero(
        topology.is_cable & topology.up & topology.nodes.forwards[links.src] & topology.nodes.forwards[links.dst]
    )
    low = np.minimum(links.src[rows], links.dst[rows])
    high = np.maximum(links.src[rows], links.dst[rows])
    pairs, counts = np.unique(np.stack([low, high], axis=1), axis=0, return_counts=True)
    graph = nx.Graph()
    graph.add_nodes_from(np.flatnonzero(topology.is_switch).tolist())
    graph.add_edges_from(map(tuple, pairs.tolist()))
    return graph, {(a, b): count for (a, b), count in zip(pairs.tolist(), counts.tolist(), strict=True)}


def host_findings(fabric: str, topology: Topology, hosts: HostsOfFabric) -> Iterator[Finding]:
    """Hosts with all their links to one switch."""
    nodes = hosts.nodes
    of_node = np.full(len(topology.nodes), -1)
    for number, members in enumerate(nodes.values()):
        of_node[list(members)] = number
    links = topology.links
    rows = np.flatnonzero((of_node[links.src] >= 0) & topology.nodes.forwards[links.dst] & topology.up)
    pairs = np.unique(np.stack([of_node[links.src[rows]], links.dst[rows]], axis=1), axis=0)
    if not len(pairs):
        return
    switches = np.bincount(pairs[:, 0], minlength=len(nodes))
    single = np.flatnonzero(switches == 1)
    if not len(single):
        return
    lonely = pairs[np.isin(pairs[:, 0], single)]
    per_switch = np.bincount(lonely[:, 1], minlength=len(topology.nodes))
    worst = int(per_switch.argmax())
    share = f"all {len(nodes):,}" if len(single) == len(nodes) else f"{len(single):,} of {len(nodes):,}"
    text = (
        f"{share} hosts have all links on one switch: {topology.nodes.name[worst]} takes {int(per_switch[worst]):,} "
        "hosts with it"
    )
    fix = "links to two switches (dual_home, rails, planes), or jobs that restart without them"
    yield Finding("note", "single-point", "hosts", text, (), fix, fabric)


def group_findings(network: Network) -> Iterator[Finding]:
    """Racks and shared-risk groups that take all switches of a role, or part what is left."""
    from fabric.failures.part_finder import PartFinder
    from fabric.scenario.failure_schema import RISK_KINDS, PartKind

    finder = PartFinder(network)
    for kind in RISK_KINDS:
        for part in finder.of_kind(cast(PartKind, kind))[:_MOST_GROUPS]:
            for fabric, dead in part.links.items():
                topology = network.topologies[fabric]
                lost = _roles_lost(topology, dead)
                if lost:
                    roles = " and ".join(f"all {plural(role)}" for role in lost)
                    text = f"{kind} {part.name} takes {roles} of {fabric} with it"
                    fix = f"{plural(lost[0])} on two of them"
                    yield Finding("warning", "single-point", part.name, text, (), fix, fabric)


def _roles_lost(topology: Topology, dead: np.ndarray) -> list[str]:
    """Roles of which every switch has lost every link."""
    alive = topology.up.copy()
    alive[dead] = False
    before = np.bincount(topology.links.src[topology.up], minlength=len(topology.nodes))
    after = np.bincount(topology.links.src[alive], minlength=len(topology.nodes))
    lost = []
    for code, role in enumerate(topology.roles):
        members = (topology.nodes.role == code) & topology.is_switch & (before > 0)
        if members.any() and not (after[members] > 0).any():
            lost.append(role)
    return lost
