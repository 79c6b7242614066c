"""Valiant load balancing: all traffic goes over an intermediate switch, every one of them alike.

Traffic from s to d is divided evenly over the switches i that s reaches and that reach d; it takes shortest paths from
s to i and from i to d, split equally at every hop as ``ecmp`` does. Intermediates are the switches of the highest level
in layered fabrics, all switches of flat ones, s and d among them. Whatever the demand, the fabric sees it as uniform,
at the price of longer paths; what crosses a link on both legs counts twice. Traffic inside one switch stays there,
traffic inside a pod does not. Pairs without an intermediate in common take their shortest paths.

A packet has to carry where it is to turn (a tunnel or a tag), so this is not a split by destination, and is not
exported.

References
----------
Valiant, Brebner, "Universal schemes for parallel communication", STOC 1981; Zhang-Shen, McKeown, "Designing a
predictable Internet backbone with Valiant load-balancing", IWQoS 2005.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fabric.routing.adjacency import Adjacency
from fabric.routing.compiled import compiled
from fabric.routing.equal_split import ecmp_loads
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.kernels import hop_order
from fabric.routing.router import ROUTERS, Routing
from fabric.routing.traits import RouterTraits
from topologies.columns import Bools, Floats, Ints, Longs, column
from topologies.registry import Injected


@compiled
def _divide(
    source: Longs, sink: Longs, gbps: Floats, reached: Bools, reaching: Bools, out: Floats, back: Floats, ways: Longs
) -> None:
    """Divide every entry over the intermediates common to both its ends.

    ``source`` and ``sink`` are rows of ``reached`` (S, I) and ``reaching`` (D, I); the legs ``out`` (I, S, C) and
    ``back`` (D, I, C) grow by the entry's parts, ``ways`` says over how many.
    """
    for entry in range(len(source)):
        mine, yours = reached[source[entry]], reaching[sink[entry]]
        ways[entry] = (mine & yours).sum()
        for middle in range(len(mine)):
            if mine[middle] and yours[middle]:
                for code in range(gbps.shape[1]):
                    part = gbps[entry, code] / ways[entry]
                    out[middle, source[entry], code] += part
                    back[sink[entry], middle, code] += part


@dataclass(frozen=True, eq=False)
class _Legs:
    """What every source sends to every intermediate, and every intermediate to every destination."""

    sources: Ints  # shape (S,), graph nodes
    sinks: Ints  # shape (D,)
    middle: Ints  # shape (I,)
    out_gbps: Floats  # shape (I, S, C)
    back_gbps: Floats  # shape (D, I, C)
    ways: Longs  # shape (nnz,), intermediates of every entry of the demand


@ROUTERS.register(
    "valiant",
    example={},
    traits=RouterTraits(
        placement="fluid",
        not_programmable="chooses paths by source, as a packet names the switch it turns at; a table that looks at "
        "destinations cannot carry it",
        way_out="router optimal spreads this demand by destination",
    ),
)
def valiant(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand]) -> Routing:
    """Over every top-level switch alike, whatever the demand (two-phase load balancing, fluid)."""
    legs = _legs(graph, demand)
    out, _ = ecmp_loads(graph, _dense_demand(demand, legs.middle, legs.sources, legs.out_gbps))
    back, _ = ecmp_loads(graph, _dense_demand(demand, legs.sinks, legs.middle, legs.back_gbps))
    loads, unreachable = out + back, np.zeros(len(demand.src), dtype=np.bool_)
    notes = [f"over {len(legs.middle):,} intermediate switches"]
    alone = legs.ways == 0
    if alone.any():
        straight, unreachable = ecmp_loads(graph, replace(demand, gbps=np.where(alone[:, None], demand.gbps, 0.0)))
        loads = loads + straight
        count = int((alone & ~unreachable).sum())
        notes += [f"pairs of switches without one in common, on their shortest paths: {count:,}"] if count else []
    return Routing("valiant", loads, unreachable, notes=tuple(notes), via=legs.middle)


def _intermediates(graph: RoutingGraph) -> Ints:
    """Switches of the highest level; where all stand on one level, all switches."""
    level = np.where(graph.is_terminal, -1, graph.topology.nodes.level[graph.node_of])
    return column(np.flatnonzero(~graph.is_terminal & (level == level.max(initial=0))), np.int32)


def _legs(graph: RoutingGraph, demand: PhaseDemand) -> _Legs:
    """Divide the demand over intermediates; by sums when all serve all, else entry by entry."""
    middle, classes = _intermediates(graph), demand.gbps.shape[1]
    sources, source = np.unique(demand.src, return_inverse=True)
    # Searching against the links finds who reaches a switch, along them whom it reaches.
    reached = _found(graph.into, graph.src, middle, sources)
    reaching = _found(graph.out, graph.dst, middle, demand.dest)
    out = np.zeros((len(middle), len(sources), classes))
    back = np.zeros((len(demand.dest), len(middle), classes))
    ways = np.full(len(demand.src), len(middle), dtype=np.int64)
    if not (reached.all() and reaching.all()):
        _divide(source.astype(np.int64), demand.row_of_entry, demand.gbps, reached, reaching, out, back, ways)
    elif len(middle):
        for code in range(classes):
            out[:, :, code] = np.bincount(source, demand.gbps[:, code], len(sources)) / len(middle)
            received = np.bincount(demand.row_of_entry, demand.gbps[:, code], len(demand.dest)) / len(middle)
            back[:, :, code] = received[:, None]
    return _Legs(column(sources, np.int32), demand.dest, middle, out, back, ways)


def _found(by: Adjacency, far: Ints, roots: Ints, wanted: Ints) -> Bools:
    """Which of the ``wanted`` nodes a search from every root finds, shape (wanted, roots)."""
    nodes, ends = len(by.start) - 1, far[by.edge]
    distance, order = np.empty(nodes), np.empty(nodes, dtype=np.int64)
    found = np.zeros((len(wanted), len(roots)), dtype=np.bool_)
    for at, root in enumerate(roots.tolist()):
        hop_order(root, by.start, ends, distance, order)
        found[:, at] = np.isfinite(distance[wanted])
    return found


def _dense_demand(demand: PhaseDemand, dest: Ints, src: Ints, gbps: Floats) -> PhaseDemand:
    """Demand of one leg from a table (dest, src, class); what would go from a node to itself is there already."""
    some = (gbps > 0).any(axis=2) & (dest[:, None] != src[None, :])
    row, place = np.nonzero(some)
    start = np.concatenate([[0], np.cumsum(some.sum(axis=1))])
    return replace(
        demand,
        dest=dest,
        start=column(start, np.int32),
        src=column(src[place], np.int32),
        gbps=column(gbps[row, place], np.float64),
    )
