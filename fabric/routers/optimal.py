"""The best any routing can do, with a proof; objectives are the files of ``fabric.optimise.objectives``."""

from __future__ import annotations

from fabric.optimise.objective import OBJECTIVES
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, Routing, RoutingOptions
from fabric.routing.traits import RouterTraits
from topologies.registry import Injected


@ROUTERS.register(
    "optimal",
    example={},
    traits=RouterTraits(
        placement="fluid",
        rule="equal",  # towards destinations without demand, and where equal splits are proven optimal
        tables_from_splits=True,
        compared=1,
        stage="optimum",
        suggested=3,
        slow=True,
        takes_objective=True,
    ),
)
def optimal(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]) -> Routing:
    """Multicommodity flow by OR-Tools: least maximum utilisation, or another objective, certified."""
    return OBJECTIVES[options.objective]({}, graph=graph, demand=demand, options=options)
