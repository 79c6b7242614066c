"""``gravity``: traffic in proportion to random weights of the members."""

from __future__ import annotations

from topologies.registry import Injected
from topologies.units import CountOrZero, RateGbps, VolumeBytes
from traffic.inventory import ALL
from traffic.synthetic import Level, pattern_workload
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic


@WORKLOADS.register("gravity", example={"size": "1 GiB", "seed": 1})
def gravity(
    members: str = ALL,
    fabric: str | None = None,
    size: VolumeBytes | None = None,
    rate: RateGbps | None = None,
    level: Level = "endpoint",
    seed: CountOrZero | None = None,
    phase: str | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Traffic in proportion to random weights of the members.

    Parameters
    ----------
    members : str
        Node group, or ``all`` endpoints of the fabric.
    fabric : str, optional
        The fabric; the only one that fits the members if absent.
    size, rate : float, optional
        What members send on average, bytes or Gbps; exactly one of them.
    level : {'endpoint', 'leaf'}
        Whether a member is an endpoint, or all endpoints on one leaf together.
    seed : int, optional
        Seed of the pattern; without one the scenario's seed decides.
    phase : str, optional
        Name of the phase; ``gravity`` if absent.
    """
    return pattern_workload(
        "gravity",
        context,
        members=members,
        fabric=fabric,
        size=size,
        rate=rate,
        level=level,
        phase=phase,
        seed=seed,
    )
