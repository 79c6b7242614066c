"""WCMP as a fluid: every switch splits over its shortest next hops in proportion to capacity towards the destination.

What behind a neighbour can pass to the destination is the lesser of the links to it and of its own next hops together
(``fabric.routing.shortest_splits``, rule ``downstream-capacity``). On an even fabric this is ``ecmp``; where links have
failed or differ in speed, switches with less behind them get less. A switch counts capacity that others share with it
in full, so that a failure two tiers away is seen only when it leaves less than the link towards it. Weights are exact:
what rounding them to a switch's table costs is not in it.
"""

from __future__ import annotations

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, Routing
from fabric.routing.shortest_splits import MOST_SPLITS, shortest_loads, shortest_splits
from fabric.routing.traits import RouterTraits
from topologies.registry import Injected


@ROUTERS.register(
    "wcmp",
    example={},
    traits=RouterTraits(placement="fluid", rule="downstream-capacity", compared=2, stage="weights", suggested=2),
)
def wcmp(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand]) -> Routing:
    """Split over shortest next hops in proportion to capacity towards the destination (fluid).

    References
    ----------
    Zhou et al., "WCMP: weighted cost multipathing for improved fairness in data centers", EuroSys 2014.
    """
    loads, unreachable, used = shortest_loads(graph, demand, "downstream-capacity")
    rows = int(used.sum())
    if rows > MOST_SPLITS:
        note = f"weights of {rows:,} next hops are worked out when they are exported"
        return Routing("wcmp", loads, unreachable, notes=(note,))
    splits = shortest_splits(graph, demand, "downstream-capacity", used=used)
    return Routing("wcmp", loads, unreachable, splits=splits)
