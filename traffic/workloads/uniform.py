"""``uniform``: every member spreads its traffic evenly over all."""

from __future__ import annotations

from topologies.registry import Injected
from topologies.units import RateGbps, VolumeBytes
from traffic.inventory import ALL
from traffic.synthetic import Level, pattern_workload
from traffic.workload import WORKLOADS, WorkloadContext, WorkloadTraffic


@WORKLOADS.register("uniform", example={"size": "1 GiB"})
def uniform(
    members: str = ALL,
    fabric: str | None = None,
    size: VolumeBytes | None = None,
    rate: RateGbps | None = None,
    level: Level = "endpoint",
    phase: str | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Every member spreads its traffic evenly over all.

    Parameters
    ----------
    members : str
        Node group, or ``all`` endpoints of the fabric.
    fabric : str, optional
        The fabric; the only one that fits the members if absent.
    size, rate : float, optional
        What each member generates, S, of which S/n goes to every other, bytes or Gbps; exactly one of them.
    level : {'endpoint', 'leaf'}
        Whether a member is an endpoint, or all endpoints on one leaf together.
    phase : str, optional
        Name of the phase; ``uniform`` if absent.
    """
    return pattern_workload(
        "uniform",
        context,
        members=members,
        fabric=fabric,
        size=size,
        rate=rate,
        level=level,
        phase=phase,
    )
