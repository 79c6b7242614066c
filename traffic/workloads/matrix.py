"""``matrix``: steady demand read from a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from topologies.errors import TrafficError, nearest_hint
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
    addresses: str | None = None,
    scale: Annotated[float, Field(gt=0)] = 1.0,
    shift: int = 0,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """A traffic matrix from a file; demands of equal pairs add up.

    Parameters
    ----------
    format : str
        ``csv`` (src,dst,gbps with header), ``repetita``, ``sndlib``; or measured: ``pcap``, ``nfdump``, ``prometheus``.
    path : str
        The file, or a folder of captures, relative to the scenario.
    fabric : str, optional
        Fabric whose nodes are meant; the only one if absent.
    unit : {'kbps', 'Mbps', 'Gbps'}, optional
        Unit of the rates; the format's own if absent (repetita: kbps; sndlib: Mbps is assumed).
    addresses : str, optional
        Table ``address,node`` of measured traffic, relative to the scenario; without it addresses are node names.
    scale : float
        Factor on all rates. Several matrices, and modelled jobs, add up.
    shift : int
        Every endpoint's traffic moves to the one so many places further in the order of the topology.

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
        raise TrafficError(
            f"unknown demand format {format!r}",
            where="format",
            hint=nearest_hint(format, DEMAND_FORMATS.names()),
            code="FP4060",
        )
    network = context.inventory.fabric(fabric)
    topology = context.inventory.topologies[network]
    read = DEMAND_FORMATS[format]
    more = {"addresses": None if addresses is None else context.directory / addresses}
    known = {key: value for key, value in more.items() if key in read.model.model_fields}
    if addresses is not None and not known:
        raise TrafficError(
            f"{format} names nodes itself; addresses are for measured traffic",
            where="addresses",
            hint="leave addresses out",
            code="FP4061",
        )
    rows = read.function(path=context.directory / path, topology=topology, unit=unit, **known)
    ends = topology.endpoint_nodes
    place = np.zeros(len(topology.nodes), dtype=np.int64)
    place[ends] = np.arange(len(ends))
    src, dst = (ends[(place[end] + shift) % len(ends)] for end in (rows.src, rows.dst))
    flows = Flows.of(src, dst, rows.rate_gbps * scale)
    nodes = len(topology.endpoint_nodes)
    nothing = () if flows.pairs else (f"{path} has no demand: nothing is sent",)
    assumed = {"repetita": "kbit/s", "sndlib": "Mbit/s"}.get(format) if unit is None else None
    phase = steady_phase("matrix", "matrix", network, nodes, flows)
    return WorkloadTraffic(
        id=context.id,
        kind="matrix",
        phases=(replace(phase, flows_per_pair=rows.queue_pairs or 1),) if flows.pairs else (),
        assumptions=(f"rates in the file are {assumed} (unit)",) if assumed else (),
        warnings=(*rows.warnings, *nothing),
    )
