"""Calls of the collective library in a training step: how many, of what size, and what each costs beside its bytes.

The number of calls is what the frameworks do: one for each layer and pass inside the layers, one for each bucket or
layer of gradients and parameters over the step.
"""

from __future__ import annotations

from math import ceil

from topologies.columns import Ints
from traffic.library.hosts import machine_of
from traffic.training.keys import GATHERED
from traffic.training.plan import JobPlan, PhaseCalls

BUCKET_PARAMETERS, BUCKET_PER_RANK = 40_000_000, 1_000_000  # Megatron Core, DistributedDataParallelConfig.bucket_size


def library_calls(plan: JobPlan, name: str, operation: str, ranks: Ints, payload_bytes: float) -> PhaseCalls:
    """Calls of a phase.

    Parameters
    ----------
    ranks : ndarray of int, shape (n,)
        Of one of its groups.
    payload_bytes : float
        Of a rank in a step, all calls together.
    """
    keys, site = plan.collectives, plan.site
    count = calls_in_step(plan, name, payload_bytes)
    turns = len(ranks) - 1 if name == "cp.send_recv" else 1
    machine = machine_of(site.inventory, plan.seats, site.group, ranks, keys.generation, keys.cpu)
    size = payload_bytes / max(count, 1.0) / turns
    called = keys.call(operation, size, machine, where="collectives")
    site.calls[name] = PhaseCalls(count, turns, keys.flows_per_pair(called, site.gpus_per_host), called)
    return site.calls[name]


def calls_in_step(plan: JobPlan, name: str, payload_bytes: float) -> float:
    """How often a rank of the busiest stage calls for a phase in a step."""
    step, again = plan.step, 1 if plan.recompute == "full" else 0
    micro, dimension = step.micro_batches, name.partition(".")[0]
    if dimension == "tp":
        return payload_bytes / step.boundary_bytes
    if dimension in ("ep", "etp"):
        passes = 3 if plan.recompute in ("full", "experts") else 2
        return passes * micro * max(step.expert_layers(stage) for stage in range(len(step.stages)))
    if dimension == "cp":
        layers = max(sum(step.shape.has_attention(which) for which in stage) for stage in step.stages)
        of_layer = {"send_recv": 3 + again, "all_to_all": 2 * (2 + again), "all_gather": 2 + again}
        return float(of_layer.get(name.partition(".")[2], 1) * micro * layers)
    if dimension == "pp":
        return micro * step.chunks * (2 if len(step.stages) > 2 or step.chunks > 1 else 1)
    return _over_step(plan, name) if dimension in ("dp", "edp") else 1.0


def _over_step(plan: JobPlan, name: str) -> float:
    """Calls for gradients or parameters: of every layer where they are sharded, else of every bucket."""
    step, detail, overlap = plan.step, plan.sharding_groups, plan.overlap
    micro, gathers = step.micro_batches, name.endswith("all_gather")
    times = micro if detail.reduce == "micro-batch" else 1
    if plan.sharding in GATHERED:
        if gathers:
            times = (2 * micro if detail.gather == "micro-batch" else 2) if detail.reshard else 1
        return times * (max(len(stage) for stage in step.stages) + 1)  # beside the layers, embedding or head
    hidden = overlap.param_gather if gathers else overlap.grad_reduce
    if not hidden:
        return 1.0 if gathers else times
    on_rank = step.experts_on_rank if name.startswith("edp") else step.dense_on_rank
    bucket = max(BUCKET_PARAMETERS, BUCKET_PER_RANK * step.grid.sizes["dp"])
    buckets = ceil(max(on_rank(stage) for stage in range(len(step.stages))) / bucket)
    return buckets if gathers else buckets * times
