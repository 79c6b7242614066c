"""Every flow on one path, chosen so that the fullest link is as little full as possible.

What a controller could do that pins elephants to paths, by tables, tunnels or source ports: a flow is a traffic class
x pair x queue pair, of constant rate, and is never split or reordered. Minimising the fullest link is NP-hard, so the
answer comes with a bound: the best that splitting could do, cuts counted in whole flows, and exact search where small.
"""

from __future__ import annotations

from collections.abc import Sequence

from fabric.routing.flow_table import flow_count, flow_table
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import ROUTERS, PairTraffic, Routing, RoutingOptions
from fabric.routing.traits import RouterTraits
from topologies.errors import RoutingError
from topologies.registry import Injected

MOST_FLOWS = 4_000_000
POLICIES = ("any", "shortest")


@ROUTERS.register(
    "pinned",
    example={},
    traits=RouterTraits(
        placement="placed",
        rule="equal",  # of all that has no rule of its own
        ties="number",
        slow=True,
        options=("paths",),
    ),
)
def pinned(
    graph: Injected[RoutingGraph],
    demand: Injected[PhaseDemand],
    pairs: Injected[Sequence[PairTraffic]],
    options: Injected[RoutingOptions],
) -> Routing:
    """Whole flows: each on one path, least maximum utilisation by colouring and local search, bounded by the LP."""
    from fabric.optimise.unsplittable.search import place_flows

    if options.paths not in POLICIES:
        raise RoutingError(
            f"router pinned has no paths {options.paths!r}",
            hint=f"paths: {' or '.join(POLICIES)}",
            code="FP5021",
        )
    if (count := flow_count(pairs)) > MOST_FLOWS:
        raise RoutingError(
            f"{count:,} flows to place one by one; {MOST_FLOWS:,} are the most",
            hint="router ecmp-hash hashes more, router optimal splits instead",
            code="FP5020",
        )
    return place_flows(graph, demand, flow_table(graph, pairs), options)
