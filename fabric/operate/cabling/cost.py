"""What wrong cables cost jobs now: the scenario's jobs, placed as planned, routed on the fabric as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fabric.operate.cabling.result import Cost
from fabric.pipeline.run import Run
from fabric.pipeline.stages import route_prepared_scenario
from fabric.result import RouteResult
from fabric.routing.progress import Reporter, silent
from topologies.topology import Topology


def cost_of(result: RouteResult, planned: RouteResult) -> Cost:
    """A result in figures: of its fullest link, and of the job whose steps are the most times as long as planned."""
    fullest = max((route.max_utilisation for route in result.routes), default=0.0)
    before = {job.id: job.step_time_s for job in planned.jobs}
    stepping = [job for job in result.jobs if before.get(job.id)]
    stalled = next((job for job in stepping if job.step_time_s is None), None)
    worst = stalled or max(stepping, key=lambda job: (job.step_time_s or 0.0) / (before[job.id] or 1.0), default=None)
    return Cost(
        None if fullest == float("inf") else fullest,
        None if worst is None else worst.step_time_s,
        "" if worst is None else worst.id,
        sum(route.unreachable_pairs for route in result.routes),
    )


def routed(run: Run, topologies: Mapping[str, Topology], progress: Reporter = silent) -> RouteResult:
    """Jobs of a run on other fabrics, with as many draws of the hash.

    Raises
    ------
    FabricError
        Where the scenario's router cannot route on them.
    """
    stages = run.prepared
    network = stages.network
    every = {**network.topologies, **topologies}
    changed = replace(network, topologies=every, inventory=replace(network.inventory, topologies=every))
    drawn = run.result.draws
    request = replace(stages.request, draws=len(drawn) if drawn is not None else None)
    return route_prepared_scenario(replace(stages, network=changed, request=request), progress=progress)


def worse_by(cost: Cost, planned: Cost) -> tuple[float, float]:
    """Severity for sorting: a job that cannot finish first, then how many times longer it takes, then utilisation."""
    if cost.cut > planned.cut or (planned.step_time_s is not None and cost.step_time_s is None):
        longer = float("inf")
    else:
        longer = (cost.step_time_s or 0.0) / planned.step_time_s if planned.step_time_s else 1.0
    fuller = float("inf") if cost.max_utilisation is None else cost.max_utilisation
    return longer, fuller
