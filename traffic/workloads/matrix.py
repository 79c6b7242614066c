"""``matrix``: steady demand read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from topologies.errors import FormatError, TrafficError, nearest_hint
from topologies.registry import Injected
from topologies.units import Ratio, TimeS
from traffic.demands import Flows
from traffic.formula import formula
from traffic.storage.phases import steady_phase
from traffic.workload import DEMAND_FORMATS, WORKLOADS, WorkloadContext, WorkloadTraffic

_NAMES_NODES = "names nodes itself; addresses are for measured traffic"


@WORKLOADS.register("matrix", example={"format": "repetita", "path": "net.demands"})
def matrix(
    format: str,  # noqa: A002
    path: str,
    fabric: str | None = None,
    unit: Literal["kbps", "Mbps", "Gbps"] | None = None,
    addresses: str | None = None,
    max_unknown: Annotated[Ratio, Field(le=1)] | None = None,
    duration: Annotated[TimeS, Field(gt=0)] | None = None,
    repeats: Literal["once", "all"] | None = None,
    received: str | None = None,
    values: Literal["counters", "bytes/s", "bits/s"] | None = None,
    devices: list[str] | None = None,
    demand_model: Literal["directed", "undirected"] | None = None,
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
    max_unknown : float, optional
        Share of measured bytes that may belong to no endpoint; more is refused. 50% if absent.
    duration : float, optional
        Time that captures or flow records were taken over; from the first to the last packet or record if absent.
    repeats : {'once', 'all'}, optional
        What captures and flow records count that tell of the same traffic twice, where that is not sure.
    received : str, optional
        For prometheus: file of what hosts received, where ``path`` has what they sent.
    values : {'counters', 'bytes/s', 'bits/s'}, optional
        For prometheus: what the values are, where the name of the metric does not say so.
    devices : list of str, optional
        For prometheus: network devices that are counted, such as ``eth*``.
    demand_model : {'directed', 'undirected'}, optional
        For sndlib: whether a demand goes one way or both; one way if absent.
    scale : float
        Factor on all rates: 1000 for a mirror that samples one packet in 1,000. Several matrices, and modelled jobs,
        add up.
    shift : int
        Every endpoint's traffic moves to the one so many places further in the order of the topology.

    Returns
    -------
    WorkloadTraffic
        One steady phase ``matrix``.

    Raises
    ------
    FormatError
        With file and line; when nothing is left of the file (FP6226).
    TrafficError
        When the format is unknown (FP4060) or has no use for a key (FP4061).
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
    given = {
        "addresses": None if addresses is None else context.directory / addresses,
        "received": None if received is None else context.directory / received,
        "max_unknown": max_unknown, "duration": duration, "repeats": repeats, "values": values, "devices": devices,
        "demand_model": demand_model,
    }  # fmt: skip
    known = _keys_of(format, {key: value for key, value in given.items() if value is not None})
    rows = read.function(path=context.directory / path, topology=topology, unit=unit, **known)
    ends = topology.endpoint_nodes
    place = np.zeros(len(topology.nodes), dtype=np.int64)
    place[ends] = np.arange(len(ends))
    src, dst = (ends[(place[end] + shift) % len(ends)] for end in (rows.src, rows.dst))
    flows = Flows.of(src, dst, rows.rate_gbps * scale)
    nodes = len(topology.endpoint_nodes)
    if not flows.pairs or not flows.total:
        left_out = "; ".join(rows.warnings)
        raise FormatError(
            f"nothing is left of the demand: {left_out}" if left_out else "the file has no demand above 0",
            file=str(context.directory / path), hint="a workload that sends nothing is left out of the scenario",
            code="FP6226",
        )  # fmt: skip
    demand = formula(
        "D * f",
        f"demand read from {path}",
        "Gbps",
        D=(flows.total / scale, "between endpoints of the fabric, Gbps"),
        f=(scale, "scale"),
    )
    phase = steady_phase("matrix", "matrix", network, nodes, flows, demand)
    context.say(*rows.notes)
    return WorkloadTraffic(
        id=context.id,
        kind="matrix",
        phases=(replace(phase, flows_per_pair=rows.queue_pairs or 1),),
        warnings=rows.warnings,
    )


def _keys_of(format: str, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002
    """The keys given, all of which the format must know."""
    fields = DEMAND_FORMATS[format].model.model_fields
    for key in given:
        if key not in fields:
            users = [entry.name for entry in DEMAND_FORMATS if key in entry.model.model_fields]
            what = _NAMES_NODES if key == "addresses" else f"has no use for {key}, which is for {', '.join(users)}"
            raise TrafficError(f"{format} {what}", where=key, hint=f"leave {key} out", code="FP4061")
    return dict(given)
