"""What a training job writes to storage and reads from it: checkpoints, restores, training data."""

from __future__ import annotations

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.errors import TrafficError
from traffic.formula import Formula, formula
from traffic.inventory import Inventory
from traffic.storage.keys import CheckpointSpec, DatasetSpec, check_replication, storage_fabric
from traffic.storage.phases import checkpoint_limits, checkpoint_phase, dataset_phase, restore_phase, shuffle_phase
from traffic.training.keys import BYTES_OF, GATHERED
from traffic.training.phases import StepPlan, state_ranks
from traffic.training.step import TrainingStep
from traffic.workload import Payload, Phase, TimeLimit

_RESTORE = "Rajbhandari et al., ZeRO, SC 2020, section 5 (who holds what)"


def checkpoint_phases(
    inventory: Inventory, group: str, host_of_rank: Ints, spec: CheckpointSpec, plan: StepPlan
) -> list[Phase]:
    """Writing a checkpoint, and reading it back where the scenario asks for that.

    Parameters
    ----------
    host_of_rank : ndarray of int, shape (ranks,)
        Hosts of the group, by number.
    """
    step = plan.step
    try:
        fabric = storage_fabric(inventory, spec.fabric, group, spec.target, servers_key="target")
        servers = inventory.host_endpoints(fabric, spec.target, where="target")
        clients = inventory.host_endpoints(fabric, group, where="fabric")
        check_replication(spec.replication, len(servers))
    except TrafficError as error:
        raise error.under("checkpoint") from error
    used = np.bincount(host_of_rank, minlength=len(clients)) > 0
    written = _written(step, first_only=spec.writers == "first-replica")
    share = np.bincount(host_of_rank, written, len(clients))[used]
    volume = formula(
        "P * B / n",
        "Narayanan et al., SC 2021, section 5.10",
        P=(step.parameters, "parameters"),
        B=(step.state_bytes_per_parameter, "bytes of weight, master copy and optimizer state"),
        n=(step.grid.ranks, "ranks"),
    )
    phases = [
        checkpoint_phase(
            fabric,
            clients[used],
            servers,
            column(share, np.float64),
            step.grid.ranks,
            spec.replication,
            asynchronous=spec.mode == "asynchronous",
            formula=volume,
        )
    ]
    if spec.restore:
        back = column(np.bincount(host_of_rank, restored_bytes(plan), len(clients))[used], np.float64)
        phases.append(
            restore_phase(fabric, clients[used], servers, back, step.grid.ranks, payloads=_restore_payloads(plan))
        )
    return phases


def limits_of_checkpoint(phases: list[Phase], spec: CheckpointSpec) -> tuple[TimeLimit, ...]:
    """What a checkpoint may take."""
    fabric = next(phase.fabric or "" for phase in phases if phase.name == "checkpoint")
    return checkpoint_limits(fabric, spec.every, spec.deadline, under="checkpoint.")


def _written(step: TrainingStep, *, first_only: bool) -> Floats:
    """Bytes every rank writes, shape (ranks,): an equal share, or its own part by the first replica alone."""
    ranks = step.grid.ranks
    if not first_only:
        return column(np.full(ranks, step.checkpoint_bytes / ranks), np.float64)
    at = step.grid.coordinates(np.arange(ranks))
    of_experts = step.grid.experts.coordinates(np.arange(ranks))
    stages = range(len(step.stages))
    dense = np.array([step.dense_on_rank(stage) for stage in stages])[at["pp"]]
    experts = np.array([step.experts_on_rank(stage) for stage in stages])[at["pp"]]
    written = dense * ((at["dp"] == 0) & (at["cp"] == 0) & (at["ep"] == 0))
    written = written + experts * ((of_experts["dp"] == 0) & (of_experts["cp"] == 0))
    return column(written * (step.checkpoint_bytes / written.sum()), np.float64)


def restore_formula(plan: StepPlan, stage: int) -> Formula:
    """Bytes that a rank of a stage reads to go on from a checkpoint: what it holds, as the sharding in use has it.

    Without sharding every replica reads all of its part. With zero1 and zero2 it reads its weights, and its share of
    the optimizer's state; with zero3 and fsdp its share of both. Shares of a group come to one copy.
    """
    step = plan.step
    dense, experts = step.dense_on_rank(stage), step.experts_on_rank(stage)
    width, state = BYTES_OF[step.precision.params], step.state_bytes_per_parameter
    dense_ranks, expert_ranks = state_ranks(plan)
    terms: dict[str, tuple[float, str]] = {"D": (dense, "parameters of a rank outside routed experts")}
    if experts:
        terms["E"] = (experts, "parameters of routed experts of a rank")
    whole, split = "D + E" if experts else "D", "D / d + E / e" if experts else "D / d"
    if plan.sharding == "none":
        terms["B"] = (state, "bytes of weight, master copy and optimizer state, which every replica reads")
        return formula(f"({whole}) * B" if experts else "D * B", _RESTORE, **terms)
    terms["d"] = (dense_ranks, "ranks that share a copy")
    if experts:
        terms["e"] = (expert_ranks, "ranks that share a copy of the same experts")
    if plan.sharding in GATHERED:
        terms["B"] = (state, "bytes of weight, master copy and optimizer state, one copy over the ranks that share it")
        return formula(f"({split}) * B", _RESTORE, **terms)
    terms["β"] = (width, "bytes of a weight, which every replica reads")
    terms["B"] = (state - width, "bytes of master copy and optimizer state, one copy over the ranks that share it")
    return formula(f"({whole}) * β + ({split}) * B", _RESTORE, **terms)


def restored_bytes(plan: StepPlan) -> Floats:
    """Bytes every rank reads to go on from a checkpoint, shape (ranks,)."""
    step = plan.step
    stage = step.grid.coordinates(np.arange(step.grid.ranks))["pp"]
    each = np.array([restore_formula(plan, number).value for number in range(len(step.stages))])
    return column(each[stage], np.float64)


def _restore_payloads(plan: StepPlan) -> tuple[Payload, ...]:
    """One entry for every stage that differs, with its ranks."""
    ranks = plan.step.grid.ranks // len(plan.step.stages)
    found: dict[float, Payload] = {}
    for stage in range(len(plan.step.stages)):
        read = restore_formula(plan, stage)
        known = found.get(read.value)
        found[read.value] = Payload(ranks + (known.ranks if known else 0), read)
    return tuple(found.values())


def dataset_phases(inventory: Inventory, group: str, gpus_of_host: Ints, spec: DatasetSpec) -> list[Phase]:
    """Reading training data, and what hosts exchange of it.

    Parameters
    ----------
    gpus_of_host : ndarray of int, shape (H,)
        GPUs of the job on every host of the group.
    """
    try:
        fabric = storage_fabric(inventory, spec.fabric, group, spec.source, servers_key="source")
        servers = inventory.host_endpoints(fabric, spec.source, where="source")
        clients = inventory.host_endpoints(fabric, group, where="fabric")
    except TrafficError as error:
        raise error.under("dataset") from error
    used = gpus_of_host > 0
    gpus = column(gpus_of_host[used], np.int32)
    phases = [dataset_phase(fabric, clients[used], servers, gpus, spec.read, spec.per)]
    if spec.shuffle:
        phases.append(shuffle_phase(fabric, clients[used], gpus, spec.shuffle, spec.per))
    return phases
