"""The same scenario under several routers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fabric.pipeline.phase_options import limits_of, phases_to_route, routing_options, under
from fabric.pipeline.prepared import PreparedScenario
from fabric.pipeline.stages import assumptions
from fabric.routing.progress import Reporter, silent
from fabric.scenario.schema import not_yet_modelled
from topologies.errors import ScenarioError

if TYPE_CHECKING:
    from fabric.evaluation.router_comparison import RouterComparison


def compare_routers(
    prepared: PreparedScenario,
    *,
    routers: Sequence[str] | None = None,
    progress: Reporter = silent,
) -> RouterComparison:
    """A prepared scenario under several routers; hashing is drawn many times unless somebody says how often.

    Parameters
    ----------
    routers : sequence of str, optional
        Default: those that say they are compared, and the scenario's own. Optimal routing minimises the maximum
        utilisation, whatever objective the scenario has: it is what all of them are compared on.
    """
    from fabric.evaluation.router_comparison import RouterComparison, compare_phase, compared_routers, judge_routers
    from fabric.optimise.objective import compared_objective
    from fabric.pipeline.draws import DRAWS, most_draws
    from fabric.pipeline.routing_assumptions import routing_assumptions

    loaded, request, traffic = prepared.loaded, prepared.request, prepared.traffic
    to_route = phases_to_route(prepared)
    own = {name: spec.routing.router for name, spec, _, _ in to_route}
    chosen = tuple(routers) if routers else tuple(dict.fromkeys((*compared_routers(), *own.values())))
    compared = []
    fit = most_draws([prepared.network.topologies[name] for name, *_ in to_route])
    for name, spec, demands, phase in to_route:
        asked = replace(request, replicas=request.replicas or spec.routing.hash.replicas or DRAWS)
        options = routing_options(
            spec, asked, loaded.scenario.seed, under(f"{name} {phase}", progress), draws=min(asked.replicas or 1, fit)
        )
        compared.append(
            compare_phase(
                prepared.network.topologies[name],
                demands,
                phase,
                routers=chosen,
                options=replace(options, objective=compared_objective()),
                efficiency=spec.payload_efficiency,
                latency=spec.latency,
            )
        )
    try:
        limits = limits_of(loaded, request)
        outcomes, of_own = judge_routers(compared, chosen, traffic, limits, own=own, fabric=request.fabric)
    except ScenarioError as error:
        raise loaded.locate(error) from None
    assumed = routing_assumptions(loaded.scenario.fabrics, dict.fromkeys(own, chosen))
    return RouterComparison(
        routers=chosen,
        phases=tuple(one.comparison for one in compared if request.phase in ("worst", "all", one.comparison.phase)),
        outcomes=outcomes,
        own=of_own,
        assumptions=assumptions(loaded, prepared.network, traffic, more=assumed),
        warnings=tuple(warning for workload in traffic for warning in workload.warnings),
        not_modelled=tuple(not_yet_modelled(loaded.scenario)),
    )
