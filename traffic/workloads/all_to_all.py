"""``all-to-all``: every member sends the same to every other."""

from __future__ import annotations

from topologies.registry import Injected
from topologies.units import RateGbps, VolumeBytes
from traffic.inventory import ALL
from traffic.synthetic import Level, pattern_workload
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic


@WORKLOADS.register("all-to-all", example={"size": "1 GiB"}, aliases=("alltoall",))
def all_to_all(
    members: str = ALL,
    fabric: str | None = None,
    size: VolumeBytes | None = None,
    rate: RateGbps | None = None,
    level: Level = "endpoint",
    phase: str | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Every member sends the same to every other.

    Parameters
    ----------
    members : str
        Node group, or ``all`` endpoints of the fabric.
    fabric : str, optional
        The fabric; the only one that fits the members if absent.
    size, rate : float, optional
        Buffer S of each member, which sends S/n to every other, bytes or Gbps; exactly one of them.
    level : {'endpoint', 'leaf'}
        Whether a member is an endpoint, or all endpoints on one leaf together.
    phase : str, optional
        Name of the phase; ``all-to-all`` if absent.
    """
    return pattern_workload(
        "all-to-all",
        context,
        members=members,
        fabric=fabric,
        size=size,
        rate=rate,
        level=level,
        phase=phase,
    )
