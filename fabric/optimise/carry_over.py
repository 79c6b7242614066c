"""The routing of a like network as a start: what is left of its splits and prices after links fail or demand changes.

Switches and links of both networks are numbered alike, as those of a topology and of the same topology with links down.
Every switch divides what it sends on over the links that are left as before; what has none follows the cheapest path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.optimise.arcs import Arcs
from fabric.optimise.trees import Slots, TreeNet
from fabric.routing.compiled import compiled
from fabric.routing.graph import DemandRows, RoutingGraph
from fabric.routing.router import LikeRouting
from topologies.columns import Floats, Ints, Longs, column

SHORT = 1e-9  # price of length beside the prices carried over, of their mean: of equally cheap paths a short one goes


@dataclass(frozen=True, eq=False)
class Begun:
    """A routing and prices to begin with, and what they prove."""

    flow: Floats  # shape (D, A), Gbps by destination and slot
    price: Floats  # shape (A,), by slot, Σ capacity x price = 1
    bound: float  # that the prices prove


def carry_over(like: LikeRouting, graph: RoutingGraph, arcs: Arcs, net: TreeNet) -> Begun | None:
    """Flows and prices of ``net``, the arcs of ``graph``, from a like network; None where its links have no price."""
    into = arcs.into.edge
    place = np.empty(len(into), dtype=np.int32)  # slot of every arc
    place[into] = np.arange(len(into), dtype=np.int32)
    links = max(int(graph.link_of.max(initial=-1)), int(like.graph.link_of.max(initial=-1))) + 1
    slot_of_link = np.full(links + 1, -1, dtype=np.int32)  # the last is for what is no link between switches
    between = graph.link_of >= 0
    slot_of_link[graph.link_of[between]] = place[arcs.of_edge[between]]
    slot = slot_of_link[like.graph.link_of]
    price = np.zeros(len(into))
    here = slot >= 0
    price[slot[here]] = like.price[here]
    worth = float(price @ net.capacity)
    if worth <= 0:
        return None
    price = price / worth + SHORT * net.weight / float(net.weight @ net.capacity)
    price /= float(price @ net.capacity)
    trees = net.cheapest(price)
    switches = int((~graph.is_terminal).sum())
    row_of_node = np.full(max(graph.nodes, like.graph.nodes), -1, dtype=np.int32)
    to_switch = like.dest < int((~like.graph.is_terminal).sum())
    row_of_node[like.dest[to_switch]] = np.flatnonzero(to_switch)
    known = np.where(net.demand.dest < switches, row_of_node[net.demand.dest], -1)
    flow = np.zeros((len(net.demand.dest), len(into)))
    splits = like.splits
    _divide(
        net.slots, net.demand.rows, net.gbps, trees.onward, column(known, np.int32), splits.start,
        column(slot[splits.edge], np.int32), column(like.graph.src[splits.edge], np.int32), splits.fraction, flow,
    )  # fmt: skip
    return Begun(flow, price, float(trees.paid.sum()))


@compiled
def _divide(
    slots: Slots,
    demand: DemandRows,
    gbps: Floats,
    onward: Ints,
    known: Ints,
    start: Longs,
    slot: Ints,
    tail: Ints,
    fraction: Floats,
    flow: Floats,
) -> None:
    """Send every destination's demand along the known fractions, and along ``onward`` (D, V) where there are none.

    Row r is known by the entries ``start[known[r]]:start[known[r] + 1]``, sources in topological order; their ``slot``
    is -1 where the link is gone. ``flow`` (D, A) starts at 0.
    """
    head = slots.head
    amount = np.empty(len(slots.start) - 1)
    for row in range(len(demand.dest)):
        dest, towards, carried = demand.dest[row], onward[row], flow[row]
        amount[:] = 0.0
        for entry in range(demand.start[row], demand.start[row + 1]):
            amount[demand.src[entry]] += gbps[entry]
        amount[dest] = 0.0
        at = start[known[row]] if known[row] >= 0 else 0
        last = start[known[row] + 1] if known[row] >= 0 else 0
        while at < last:
            node, end, left = tail[at], at, 0.0
            while end < last and tail[end] == node:
                on = slot[end]
                if on >= 0 and (head[on] == dest or towards[head[on]] >= 0):
                    left += fraction[end]
                end += 1
            if left > 0.0 and amount[node] > 0.0:
                for entry in range(at, end):
                    on = slot[entry]
                    if on >= 0 and (head[on] == dest or towards[head[on]] >= 0):
                        part = amount[node] * fraction[entry] / left
                        carried[on] += part
                        amount[head[on]] += part
                amount[node] = 0.0
                amount[dest] = 0.0
            at = end
        for node in range(len(amount)):
            if amount[node] > 0.0:
                on = node
                while on != dest:
                    carried[towards[on]] += amount[node]
                    on = head[towards[on]]
