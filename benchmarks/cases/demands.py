"""Demands of a 65,536-GPU job with all kinds of parallelism: ``demands TP EP``, or ``demands pairs EP``.

Timed: from the built network to the demands of all phases. ``pairs`` writes the dispatch of the same job out as one row
per pair of ranks, in NumPy, as a planner without blocks does; it has a single phase of ours to do. Both are checked
against the closed form: tokens · top-k · width of every rank, less what stays in the host.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from benchmarks import checks
from benchmarks.measure import ROOT, taken

SCENARIO = ROOT / "benchmarks" / "scenarios" / "moe-64k.fabric.yaml"
RANKS, STAGES, PER_HOST = 65_536, 16, 8
# passes x tokens of a micro-batch x top-k x width x bytes x layers with experts of a stage x micro-batches
_PAYLOAD = 2 * 4096 * 8 * 7168 * 2 * 4


def _payload(tensor: int) -> float:
    """Bytes of one rank's dispatch per step."""
    replicas = RANKS // (STAGES * tensor)
    return _PAYLOAD / tensor * (65_536 // replicas)


def ours(tensor: int, expert: int) -> None:
    """All phases."""
    from fabric.pipeline.prepared import build, derive_traffic
    from fabric.scenario.load import load_scenario
    from traffic.workload import demands_of

    sets = [f"workloads.moe.parallelism.tp={tensor}", f"workloads.moe.parallelism.ep={expert}"]
    loaded = load_scenario(str(SCENARIO), overrides=sets)
    network = build(loaded)
    began = time.perf_counter()
    (job,) = derive_traffic(loaded, network)
    demands = demands_of([job], "backend")
    result = taken(began)
    found = next(phase for phase in job.phases if phase.name == "ep.dispatch")
    mates = PER_HOST // tensor
    wanted = RANKS * _payload(tensor) * (expert - min(mates, expert)) / expert
    checks.require(abs(found.flows.total / wanted - 1) < 1e-9, "the bytes are not those of the closed form")
    rows = sum(len(flows.src) for flows in demands.flows)
    print(json.dumps({**result, "note": f"{len(job.phases)} phases, {found.pairs:,} pairs of dispatch, {rows:,} rows"}))


def pairs(expert: int) -> None:
    """The dispatch alone, one row per pair, tp 8: every rank of a group is in a host of its own."""
    began = time.perf_counter()
    rank = np.arange(RANKS, dtype=np.int32).reshape(STAGES, -1, expert, 8).swapaxes(2, 3).reshape(-1, expert)
    tail, head = np.nonzero(~np.eye(expert, dtype=np.bool_))
    src, dst = rank[:, tail].ravel(), rank[:, head].ravel()
    amount = np.full(len(src), _payload(8) / expert)
    result = taken(began)
    checks.require(abs(amount.sum() / (RANKS * _payload(8) * (expert - 1) / expert) - 1) < 1e-9, "bytes are wrong")
    print(json.dumps({**result, "note": f"dispatch only, {len(dst):,} rows"}))


if __name__ == "__main__":
    if sys.argv[1] == "pairs":
        pairs(int(sys.argv[2]))
    else:
        ours(int(sys.argv[1]), int(sys.argv[2]))
