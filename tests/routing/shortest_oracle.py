"""Plain routing over shortest paths: pair by pair and link by link on the topology, next hops from NetworkX."""

from __future__ import annotations

import networkx as nx
import numpy as np
from oracle_fabrics import shortest_links


def by_next_hop(net, steps):
    """For every node its next hops as (neighbour, links), nodes farthest first."""
    order = list(nx.topological_sort(nx.DiGraph(steps.keys())))
    return {node: [(head, links) for (tail, head), links in steps.items() if tail == node] for node in order}


def equal_parts(net, hops, dst):
    return {link: 1.0 for ways in hops.values() for _, links in ways for link in links}


def link_parts(net, hops, dst):
    return {link: net.links.capacity_gbps[link] for ways in hops.values() for _, links in ways for link in links}


def downstream_parts(net, hops, dst):
    """Zhou et al.: nearest first, a neighbour can pass on what its own next hops can; a host's links do not count."""
    passes, parts = {dst: np.inf}, {}
    for node in reversed(list(hops)):
        if node == dst:
            continue
        passes[node] = 0.0
        for head, links in hops[node]:
            width = sum(net.links.capacity_gbps[link] for link in links)
            way = min(width, passes[head])
            passes[node] += np.inf if head == dst and not net.nodes.forwards[dst] else way
            parts |= {link: way * net.links.capacity_gbps[link] / width for link in links}
    return parts


def lowest_parts(net, hops, dst):
    parts = {link: 0.0 for ways in hops.values() for _, links in ways for link in links}
    for node, ways in hops.items():
        if node != dst:
            # Parallel links of a host come in the order of their speeds, others in that of their ids.
            head, links = min(ways)
            access = not (net.nodes.forwards[node] and net.nodes.forwards[head])
            parts[min(links, key=lambda link: (access * net.links.capacity_gbps[link], link))] = 1.0
    return parts


def routed_by(parts_of, case):
    """Offered Gbps per link, and of it what was divided over several next hops before or at the link."""
    loads, spread = np.zeros((2, len(case.net.links)))
    for src, dst, gbps in case.rows:
        steps = shortest_links(case.net, src, dst)
        if steps is None:
            continue
        hops = by_next_hop(case.net, steps)
        parts = parts_of(case.net, hops, dst)
        passing, divided = dict.fromkeys(hops, 0.0) | {src: gbps}, dict.fromkeys(hops, 0.0)
        for node, ways in hops.items():
            links = [(head, link) for head, side in ways for link in side if parts[link] > 0]
            total = sum(parts[link] for _, link in links)
            for head, link in links:
                share = passing[node] * parts[link] / total
                sprayed = share if len(links) > 1 else divided[node]
                loads[link] += share
                spread[link] += sprayed
                passing[head] += share
                divided[head] += sprayed
    return loads, spread
