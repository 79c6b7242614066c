"""``matrix``: steady demand read from a file."""

from __future__ import annotations

from typing import Literal

from topologies.errors import TrafficError, nearest
from topologies.registry import Injected
from traffic.demands import Flows
from traffic.storage.phases import steady_phase
from traffic.workload import DEMAND_FORMATS, WORKLOADS, WorkloadContext, WorkloadTraffic


@WORKLOADS.register("matrix", example={"format": "repetita", "path": "net.demands"})
def matrix(
    format: str,  # noqa: A002
    path: str,
    fabric: str | None = None,
    unit: Literal["kbps", "Mbps", "Gbps"] | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """A traffic matrix from a file; demands of equal pairs add up.

    Parameters
    ----------
    format : str
        ``repetita`` (nodes by number) or ``csv`` (src,dst,gbps with header, nodes by name).
    path : str
        The file, relative to the scenario.
    fabric : str, optional
        Fabric whose nodes are meant; the only one if absent.
    unit : {'kbps', 'Mbps', 'Gbps'}, optional
        Unit of the rates; the format's own if absent (repetita: kbps).

    Returns
    -------
    WorkloadTraffic
        One steady phase ``matrix``.

    Raises
    ------
    FormatError
        With file and line.
    TrafficError
        When the format is unknown (FP4060).
    """
    if not DEMAND_FORMATS.known(format):
        close = nearest(format, DEMAND_FORMATS.names())
        raise TrafficError(
            f"unknown demand format {format!r}",
            where="format",
            hint=f"did you mean {close!r}?" if close else f"known: {', '.join(DEMAND_FORMATS.names())}",
            code="FP4060",
        )
    network = context.inventory.fabric(fabric)
    topology = context.inventory.topologies[network]
    rows = DEMAND_FORMATS[format].function(path=context.directory / path, topology=topology, unit=unit)
    flows = Flows.of(rows.src, rows.dst, rows.rate_gbps)
    nodes = len(topology.endpoint_nodes)
    nothing = () if flows.pairs else (f"{path} has no demand: nothing is sent",)
    default_unit = unit is None and format == "repetita"
    return WorkloadTraffic(
        id=context.id,
        kind="matrix",
        phases=(steady_phase("matrix", "matrix", network, nodes, flows),) if flows.pairs else (),
        assumptions=("rates in the file are kbit/s (unit)",) if default_unit else (),
        warnings=(*rows.warnings, *nothing),
    )
