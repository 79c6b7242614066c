"""``ibsim``: a net file for the InfiniBand simulator; write only (``ibnetdiscover`` reads what it simulates).

Endpoints are adapters, nodes that forward are switches with as many ports as they have (or use). Links that are down
are left out. The simulator knows link speeds up to QDR only, so that none are written.

References
----------
ibsim, "net-examples/examples.README".
"""

from __future__ import annotations

from pathlib import Path

from topologies.format_registry import TopologyFormat, cannot_say
from topologies.topology import Topology

GUIDS = 0x02FA_B000_0000_0000


def write(topology: Topology, path: Path) -> None:
    """Write a net file.

    Raises
    ------
    FormatError
        When a name has a quote, a link has no other direction, or an endpoint forwards.
    """
    nodes, links = topology.nodes, topology.links
    if (nodes.forwards & (nodes.nics > 0)).any():
        raise cannot_say("ibsim", "hosts or routers that forward: an adapter does not")
    if (links.reverse < 0).any():
        raise cannot_say("ibsim", "a link in one direction only")
    bad = next((name for name in nodes.name if '"' in name or "\n" in name), None)
    if bad is not None:
        raise cannot_say("ibsim", f"the name {bad!r} with its quote")
    port = topology.src_port + 1
    used = topology.ports_used
    by_node: list[list[int]] = [[] for _ in nodes.name]
    for link in topology.up.nonzero()[0].tolist():
        by_node[int(links.src[link])].append(link)
    with path.open("w", encoding="utf-8") as file:
        for node, name in enumerate(nodes.name):
            if not by_node[node] and not nodes.forwards[node]:
                continue
            switch = bool(nodes.forwards[node])
            kind, key = ("Switch", "switchguid") if switch else ("Hca", "caguid")
            ports = max(int(nodes.radix[node]), round(float(used[node])), int(port[by_node[node]].max(initial=1)))
            file.write(f'{key}={GUIDS | 2 * node:#x}\n{kind} {ports} "{name}"\n')
            for link in by_node[node]:
                far, back = int(links.dst[link]), int(links.reverse[link])
                file.write(f'[{int(port[link])}] "{nodes.name[far]}"[{int(port[back])}]\n')
            file.write("\n")


SUMMARY = "Net file of the InfiniBand simulator; write only"
FORMAT = TopologyFormat("ibsim", (), None, write)
