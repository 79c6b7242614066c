"""NetGraph (``ngraph``) on an instance ``uniform-K``: ``ngraph_peer ecmp|capacity-aware INSTANCE``.

``ecmp`` is its preset SHORTEST_PATHS_ECMP, with capacities doubled because it admits only what fits. ``capacity-aware``
is TE_WCMP_UNLIM in its step MaximumSupportedDemand: the largest factor at which all demand is placed, by bisection to
0.01; the utilisation reached is one over it. Timed: import, network, expansion of the demand, placement.
"""

from __future__ import annotations

import json
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks import checks
from benchmarks.instances import Plain, make, plain
from benchmarks.measure import taken

ROOM = 2.0


def network(given: Plain, room: float) -> Any:
    """Their network of ours; a link of theirs is a cable."""
    from ngraph.model.network import Link, Network, Node

    is_end = np.isin(np.arange(given.nodes), given.ends)
    names = [f"{'edge' if end else 'above'}/{node}" for node, end in enumerate(is_end.tolist())]
    net = Network()
    for name in names:
        net.add_node(Node(name))
    for tail, head, gbps in zip(given.tail.tolist(), given.head.tolist(), given.gbps.tolist(), strict=True):
        if tail < head:
            net.add_link(Link(names[tail], names[head], capacity=gbps * room, cost=1))
    return net


def demands(given: Plain, preset: Any) -> list[Any]:
    """One demand between all pairs of edge switches, which they expand."""
    from ngraph.model.demand.spec import TrafficDemand

    total = float(given.demand_gbps.sum())
    ends = "^edge/.*"
    return [TrafficDemand(source=ends, target=ends, volume=total, mode="pairwise", flow_policy=preset, id="all")]


def ecmp(given: Plain) -> float:
    """Highest utilisation under an equal split."""
    import netgraph_core
    from ngraph.analysis.functions import build_demand_placement_inputs
    from ngraph.analysis.placement import place_demands
    from ngraph.model.flow.policy_config import FlowPolicyPreset

    wanted = [entry.to_dict() for entry in demands(given, FlowPolicyPreset.SHORTEST_PATHS_ECMP)]
    context, expansion, ids = build_demand_placement_inputs(network(given, ROOM), wanted)
    state = netgraph_core.FlowGraph(context.multidigraph)
    volumes = [entry.volume for entry in expansion.demands]
    masks = context.build_node_mask(None), context.build_edge_mask(None)
    found = place_demands(expansion.demands, volumes, state, context, *masks, resolved_ids=ids)
    checks.require(abs(found.summary.ratio - 1) < checks.EXACT, "not all demand was placed")
    return float((state.edge_flow_view() / state.capacity_view()).max() * ROOM)


def capacity_aware(given: Plain) -> float:
    """One over the largest factor that they find to fit."""
    from ngraph.model.flow.policy_config import FlowPolicyPreset
    from ngraph.workflow.maximum_supported_demand_step import MaximumSupportedDemand

    entries = demands(given, FlowPolicyPreset.TE_WCMP_UNLIM)
    kept: dict[str, Any] = {}
    scenario = SimpleNamespace(
        network=network(given, 1.0),
        demand_set=SimpleNamespace(get_set=lambda _: entries),
        results=SimpleNamespace(put=kept.__setitem__),
    )
    MaximumSupportedDemand(name="benchmark").run(scenario)
    return 1 / float(kept["data"]["alpha_star"])


def main() -> None:
    """Place once, check, print."""
    what, name = sys.argv[1:3]
    given = plain(make(name))
    began = time.perf_counter()
    theta = ecmp(given) if what == "ecmp" else capacity_aware(given)
    print(json.dumps({**taken(began), "theta": theta}))


if __name__ == "__main__":
    main()
