"""The best any routing can do, with a proof; objectives are the files of ``fabric.optimise.objectives``."""

from __future__ import annotations

import importlib

from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, Routing, RoutingOptions
from topologies.registry import Injected


@ROUTERS.register("optimal", example={})
def optimal(graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]) -> Routing:
    """Multicommodity flow by OR-Tools: least maximum utilisation, or another objective, certified."""
    module = importlib.import_module(f"fabric.optimise.objectives.{options.objective.replace('-', '_')}")
    routing: Routing = module.solve(graph, demand, options)
    return routing
