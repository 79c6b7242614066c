"""Bisection: every named cut of a fabric, tier by tier and half by half, and the narrowest halving found."""

from __future__ import annotations

from dataclasses import dataclass

from topologies.cuts import Halving, TierBoundary, boundaries, endpoint_gbps, halvings
from topologies.halving import Cut, forwarding_graph, narrowest
from topologies.topology import Topology


@dataclass(frozen=True)
class Bisection:
    """Of one fabric, failures left out of account where they took links."""

    endpoint_gbps: float  # what all endpoints send, one direction
    tiers: tuple[TierBoundary, ...]
    halvings: tuple[Halving, ...]  # along the coordinates and groups of networks without levels
    cut: Cut | None  # only where switches of one level are cabled to each other, or hosts forward


def bisection(topology: Topology, *, seed: int = 0) -> Bisection:
    """Cables and Gbps of every boundary between levels or groups and, for networks without levels, of their halvings.

    A boundary's bisection is half its capacity: each half of the endpoints has half of the cables above it, its traffic
    for the other half climbs them once, and descends once on the other side. In networks without levels the least
    halving is hard to find; ours is found by eigenvectors and swaps, so that the truth lies between ``at_least_gbps``
    (Fiedler's bound, λ₂·N/4, where halves of the switches are halves of the endpoints) and ``gbps``.

    References
    ----------
    Fiedler, "Algebraic connectivity of graphs", 1973; Kernighan and Lin, "An efficient heuristic procedure for
    partitioning graphs", 1970.
    """
    nodes, links = topology.nodes, topology.links
    sends = endpoint_gbps(topology)
    tiers = boundaries(topology)
    level = topology.up & (topology.direction == 0) & nodes.forwards[links.src] & nodes.forwards[links.dst]
    if not level.any() and not (nodes.forwards & (nodes.nics > 0)).any():
        return Bisection(sends, tiers, (), None)
    graph = forwarding_graph(topology)
    sides = halvings(topology, graph)
    equal = [side for halving, side in sides if halving.even]
    return Bisection(sends, tiers, tuple(halving for halving, _ in sides), narrowest(topology, graph, seed, equal))
