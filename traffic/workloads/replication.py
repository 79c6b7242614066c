"""``replication``: backup and mirroring to another site, through border leaves."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import RateGbps, Ratio, TimeS, VolumeBytes
from traffic.formula import formula
from traffic.storage.keys import storage_fabric
from traffic.storage.phases import steady_phase
from traffic.storage.spread import between
from traffic.workload import WORKLOADS, TimeLimit, WorkloadContext, WorkloadTraffic


@WORKLOADS.register(
    "replication", example={"source": "all", "border": "all", "size": "100 TB", "within": "8 h", "changed": "5%"}
)
def replication(
    source: str,
    border: str,
    fabric: str | None = None,
    rate: RateGbps | None = None,
    size: VolumeBytes | None = None,
    changed: Ratio = 1.0,
    within: TimeS | None = None,
    restore: bool = False,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Storage servers send what changed to the other site, at a rate or within a window.

    Parameters
    ----------
    source : str
        Node group of storage servers.
    border : str
        Node group that stands for the other site, on border leaves.
    fabric : str, optional
        Fabric it crosses; the one both groups have NICs on if absent.
    rate : float, optional
        Gbps in all; or else ``size`` and ``within``.
    size, changed, within : float, optional
        Bytes kept, the share of them that changed, and the time to send it in, s: a limit, judged like those of the
        scenario.
    restore : bool
        From the other site back.

    Returns
    -------
    WorkloadTraffic
        One steady phase ``replication``, or ``replication.restore``.

    Raises
    ------
    TrafficError
        When neither a rate nor size and window are given, or both (FP4057).
    """
    window = size is not None and within is not None and within > 0
    if (rate is None) == (not window) or (rate is not None and (size is not None or within is not None)):
        raise TrafficError(
            "replication goes at a rate, or sends a size within a time; one of them",
            where="rate" if rate is not None else (),
            hint="rate: 40 Gb/s; or size: 100 TB, changed: 5%, within: 8 h",
            code="FP4057",
        )
    if rate is not None:
        rate_formula = formula("W", "rate of the scenario", "Gbps", W=(rate, "sent to the other site, Gbps"))
    else:
        rate_formula = formula(
            "D * c * 8 / 1000000000 / t",
            "backup window",
            "Gbps",
            D=(size or 0.0, "bytes kept"),
            c=(changed, "share that changed"),
            t=(within or 1.0, "window, s"),
        )
    gbps = rate_formula.value
    inventory = context.inventory
    network = storage_fabric(inventory, fabric, source, border, servers_key="border")
    inner = inventory.host_endpoints(network, source, where="source")
    edge = inventory.host_endpoints(network, border, where="border")
    flows = between(inner, edge, column(np.full(len(inner), gbps / len(inner)), np.float64), reads=restore)
    name = "replication.restore" if restore else "replication"
    phase = steady_phase(name, "replicate", network, len(inner), flows, rate_formula)
    return WorkloadTraffic(
        id=context.id,
        kind="replication",
        phases=(phase,) if phase.pairs else (),
        assumptions=("data is spread evenly over servers and border hosts",),
        warnings=() if phase.pairs else (f"{context.id} sends nothing",),
        time_limits=() if within is None else (TimeLimit("within", name, network, within),),
    )
