"""The phases of a run as sweeps need them: each in one draw of the hash, with all that routing it again takes."""

from __future__ import annotations

from dataclasses import replace

from fabric.evaluation.phases import in_draw
from fabric.failures.engine import SweepPhase
from fabric.pipeline.phase_options import phases_to_route, routing_options
from fabric.pipeline.run import Run
from fabric.routing.progress import silent


def sweep_phases(run: Run) -> tuple[SweepPhase, ...]:
    """Every routed phase of a run, in the draw that the run shows.

    Hashed flows keep that draw in every failure case, so that what a case changes is the failure's doing.
    """
    prepared, request = run.prepared, run.request
    routes = {(route.fabric, route.phase): route for route in run.result.routes}
    phases: list[SweepPhase] = []
    for fabric, spec, demands, phase in phases_to_route(prepared, idle=True):
        route = routes[fabric, phase]
        seed = prepared.loaded.scenario.seed if route.draws is None else route.draws.shown_seed
        options = replace(routing_options(spec, request, seed, silent), draws=1)
        phases.append(
            SweepPhase(
                fabric=fabric,
                phase=phase,
                topology=prepared.network.topologies[fabric],
                demands=demands,
                router=request.router or spec.routing.router,
                options=options,
                efficiency=spec.payload_efficiency,
                latency=spec.latency,
                intact=in_draw(route, seed),
            )
        )
    return tuple(phases)
