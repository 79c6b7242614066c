"""Certificate files: the links, the demand, the routing and the prices of a result, for anyone to check.

A zip of ``manifest.json`` and ``.npy`` columns, as ``docs/certificate.md`` describes and ``numpy.load`` reads. The same
result gives the same bytes: no times in it, members in fixed order. Written beside and renamed, so that a file is whole
or not there.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fabric.certificate_check.columns import MIN_MAX, SCHEMA, VERSION
from fabric.output.numbers import finite
from fabric.pipeline.run import Run
from fabric.result import PhaseRoute, Routed
from fabric.routing.graph import RoutingGraph
from fabric.routing.names import GIVEN_PATHS
from fabric.routing.router import Certificate, ObjectiveProof, PairTraffic, access_bound, traits_of
from fabric.saved.certificate_routing import Columns, routing_columns
from fabric.scenario.provenance import version
from topologies.errors import FormatError
from topologies.topology import Topology
from topologies.whole_file import whole_file

_SAME = 1e-9  # relative; two ways to the same number
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can say


def write_certificate(path: Path, run: Run, *, force: bool = False) -> None:
    """Write what a result claims, and all that is needed to check it.

    Parameters
    ----------
    path : Path
        The file; any suffix.
    run : Run
        Its scenario's name, hash, seed and overrides are in the file; routes without ``routed`` cannot be certified and
        are left out.
    force : bool
        Overwrite an existing file.

    Raises
    ------
    FormatError
        FP6044 when the file exists or cannot be written.
    """
    if (path.is_file() or path.is_dir()) and not force:
        raise FormatError(f"{path} exists", hint="--force overwrites it", code="FP6044")
    try:
        with whole_file(path) as place, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            _write(archive, run)
    except OSError as error:
        raise FormatError(f"{path} cannot be written: {error.strerror or error}", code="FP6044") from None


def _write(archive: zipfile.ZipFile, run: Run) -> None:
    loaded, result, asked = run.loaded, run.result, run.request
    certified = [(entry, entry.routed) for entry in result.routes if entry.routed is not None]
    topologies = {entry.fabric: entry.topology for entry, _ in certified}
    fabrics = []
    for number, (name, topology) in enumerate(topologies.items()):
        _save(archive, f"fabric{number}", fabric_columns(topology))
        fabrics.append({"name": name, "columns": f"fabric{number}"})
    phases = []
    for number, (entry, routed) in enumerate(certified):
        kind, columns = _phase_columns(entry, routed)
        _save(archive, f"phase{number}", columns)
        phases.append({**_claims(entry, routed, columns), "routing": kind, "columns": f"phase{number}"})
    manifest = {
        "schema": SCHEMA,
        "version": VERSION,
        "tool": {"name": "fabric-planner", "version": version()},
        "scenario": {"name": loaded.scenario.name, "sha256": loaded.sha256},
        "overrides": [{"set": entry.path, "value": entry.value} for entry in loaded.overrides],
        "what_if": {
            "down": list(asked.down),
            "up": list(asked.up),
            "slow": list(asked.slow),
            "scale": asked.scale,
        },
        "seed": loaded.scenario.seed,
        "fabrics": fabrics,
        "phases": phases,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False, default=str)
    _member(archive, "manifest.json", text.encode())


def _save(archive: zipfile.ZipFile, folder: str, columns: Mapping[str, NDArray[Any]]) -> None:
    for name, values in columns.items():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.ascontiguousarray(values), allow_pickle=False)
        _member(archive, f"{folder}/{name}.npy", buffer.getvalue())


def _member(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, data)


def fabric_columns(topology: Topology) -> Columns:
    """Nodes and links of a network, all of them."""
    nodes, links = topology.nodes, topology.with_left_capacity.links
    return {
        "node_name": np.array(nodes.name, dtype=np.str_),
        "node_forwards": nodes.forwards,
        "node_level": nodes.level,
        "link_src": links.src,
        "link_dst": links.dst,
        "link_capacity_gbps": links.capacity_gbps,
        "link_weight": links.weight,
        "link_up": topology.up,
    }


def _phase_columns(entry: PhaseRoute, routed: Routed) -> tuple[str, Columns]:
    """Kind of the routing, and all columns of a phase."""
    graph, routing = routed.graph, routed.routing
    columns = {
        "send_point": graph.source,
        "receive_point": graph.sink,
        "link_edge": _edge_of_link(graph),
        **demand_columns(routed.pairs),
        **_served_columns(entry, routed),
    }
    proof = entry.best_possible
    if routing.usable is not None:
        columns["usable_part"] = routing.usable
    if proof.price is not None:
        columns["price"] = proof.price
    kind, routing_part = routing_columns(entry.router, routed)
    allowed, objective = _allowed_columns(entry, routed), _objective_columns(proof.objective, routed)
    return kind, columns | routing_part | allowed | objective


def _allowed_columns(entry: PhaseRoute, routed: Routed) -> Columns:
    """The paths that a policy gives every pair, used or not; none under policies that need no list."""
    if entry.certificate is None or routed.options.paths != GIVEN_PATHS:
        return {}
    from fabric.routing.k_paths import k_shortest_paths

    paths, demand = k_shortest_paths(routed.graph, routed.demand, routed.options.k_paths), routed.demand
    return {
        "allowed_src": demand.src[paths.entry],
        "allowed_dst": demand.dest_of_entry[paths.entry],
        "allowed_start": paths.start,
        "allowed_edge": paths.edge,
    }


def _objective_columns(proof: ObjectiveProof | None, routed: Routed) -> Columns:
    """Prices of the objective's bound, and of the stages that prove a fair filling."""
    if proof is None:
        return {}
    edges = len(routed.graph.src)
    columns: Columns = {"objective_price": np.zeros(edges) if proof.price is None else proof.price}
    if proof.stages:
        priced = [np.flatnonzero(stage.price > 0) for stage in proof.stages]
        columns["stage_start"] = np.concatenate([[0], np.cumsum([len(edge) for edge in priced])]).astype(np.int64)
        columns["stage_edge"] = np.concatenate(priced).astype(np.int32)
        columns["stage_price"] = np.concatenate(
            [stage.price[edge] for stage, edge in zip(proof.stages, priced, strict=True)]
        )
    return columns


