"""Reading certificate files: a zip of ``manifest.json`` and ``.npy`` columns.

Here a file is refused that is not a certificate at all: truncated, of another version, with missing columns, with
numbers that no network has. Everything a well-formed file can be wrong about is a refuted claim, not an error.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fabric.certificate_check.columns import (
    PROOFS,
    ROUTINGS,
    SCHEMA,
    VERSION,
    AllowedColumns,
    CertificateFile,
    Claims,
    DemandColumns,
    FabricColumns,
    Floats,
    FlowColumns,
    ObjectiveColumns,
    PathColumns,
    PhaseColumns,
    ServedColumns,
    SplitColumns,
    StageColumns,
    WhatIf,
)
from fabric.certificate_check.form import HINT, Columns, Entry, bad_manifest
from topologies.errors import FormatError
from topologies.reading.json_value import parse_json
from topologies.reading.zip_columns import BadZipError, BoundedZip

MANIFEST = "manifest.json"
_MOST_MANIFEST_BYTES = 256 * 2**20
_PARTS = ("all", "parts")
_MOST_PRICE = 1e250  # of prices and weights: sums along a path stay finite, so that no path looks like none


def read_certificate(path: Path) -> CertificateFile:
    """Read and check the form of a certificate file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    CertificateFile

    Raises
    ------
    FormatError
        FP6040 not readable, FP6041 a bad manifest, FP6042 a bad column, FP6043 a bad value.
    """
    try:
        with BoundedZip(path) as archive:
            return _certificate(archive, path.name)
    except BadZipError as error:
        raise FormatError(f"{path}: {error}", hint="was it truncated? " + HINT, code="FP6040") from None
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror or error}", hint=HINT, code="FP6040") from None


def _certificate(archive: BoundedZip, name: str) -> CertificateFile:
    if MANIFEST not in archive.names:
        raise FormatError(f"{name} has no {MANIFEST}: it is not a certificate", hint=HINT, code="FP6041")
    try:
        text = archive.read(MANIFEST, most=_MOST_MANIFEST_BYTES).decode()
    except UnicodeDecodeError as error:
        raise bad_manifest(f"not JSON: {error}") from None
    top = Entry(parse_json(text, MANIFEST, code="FP6041", hint=HINT).value, "manifest")
    schema, version = top.text("schema"), top.count("version")
    if (schema, version) != (SCHEMA, VERSION):
        raise bad_manifest(f"schema {schema!r} version {version}; this program reads {SCHEMA!r} version {VERSION}")
    fabrics = {entry.text("name"): _fabric(archive, entry) for entry in top.entries("fabrics")}
    scenario = top.entry("scenario")
    return CertificateFile(
        scenario=scenario.text("name"),
        sha256=scenario.text("sha256"),
        seed=top.count("seed"),
        tool_version=top.entry("tool").text("version"),
        overrides=tuple(f"{entry.text('set')}={entry.text('value')}" for entry in top.entries("overrides")),
        what_if=_what_if(top.entry("what_if")) if top.has("what_if") else WhatIf(),
        phases=tuple(_phase(archive, entry, fabrics) for entry in top.entries("phases")),
    )


def _what_if(entry: Entry) -> WhatIf:
    return WhatIf(entry.texts("down"), entry.texts("up"), entry.texts("slow"), entry.needed("scale"))


def _fabric(archive: BoundedZip, entry: Entry) -> FabricColumns:
    columns = Columns(archive, entry.text("columns"))
    name = columns.texts("node_name")
    src = columns.ints("link_src", below=len(name))
    return FabricColumns(
        name=entry.text("name"),
        node_name=name,
        node_level=columns.ints("node_level", len(name)) if columns.has("node_level") else None,
        node_forwards=columns.bools("node_forwards", len(name)),
        link_src=src,
        link_dst=columns.ints("link_dst", len(src), below=len(name)),
        link_capacity_gbps=columns.floats("link_capacity_gbps", len(src)),
        link_weight=columns.floats("link_weight", len(src), positive=True, most=_MOST_PRICE),
        link_up=columns.bools("link_up", len(src)),
    )


def _phase(archive: BoundedZip, entry: Entry, fabrics: dict[str, FabricColumns]) -> PhaseColumns:
    fabric = fabrics.get(entry.text("fabric"))
    if fabric is None:
        raise bad_manifest(f"{entry.place}.fabric is not the name of a fabric of the file")
    columns = Columns(archive, entry.text("columns"))
    nodes, links = len(fabric.node_name), len(fabric.link_src)
    # A point is a switch or at least one endpoint's way in or out, so there cannot be more of them.
    send = columns.ints("send_point", nodes, below=2 * nodes, least=-1)
    receive = columns.ints("receive_point", nodes, below=2 * nodes, least=-1)
    points = int(max(send.max(initial=-1), receive.max(initial=-1))) + 1
    link_edge = columns.ints("link_edge", links, below=links, least=-1)
    edges = int(link_edge.max(initial=-1)) + 1
    claims, routing, proof = entry.entry("claims"), entry.text("routing", ROUTINGS), entry.text("proof", PROOFS)
    offered = claims.needed("offered_gbps")
    admitted = claims.number("admitted_gbps") if claims.has("admitted_gbps") else None
    stages = _stages(columns, edges) if entry.has("stages") else None
    return PhaseColumns(
        fabric=fabric,
        phase=entry.text("phase"),
        router=entry.text("router"),
        objective=entry.text("objective"),
        path_policy=entry.text("path_policy"),
        routing=routing,
        proof=proof,
        claims=Claims(
            claims.number("max_utilisation"), claims.number("lower_bound"), claims.number("gap"), offered, admitted
        ),
        witness=entry.text("witness"),
        pairs_left_out=entry.count("pairs_left_out"),
        send_point=send,
        receive_point=receive,
        link_edge=link_edge,
        demand=_demand(columns, nodes),
        served=_served(columns, points, stages) if entry.text("served", _PARTS) == "parts" else None,
        usable_part=_usable(columns, edges) if entry.text("usable", _PARTS) == "parts" else None,
        price=columns.floats("price", edges, most=_MOST_PRICE) if proof == "prices" else None,
        splits=_splits(columns, points, edges) if routing == "splits" else None,
        paths=_paths(columns, points, edges) if routing == "paths" else None,
        flows=_flows(columns, points, edges) if routing == "flows" else None,
        via=columns.ints("via_point", below=points) if routing == "via" else None,
        load_gbps=columns.floats("load_gbps", edges) if routing == "loads" else None,
        allowed=_allowed(columns, points, edges, entry.count("k_paths")) if entry.has("k_paths") else None,
        proven=_proven(columns, edges, entry.entry("objective_claims"), stages)
        if entry.has("objective_claims")
        else None,
    )


def _demand(columns: Columns, nodes: int) -> DemandColumns:
    src = columns.ints("demand_src", below=nodes)
    gbps = columns.floats("block_gbps")
    member = columns.ints("block_member", below=nodes)
    start = columns.starts("block_start", len(member), len(gbps))
    found = DemandColumns(
        src=src,
        dst=columns.ints("demand_dst", len(src), below=nodes),
        gbps=columns.floats("demand_gbps", len(src)),
        block_start=start,
        block_member=member,
        block_gbps=gbps,
    )
    if (found.src == found.dst).any():
        raise FormatError("a node sends to itself in the demand", hint=HINT, code="FP6043")
    block = np.repeat(np.arange(len(gbps)), np.diff(start))
    if len(np.unique(block * nodes + member)) < len(member):
        raise FormatError("a block of the demand has a member twice", hint=HINT, code="FP6043")
    return found


def _served(columns: Columns, points: int, stages: StageColumns | None) -> ServedColumns:
    src = columns.ints("served_src", below=points)
    dst = columns.ints("served_dst", len(src), below=points)
    stage = np.full(len(src), -1)
    if stages is not None:
        stage = columns.ints("served_stage", len(src), below=len(stages.start) - 1, least=-1)
    if len(np.unique(dst * points + src)) < len(src):
        raise FormatError("a pair of points is served twice", hint=HINT, code="FP6043")
    return ServedColumns(src, dst, columns.floats("served_part", len(src), most=1.0), stage)


def _stages(columns: Columns, edges: int) -> StageColumns:
    edge = columns.ints("stage_edge", below=edges)
    return StageColumns(
        columns.starts("stage_start", len(edge)), edge, columns.floats("stage_price", len(edge), most=_MOST_PRICE)
    )


def _proven(columns: Columns, edges: int, claims: Entry, stages: StageColumns | None) -> ObjectiveColumns:
    return ObjectiveColumns(
        figure=claims.text("figure"),
        unit=claims.text("unit"),
        value=claims.needed("value"),
        bound=claims.needed("bound"),
        most_utilisation=claims.number("most_utilisation"),
        levels_gap=claims.number("levels_gap"),
        price=columns.floats("objective_price", edges, most=_MOST_PRICE),
        stages=stages,
    )


def _usable(columns: Columns, edges: int) -> Floats:
    return columns.floats("usable_part", edges, positive=True, most=1.0)


def _splits(columns: Columns, points: int, edges: int) -> SplitColumns:
    point = columns.ints("splits_point", below=points)
    edge = columns.ints("splits_edge", below=edges)
    start = columns.starts("splits_start", len(edge), len(point))
    if len(np.unique(point)) < len(point):
        raise FormatError("a destination point has splits twice", hint=HINT, code="FP6043")
    return SplitColumns(point, start, edge, columns.floats("splits_part", len(edge)))


def _flows(columns: Columns, points: int, edges: int) -> FlowColumns:
    point = columns.ints("flows_point", below=points)
    edge = columns.ints("flows_edge", below=edges)
    start = columns.starts("flows_start", len(edge), len(point))
    if len(np.unique(point)) < len(point):
        raise FormatError("a destination point has flows twice", hint=HINT, code="FP6043")
    return FlowColumns(point, start, edge, columns.floats("flows_gbps", len(edge)))


def _allowed(columns: Columns, points: int, edges: int, most: int) -> AllowedColumns:
    src = columns.ints("allowed_src", below=points)
    edge = columns.ints("allowed_edge", below=edges)
    return AllowedColumns(
        most=most,
        src=src,
        dst=columns.ints("allowed_dst", len(src), below=points),
        start=columns.starts("allowed_start", len(edge), len(src)),
        edge=edge,
    )


def _paths(columns: Columns, points: int, edges: int) -> PathColumns:
    src = columns.ints("paths_src", below=points)
    edge = columns.ints("paths_edge", below=edges)
    return PathColumns(
        src=src,
        dst=columns.ints("paths_dst", len(src), below=points),
        gbps=columns.floats("paths_gbps", len(src)),
        start=columns.starts("paths_start", len(edge), len(src)),
        edge=edge,
    )
