"""Keys of a training job that a Megatron-LM argument line fills where the scenario leaves them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topologies.errors import TrafficError
from traffic.parallelism import Parallelism
from traffic.training.keys import Batch, Collectives, Overlap, Precision, Recompute, Sharding, ShardingGroups

if TYPE_CHECKING:
    from traffic.transformer.megatron import MegatronRun


@dataclass(frozen=True)
class JobKeys:
    """Keys as they apply, and which of them somebody gave."""

    batch: Batch
    parallelism: Parallelism
    precision: Precision
    sharding: Sharding
    recompute: Recompute
    overlap: Overlap
    collectives: Collectives
    sharding_groups: ShardingGroups
    given: frozenset[str]  # names of the keys that the arguments filled


def with_run(
    run: MegatronRun | None,
    batch: Batch | None,
    parallelism: Parallelism | None,
    precision: Precision | None,
    sharding: Sharding | None,
    recompute: Recompute | None,
    overlap: Overlap | None,
    collectives: Collectives,
    sharding_groups: ShardingGroups,
    *,
    ranks: int,
) -> JobKeys:
    """What the scenario says, then what the arguments say, then the defaults.

    Parameters
    ----------
    ranks : int
        GPUs of the job; a run without a global batch has one micro-batch for every data-parallel rank.

    Raises
    ------
    TrafficError
        When neither has a batch (FP4019), or DeepSpeed's stage stands in another file (FP4036).
    """
    if run is None:
        if batch is None:
            raise TrafficError(
                "a training job needs its batch",
                where="batch",
                hint="batch: {global: 1024, micro: 1, sequence: 8192}",
                code="FP4019",
            )
        return JobKeys(
            batch,
            parallelism or Parallelism(),
            precision or Precision(),
            sharding or "none",
            recompute or "none",
            overlap or Overlap(),
            collectives,
            sharding_groups,
            frozenset(),
        )
    filled = {
        "batch": batch,
        "parallelism": parallelism,
        "precision": precision,
        "optimizer_sharding": sharding,
        "recompute": recompute,
        "overlap": overlap,
    }
    layout = parallelism or _parallelism(run)
    return JobKeys(
        batch or _batch(run, layout, ranks),
        layout,
        precision or _precision(run),
        sharding or _sharding(run),
        recompute or run.recompute,
        overlap or _overlap(run),
        _collectives(run, collectives),
        _sharding_groups(run, sharding_groups) if sharding is None else sharding_groups,
        frozenset(name for name, value in filled.items() if value is None),
    )


def _batch(run: MegatronRun, layout: Parallelism, ranks: int) -> Batch:
    if run.sequence is None:
        raise TrafficError(
            "the arguments lack --seq-length, and the job has no batch key",
            where="model",
            hint="batch: {global: 1024, micro: 1, sequence: 8192}",
            code="FP4019",
        )
    micro = run.batch_micro or 1
    sizes = layout.resolve(ranks).sizes
    whole = run.batch_global or micro * sizes["dp"] * sizes["ep"]
    said = {} if run.batch_micro is None else {"micro": run.batch_micro}
    return Batch.model_validate({"global": whole, "sequence": run.sequence} | said)


def _precision(run: MegatronRun) -> Precision:
    said = {"params": run.params, "grads": run.grads}
    return Precision.model_validate(said if run.gather is None else said | {"gather": run.gather})


def _sharding(run: MegatronRun) -> Sharding:
    if run.sharded.kind is None:
        raise TrafficError(
            "--deepspeed without --zero-stage: what is sharded stands in DeepSpeed's own configuration, which is not "
            "read",
            where="model",
            hint="optimizer_sharding: zero1, or args: --zero-stage 1",
            code="FP4036",
        )
    return run.sharded.kind


def _overlap(run: MegatronRun) -> Overlap:
    found = run.overlap
    return Overlap(
        grad_reduce=found.grad_reduce,
        param_gather=found.param_gather,
        tensor=found.tensor,
        pipeline=found.pipeline,
        experts=found.experts,
    )


def _collectives(run: MegatronRun, given: Collectives) -> Collectives:
    """The scenario's, with what the arguments say where it says nothing."""
    said: dict[str, str] = {"context": run.context_exchange, "dispatch": run.dispatch}
    if run.all_to_all is not None:
        said["all_to_all"] = run.all_to_all
    return given.model_copy(update={key: value for key, value in said.items() if key not in given.model_fields_set})


def _sharding_groups(run: MegatronRun, given: ShardingGroups) -> ShardingGroups:
    """The scenario's, with what the arguments say where it says nothing."""
    said: dict[str, object] = {"reshard": run.sharded.reshard, "reduce": run.sharded.reduce}
    if run.sharded.copies > 1 and given.ranks is None:
        said["copies"] = run.sharded.copies
    return given.model_copy(update={key: value for key, value in said.items() if key not in given.model_fields_set})


def _parallelism(run: MegatronRun) -> Parallelism:
    return Parallelism(
        tp=run.tensor,
        pp=run.pipeline,
        cp=run.context,
        ep=run.expert,
        etp=run.expert_tensor,
        order=run.order,
        sp=run.sequence_parallel,
        vpp=run.virtual,
        schedule="zb-h1" if run.zero_bubble else None,
        stage_layers=run.stage_layers,
        scatter_gather=run.sequence_parallel,
    )