def _edge_of_link(graph: RoutingGraph) -> NDArray[np.int32]:
    """Edge of every topology link, shape (L,); -1 where routing has no choice or no use of the link."""
    edge_of = np.full(len(graph.topology.links), -1, dtype=np.int32)
    core = np.flatnonzero(graph.link_of >= 0)
    edge_of[graph.link_of[core]] = core
    edge_of[graph.member_link] = graph.member_edge
    return edge_of


def demand_columns(pairs: Sequence[PairTraffic]) -> Columns:
    """Rows and blocks of all traffic classes, in Gbps on the wire."""
    blocks = [(block, pair.gbps_per_unit) for pair in pairs for block in pair.flows.blocks]
    sizes = [len(block.members) for block, _ in blocks]
    none = np.empty(0, dtype=np.int32)
    return {
        "demand_src": np.concatenate([none, *(pair.flows.src for pair in pairs)]),
        "demand_dst": np.concatenate([none, *(pair.flows.dst for pair in pairs)]),
        "demand_gbps": np.concatenate([np.empty(0), *(pair.flows.amount * pair.gbps_per_unit for pair in pairs)]),
        "block_start": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        "block_member": np.concatenate([none, *(block.members for block, _ in blocks)]),
        "block_gbps": np.array([block.amount * scale for block, scale in blocks], dtype=np.float64),
    }


def _served_columns(entry: PhaseRoute, routed: Routed) -> Columns:
    """Pairs of points of which less than all is routed; none where all is."""
    demand, part = routed.demand, _admitted_part(routed)
    cut = np.flatnonzero(part < 1)
    if not len(cut):
        return {}
    columns: Columns = {
        "served_src": demand.src[cut],
        "served_dst": demand.dest_of_entry[cut],
        "served_part": part[cut],
    }
    if entry.objective is not None and entry.objective.stages:
        stage_of = np.full(len(demand.src), -1, dtype=np.int32)
        for number, stage in enumerate(entry.objective.stages):
            stage_of[stage.stopped] = number
        columns["served_stage"] = stage_of[cut]
    return columns


def _admitted_part(routed: Routed) -> NDArray[np.float64]:
    """Part of every entry of the demand that is routed, shape (nnz,)."""
    routing = routed.routing
    part = np.ones(len(routed.demand.src)) if routing.admitted is None else np.clip(routing.admitted, 0.0, 1.0)
    return np.where(routing.unreachable, 0.0, part)


def _claims(entry: PhaseRoute, routed: Routed, columns: Columns) -> dict[str, Any]:
    """What the manifest says of a phase."""
    proof, own_proof = entry.best_possible, entry.certificate is not None
    # Of what cuts demand, a bound over all of it says nothing.
    bound = finite(proof.lower_bound) if own_proof or routed.routing.admitted is None else None
    theta = finite(entry.max_utilisation)
    offered = sum(pair.flows.total * pair.gbps_per_unit for pair in routed.pairs)
    return {
        "fabric": entry.fabric,
        "phase": entry.phase,
        "router": entry.router,
        "objective": routed.options.objective
        if traits_of(entry.router).takes_objective or routed.routing.admitted is not None
        else MIN_MAX,
        "path_policy": routed.options.paths if own_proof else "any",
        "solver": entry.solver,
        "partial": entry.partial,
        "claims": {
            "max_utilisation": theta,
            "lower_bound": bound,
            "gap": max(theta / bound - 1, 0.0) if theta is not None and bound else None,
            "offered_gbps": float(offered),
            "admitted_gbps": float(offered - routed.demand.total_gbps @ (1 - _admitted_part(routed))),
        },
        "objective_claims": _objective_claims(proof.objective),
        "stages": "all" if "stage_start" in columns else None,
        "k_paths": routed.options.k_paths if "allowed_start" in columns else None,
        "witness": proof.witness,
        "pairs_left_out": entry.unreachable_pairs,
        "served": "parts" if "served_part" in columns else "all",
        "usable": "parts" if "usable_part" in columns else "all",
        "proof": _proof_kind(proof, routed),
    }


def _objective_claims(proof: ObjectiveProof | None) -> dict[str, Any] | None:
    """What the manifest says of an objective other than least utilisation."""
    if proof is None:
        return None
    return {
        "figure": proof.name,
        "unit": proof.unit,
        "value": max(proof.value, 0.0),
        "bound": max(proof.bound, 0.0),
        "most_utilisation": proof.most_utilisation,
        "levels_gap": None if proof.levels_gap is None else finite(proof.levels_gap),
    }


def _proof_kind(proof: Certificate, routed: Routed) -> str:
    """Prices, or the fullest access link, which the checker finds again."""
    if proof.price is not None:
        return "prices"
    access, _ = access_bound(routed.graph, routed.demand)
    return "access" if proof.lower_bound <= access * (1 + _SAME) else "none"
