"""What `fabric expect` is asked: which tests, over which sizes and ranks, and how the mark is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from topologies.errors import ScenarioError, nearest_hint
from traffic.bare_collective import OPERATIONS, operation_of

PERCENTILE = 5.0
MARGIN = 0.05
SIZES = "1M:16G"


@dataclass(frozen=True)
class ExpectRequest:
    """A test as nccl-tests runs it, on ranks of one node group or of a job."""

    collectives: tuple[str, ...] = ("all-reduce",)
    sizes_bytes: tuple[float, ...] = tuple(2.0**exponent for exponent in range(20, 35))
    ranks: int | None = None  # all GPUs of the group, or all ranks of the job
    group: str | None = None  # node group; the only one with GPUs
    job: str | None = None  # a workload of the scenario, whose ranks and places are taken
    placement: Mapping[str, Any] = field(default_factory=dict)  # keys of a workload's placement
    places: tuple[tuple[int, int], ...] | None = None  # host and GPU of every rank, where these are known already
    fabric: str | None = None
    library: Mapping[str, Any] = field(default_factory=dict)  # keys of a workload's collectives
    draws: int | None = None  # of the hash
    percentile: float = PERCENTILE  # of the bandwidth over the draws, 0 to 100, that the mark is taken from
    margin: float = MARGIN  # that the mark lies below it
    beside: bool = False  # the steady traffic of the scenario's workloads is on the wire too


def collectives_of(text: str) -> tuple[str, ...]:
    """Operations by their names, with commas between them, each once; ``all`` of them.

    Names are those of this tool, of nccl-tests (``all_reduce_perf``) or of MPI.

    Raises
    ------
    ScenarioError
        For an operation that there is not (FP4015).

    >>> collectives_of("all_reduce_perf,alltoall")
    ('all-reduce', 'all-to-all')
    """
    if text.strip().lower() == "all":
        return OPERATIONS
    names = [name.strip() for name in text.split(",") if name.strip()]
    operations = [operation_of(name.lower().removesuffix("_perf")) for name in names]
    for name, operation in zip(names, operations, strict=True):
        if operation not in OPERATIONS:
            hint = nearest_hint(operation, OPERATIONS, otherwise=f"collectives: {', '.join(OPERATIONS)}, or all")
            raise ScenarioError(f"unknown collective {name!r}", hint=hint, code="FP4015")
    if not operations:
        raise ScenarioError("no collective is named", hint=f"{', '.join(OPERATIONS)}, or all", code="FP4015")
    return tuple(dict.fromkeys(operations))
