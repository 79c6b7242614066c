"""Route an instance with one of our routers: ``ours ROUTER INSTANCE [GAP TIME_LIMIT_S]``.

Timed: importing the routers and loading their kernels, the routing graph, and the routing. Not timed: the topology, as
for everybody. ECMP is timed once more in the same process, kernels loaded, for the note. Checked: conservation at every
node, the closed form where there is one, and that the bound follows from the certificate's prices by SciPy's Dijkstra
and is not above the utilisation.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from benchmarks import checks
from benchmarks.instances import Instance, make, plain
from benchmarks.measure import taken


def solve(instance: Instance, router: str, gap: float, limit_s: float) -> tuple[dict[str, Any], Any, Any]:
    """What is printed, and graph and routing for the checks."""
    began = time.perf_counter()
    from fabric.routing.graph import build_graph, phase_demand
    from fabric.routing.router import ROUTERS, RoutingOptions, edge_utilisation

    graph = build_graph(instance.topology, [instance.flows])
    demand = phase_demand(graph, [instance.flows], [1.0])
    options = RoutingOptions(gap=gap, time_limit_s=limit_s)
    routing = ROUTERS[router]({}, graph=graph, demand=demand, options=options)
    result: dict[str, Any] = {
        **taken(began),
        "theta": float(edge_utilisation(graph, routing.edge_gbps).max()),
        "solver": routing.solver,
        "partial": routing.partial,
    }
    checks.require(not routing.unreachable.any(), "demand is called unreachable")
    if router == "ecmp":
        began = time.perf_counter()
        ROUTERS[router]({}, graph=graph, demand=demand, options=options)
        result["note"] = f"again in the same process: {time.perf_counter() - began:.2g} s"
    return result, graph, routing


def check(instance: Instance, result: dict[str, Any], graph: Any, routing: Any) -> None:
    """Look at the answer by other means; adds the bound and the gap."""
    arrays = plain(instance)
    own = graph.link_of >= 0
    of_link = np.zeros(len(instance.topology.links))
    of_link[graph.link_of[own]] = routing.edge_gbps[own].sum(axis=1)
    load = of_link[arrays.link]
    theta = checks.conserved(arrays, load)
    checks.require(abs(theta / result["theta"] - 1) <= checks.EXACT, "the utilisation is not that of the loads")
    if instance.is_symmetric:
        checks.symmetric(instance, arrays, load)
    if routing.certificate is None:
        return
    bound = routing.certificate.lower_bound
    checks.require(bound <= theta * (1 + checks.EXACT), f"bound {bound} is above utilisation {theta}")
    if routing.certificate.price is not None:
        of_link[:] = 0.0
        of_link[graph.link_of[own]] = routing.certificate.price[own]
        shown = checks.proven_bound(arrays, of_link[arrays.link])
        checks.require(shown >= bound * (1 - 1e-6), f"the prices prove {shown}, not {bound}")
        result["bound_checked"] = True
    result["bound"] = bound
    result["gap"] = theta / bound - 1


def main() -> None:
    """Solve once, check, print."""
    router, name = sys.argv[1:3]
    gap, limit_s = (float(given) for given in sys.argv[3:5]) if len(sys.argv) > 4 else (1e-4, 600.0)
    instance = make(name)
    result, graph, routing = solve(instance, router, gap, limit_s)
    check(instance, result, graph, routing)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
