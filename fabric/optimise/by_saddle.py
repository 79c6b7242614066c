"""Closing the gap of flat networks: prices against flows first, trees as columns where that comes to a stand."""

from __future__ import annotations

import time

import numpy as np

from fabric.optimise.block_descent import Start
from fabric.optimise.by_trees import improve_by_trees, take_out_detours
from fabric.optimise.carry_over import Begun, carry_over
from fabric.optimise.extract import splits_from_flows
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.saddle import Saddle, find_saddle
from fabric.optimise.trees import TreeNet
from topologies.columns import column

AIM, AIM_ENTRIES = 1e-7, 1_000_000  # relative gap wanted where it costs little: destinations x arcs up to which it does
SHORT_ENTRIES = 200_000  # destinations x arcs up to which detours are taken out by trees
LONG_WORDS = "detours are not taken out: a routing as good with shorter paths may exist"
MOST_ENTRIES = 40_000_000  # destinations x arcs of the routing, 8 bytes each, held three times


def improve_flat(best: Incumbent) -> bool:
    """Improve the routing and the proof of a flat network; returns whether the gap asked for was reached."""
    net = TreeNet.of(best.arcs, best.demand, best.routable)
    if len(net.demand.dest) * len(net.capacity) > MOST_ENTRIES:
        return False
    saddle = improve_by_saddle(best, net)
    if saddle is None or time.monotonic() > best.deadline:
        return best.done
    if best.done:
        if best.options.like is not None:  # its paths are short already
            return True
        if len(net.demand.dest) * len(net.capacity) > SHORT_ENTRIES:
            best.notes.append(LONG_WORDS)
        else:
            short = net.cheapest(net.weight / float(net.weight @ net.capacity))
            take_out_detours(best, net, Start(saddle.flow, saddle.flow, short, saddle.price))
        return True
    trees = net.cheapest(saddle.price)
    improve_by_trees(best, Start(saddle.flow, saddle.flow, trees, saddle.price))
    return best.done


def improve_by_saddle(best: Incumbent, net: TreeNet) -> Saddle | None:
    """Improve the routing and the proof by the method of multipliers; None where there is nothing to route."""
    if not net.gbps.any():
        return None
    best.solver = "first-order"
    best.report("optimal: prices and flows")
    like = best.options.like
    begun = None if like is None else carry_over(like, best.graph, best.arcs, net)
    saddle = _improved(best, net, begun)
    if begun is not None and not best.done and time.monotonic() < best.deadline:
        saddle = _improved(best, net, None)
    return saddle


def _improved(best: Incumbent, net: TreeNet, begun: Begun | None) -> Saddle:
    """Improve the routing and the proof from a start, or from nothing."""
    saddle = find_saddle(
        net,
        gap=best.options.gap,
        aim=min(AIM, best.options.gap) if len(net.demand.dest) * len(net.capacity) <= AIM_ENTRIES else best.options.gap,
        least=best.access,
        known_bound=best.certificate.lower_bound,
        deadline=best.deadline,
        report=lambda theta, bound: best.report("optimal: prices and flows", theta, bound),
        begun=begun,
    )
    arcs = best.arcs
    price = np.zeros(len(arcs.src))
    price[arcs.into.edge] = saddle.price
    best.prove_prices(price[arcs.of_edge])
    row, slot = np.nonzero(saddle.flow > 0)
    used = column(arcs.into.edge[slot], np.int32)
    best.take_splits(
        splits_from_flows(arcs, best.demand, best.routable, column(row, np.int32), used, saddle.flow[row, slot])
    )
    return saddle
