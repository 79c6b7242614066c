"""Closing the gap of damaged fabrics on the network with one node for each set of switches that are joined alike.

With half of the core's cables down and every pod sending to one other, most links are at the maximum at once, and no
part of the routing can be moved alone. But edge switches whose own links are up are still joined alike: k pods stand
for k²/2 destinations, and prices against flows are quick on such a network.
"""

from __future__ import annotations

from fabric.optimise.folded import Folded
from fabric.optimise.incumbent import Incumbent
from fabric.optimise.saddle import MOST_STALLS, find_saddle
from fabric.routing.router import Splits

UNLIKE = 0.2  # part of the demand by which members of a set may differ: a routing of their mean is no start beyond
FOLDS = 4  # destinations that have to become one, on average
MOST_ENTRIES = 10_000_000  # destinations x arcs of the folded network
MOST_PATIENCE, WORK = 50, 10_000_000  # looks at a gap that stands still; less where updates take longer
SEARCHES = 4  # sweeps with a search between two updates


def improve_by_folding(best: Incumbent, gap: float) -> Splits | None:
    """Splits over arcs from the folded network, and their proof; None where few switches are joined alike.

    The proof is kept where it is better. Splits are optimal where the members of each set send and receive alike;
    elsewhere they may be worse than what is known.
    """
    if best.graph.is_terminal.any():
        return None
    folded = Folded.of(best.arcs, best.demand, best.routable)
    rows = len(folded.net.demand.dest)
    if rows * FOLDS > len(best.demand.dest) or folded.size > MOST_ENTRIES or folded.unlike > UNLIKE:
        return None
    best.report("optimal: prices and flows")
    saddle = find_saddle(
        folded.net,
        gap=gap,
        aim=gap,
        least=best.access,
        known_bound=best.certificate.lower_bound,
        deadline=best.deadline,
        report=lambda _, bound: best.report("optimal: prices and flows", bound=bound),
        patience=max(MOST_STALLS, min(MOST_PATIENCE, WORK // folded.size)),
        searches=SEARCHES,
    )
    best.prove_prices(folded.prices(saddle.price)[best.arcs.of_edge])
    return folded.splits(saddle.flow)
