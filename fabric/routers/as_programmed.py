"""The base router as switches carry it: weights rounded to what their groups hold, realised as the carrier does.

Open vSwitch distributes the buckets of a group into 16 to 256 hash slots, so twelve equal uplinks or a split of 30:70
are not quite that; switches with small tables get coarser groups. The fluid of the base router is quantised decision by
decision (``fabric.routing.tables.programme``) and walked again. Only the destinations of endpoints that take part count
towards table sizes here; an export has all.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fabric.routing.destination_flows import flows_by_destination
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, DestinationFlows, Routing, RoutingOptions, places_flows, traits_of
from fabric.routing.table_options import TableOptions
from fabric.routing.traits import RouterTraits
from topologies.columns import column
from topologies.errors import RoutingError
from topologies.registry import Injected
from topologies.units import percent

if TYPE_CHECKING:
    from fabric.routing.tables.programme import Programme


@ROUTERS.register(
    "as-programmed",
    example={},
    traits=RouterTraits(
        placement="fluid",
        ties="number",
        takes_base=True,
        not_programmable="says what the tables of the scenario's router do, and has none of its own",
        way_out="export under the router that the scenario names",
        options=("objective", "paths", "k_paths", "hash", "spray_efficiency", "target_utilisation"),  # as that router
    ),
)
def as_programmed(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]
) -> Routing:
    """The scenario's router with the weights that switches are programmed with."""
    from fabric.routing.tables.walk import walk

    base = traits_of(options.tables.base).mean_router or options.tables.base
    if base == "as-programmed" or places_flows(base):
        raise RoutingError(
            f"router {base} has nothing that weights would round",
            hint="its loads as programmed are those of its plan",
            code="FP5032",
        )
    planned = ROUTERS[base]({}, graph=graph, demand=demand, options=options)
    made = _programmed(base, graph, demand, planned, options.tables)
    admitted = demand if planned.admitted is None else _scaled(demand, planned.admitted)
    found = walk(made.decisions, made.part, admitted)
    note = f"{base} as programmed: buckets carry at most {percent(made.oversubscription - 1)} more than planned"
    return Routing(
        "as-programmed",
        found.edge_gbps,
        planned.unreachable,
        solver=planned.solver,
        partial=planned.partial,
        notes=(note, *planned.notes),
        admitted=planned.admitted,
        usable=planned.usable,
        flows=partial(_by_destination, base, graph, demand, planned, options.tables),
    )


def _programmed(
    base: str, graph: RoutingGraph, demand: PhaseDemand, planned: Routing, options: TableOptions
) -> Programme:
    from fabric.routing.tables.programme import programme
    from fabric.routing.tables.table_decisions import table_decisions

    return programme(table_decisions(base, graph, demand, planned), options)


def _by_destination(
    base: str, graph: RoutingGraph, demand: PhaseDemand, planned: Routing, options: TableOptions
) -> DestinationFlows | None:
    """Loads by destination, of tables programmed once more: they may be too large to keep."""
    from fabric.routing.tables.walk import walk_adder

    made = _programmed(base, graph, demand, planned, options)
    admitted = demand if planned.admitted is None else _scaled(demand, planned.admitted)
    add = walk_adder(made.decisions, made.part, admitted)
    return flows_by_destination(len(demand.dest), len(graph.src), demand.gbps.shape[1], add)


def _scaled(demand: PhaseDemand, part: np.ndarray) -> PhaseDemand:
    from dataclasses import replace

    return replace(demand, gbps=column(demand.gbps * part[:, None], np.float64))
