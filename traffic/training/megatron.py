"""Keys of a training job that a Megatron-LM argument line fills where the scenario leaves them out."""

from __future__ import annotations

from dataclasses import dataclass

from topologies.errors import TrafficError
from traffic.parallelism import Parallelism
from traffic.training.keys import Batch, Overlap, Precision, Recompute, Sharding
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
    given: frozenset[str]  # names of the keys that the arguments filled


def with_run(
    run: MegatronRun | None,
    batch: Batch | None,
    parallelism: Parallelism | None,
    precision: Precision | None,
    sharding: Sharding | None,
    recompute: Recompute | None,
    overlap: Overlap | None,
) -> JobKeys:
    """What the scenario says, then what the arguments say, then the defaults.

    Raises
    ------
    TrafficError
        When neither has a batch (FP4019).
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
    return JobKeys(
        batch or _batch(run),
        parallelism or _parallelism(run),
        precision or Precision.model_validate({"params": run.params, "grads": run.grads}),
        sharding or ("distributed-optimizer" if run.distributed_optimizer else "none"),
        recompute or run.recompute,
        overlap or Overlap(grad_reduce=run.overlap_grad_reduce, param_gather=run.overlap_param_gather),
        frozenset(name for name, value in filled.items() if value is None),
    )


def _batch(run: MegatronRun) -> Batch:
    missing = [
        name for name, value in (("global-batch-size", run.batch_global), ("seq-length", run.sequence)) if value is None
    ]
    if missing:
        raise TrafficError(
            f"the arguments lack {' and '.join('--' + name for name in missing)}, and the job has no batch key",
            where="model",
            hint="batch: {global: 1024, micro: 1, sequence: 8192}",
            code="FP4019",
        )
    return Batch.model_validate({"global": run.batch_global, "micro": run.batch_micro, "sequence": run.sequence})


def _parallelism(run: MegatronRun) -> Parallelism:
    return Parallelism(
        tp=run.tensor,
        pp=run.pipeline,
        cp=run.context,
        ep=run.expert,
        order=run.order,
        sp=run.sequence_parallel,
        vpp=run.virtual,
        scatter_gather=run.sequence_parallel,
    )
