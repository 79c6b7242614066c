"""``*.fpr``: a routed scenario as a manifest and columns, from which every face can be drawn again.

Kept are the networks, the loads per link and class, times, limits, certificates' bounds and the scenario's own text
with the files it names. Paths of single flows are not kept: opening re-routes nothing, what-ifs route anew.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import Field, asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from fabric.pipeline.run import Run
from fabric.request import RouteRequest
from fabric.result import (
    Assumption,
    HotLink,
    JobTime,
    LimitVerdict,
    LinkBands,
    LinkGroup,
    PhaseDraws,
    PhaseRoute,
    RouteResult,
    TierLoad,
    UnreachablePair,
)
from fabric.routing.router import Certificate, HashSpread
from fabric.saved.archive import Archive, array_bytes, bad, write_archive
from fabric.scenario.live_keys import refuse_live
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.scenario.provenance import envelope, version
from topologies.columns import column
from topologies.elements import Links, Nodes
from topologies.errors import FabricError
from topologies.topology import Topology
from traffic.demands import TrafficClass

SCHEMA = "fabric-planner/saved-result"
VERSION = 1
_MOST_FILE_BYTES = 64 * 2**20  # of a file that the scenario names and that is kept with it
_PARTS: dict[str, TypeAdapter[Any]] = {
    "jobs": TypeAdapter(tuple[JobTime, ...]),
    "limits": TypeAdapter(tuple[LimitVerdict, ...]),
    "items": TypeAdapter(tuple[HotLink, ...]),
    "folded": TypeAdapter(tuple[LinkGroup, ...]),
    "assumptions": TypeAdapter(tuple[Assumption, ...]),
}
_ENTRY: dict[str, TypeAdapter[Any]] = {
    "classes": TypeAdapter(tuple[TrafficClass, ...]),
    "tiers": TypeAdapter(tuple[TierLoad, ...]),
    "unreachable": TypeAdapter(tuple[UnreachablePair, ...]),
    "spread": TypeAdapter(HashSpread | None),
    "draws": TypeAdapter(PhaseDraws | None),
    "window_s": TypeAdapter(dict[str, float]),
    "way_s": TypeAdapter(dict[str, float]),
}
_ADDED: dict[str, Any] = {"draws": None, "way_s": {}}  # what older files do not have
_DTYPES: dict[str, type[np.generic]] = {"Ints": np.int32, "Floats": np.float64, "Bools": np.bool_}
_KIND_OF: dict[type[np.generic], str] = {np.int32: "iu", np.float64: "f", np.bool_: "b"}
_PLAIN = (
    "fabric", "phase", "router", "hottest_link", "links_over_capacity", "unreachable_pairs", "jobs_cut", "solver",
    "partial", "notes", "packet_slowdown",
)  # fmt: skip

_SINCE: dict[str, Any] = {"packet_slowdown": 1.0}  # what files written before they had it stand for


# ---- writing ------------------------------------------------------------------------------------------------------


def save_result(path: Path, run: Run, *, force: bool = False) -> None:
    """Write the result of a run, whole or not at all.

    Raises
    ------
    FormatError
        FP9101 where it cannot be written.
    """
    loaded, result = run.loaded, run.result
    members: dict[str, bytes] = {}
    topologies: dict[int, str] = {}
    fabrics: list[dict[str, Any]] = []
    for entry in result.routes:
        if id(entry.topology) not in topologies:
            folder = f"fabric{len(fabrics)}"
            topologies[id(entry.topology)] = folder
            fabrics.append({"folder": folder, **_topology(folder, entry.topology, members)})
    routes = []
    for number, entry in enumerate(result.routes):
        folder = f"phase{number}"
        members[f"{folder}/link_gbps.npy"] = array_bytes(entry.link_gbps)
        members[f"{folder}/utilisation.npy"] = array_bytes(entry.utilisation)
        if entry.link_bands is not None:
            members[f"{folder}/p5.npy"] = array_bytes(entry.link_bands.p5)
            members[f"{folder}/p95.npy"] = array_bytes(entry.link_bands.p95)
        routes.append({"folder": folder, "topology": topologies[id(entry.topology)], **_entry(entry)})
    for name, adapter in _PARTS.items():
        members[f"{name}.json"] = _json(adapter, getattr(result, name))
    sources = _sources(loaded, members)
    manifest = {
        **envelope("SavedResult", loaded),
        "schema": SCHEMA,
        "version": VERSION,
        "written_by": version(),
        "request": asdict(run.request),
        "fabrics": fabrics,
        "routes": routes,
        "warnings": list(result.warnings),
        "not_modelled": list(result.not_modelled),
        "scenario": {"path": loaded.path, "sources": sources},
    }
    write_archive(path, manifest, members, force=force)


def _topology(folder: str, topology: Topology, members: dict[str, bytes]) -> dict[str, Any]:
    for part, columns in (("nodes", topology.nodes), ("links", topology.links)):
        for field in fields(columns):
            values = getattr(columns, field.name)
            if field.name == "name":
                members[f"{folder}/nodes/name.json"] = TypeAdapter(list[str]).dump_json(list(values))
            else:
                members[f"{folder}/{part}/{field.name}.npy"] = array_bytes(values)
    members[f"{folder}/up.npy"] = array_bytes(topology.up)
    if topology.circuit is not None:
        members[f"{folder}/circuit.npy"] = array_bytes(topology.circuit)
    if topology.left is not None:
        members[f"{folder}/left.npy"] = array_bytes(topology.left)
    if topology.in_clear is not None:
        members[f"{folder}/in_clear.npy"] = array_bytes(topology.in_clear)
    return {
        **({"degraded": True} if topology.left is not None else {}),
        **({"encrypted": True} if topology.in_clear is not None else {}),
        "circuit": topology.circuit is not None,
        "name": topology.name,
        "kind": topology.kind,
        "roles": list(topology.roles),
        "tiers": list(topology.tiers),
        "nodes": len(topology.nodes),
        "links": len(topology.links),
    }


def _entry(entry: PhaseRoute) -> dict[str, Any]:
    record: dict[str, Any] = {name: getattr(entry, name) for name in _PLAIN}
    for name, adapter in _ENTRY.items():
        record[name] = _finite(adapter.dump_python(getattr(entry, name), mode="python"))
    record["max_utilisation"] = _finite(entry.max_utilisation)
    record["link_bands"] = entry.link_bands is not None
    record["best_possible"] = _certificate(entry.best_possible)
    record["certificate"] = None if entry.certificate is None else _certificate(entry.certificate)
    return {key: _listed(value) for key, value in record.items()}


def _json(adapter: TypeAdapter[Any], value: Any) -> bytes:
    return json.dumps(_finite(adapter.dump_python(value)), indent=1, ensure_ascii=False, allow_nan=False).encode()


def _certificate(found: Certificate) -> dict[str, Any]:
    return {"lower_bound": _finite(found.lower_bound), "witness": found.witness}


def _finite(value: Any) -> Any:
    """Plain values with infinities as text, which JSON has no word for."""
    if hasattr(value, "__dataclass_fields__"):
        value = asdict(value)
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _sources(loaded: LoadedScenario, members: dict[str, bytes]) -> list[dict[str, str]]:
    """The scenario's text and the files it names, under the paths they had."""
    refuse_live(loaded.tree.plain(), "a saved result")
    found: dict[str, bytes] = {name: text.encode() for name, text in loaded.sources.items()}
    for text in _texts(loaded.tree.plain()):
        try:
            place = loaded.directory / text
            if len(text) < 4096 and place.is_file() and place.stat().st_size <= _MOST_FILE_BYTES:
                found.setdefault(str(place), place.read_bytes())
        except (OSError, ValueError):
            continue
    listed = []
    for number, (name, data) in enumerate(found.items()):
        member = f"inputs/{number}"
        members[member] = data
        listed.append({"path": name, "member": member})
    return listed


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)


# ---- reading ------------------------------------------------------------------------------------------------------


def open_result(path: Path) -> Run:
    """Read a result back; it routes again where the scenario's files were kept or are still there.

    Raises
    ------
    FormatError
        FP9102 for a damaged file or another one, FP9103 for one of a newer version.
    """
    archive = Archive(path)
    manifest = archive.manifest
    if manifest.get("schema") != SCHEMA:
        raise bad(path, "not a saved result", "fabric route SCENARIO --save FILE.fpr makes one")
    found = manifest.get("version")
    if not isinstance(found, int) or found > VERSION:
        from topologies.errors import FormatError

        raise FormatError(
            f"{path} was saved in version {found} of the format, this program reads up to {VERSION}",
            hint=f"upgrade fabric-planner; it was written by {manifest.get('written_by', 'a newer one')}",
            code="FP9103",
        )
    try:
        topologies = {record["folder"]: _read_topology(archive, record) for record in manifest["fabrics"]}
        routes = tuple(_read_entry(archive, record, topologies) for record in manifest["routes"])
        # Results saved before there were draws and folded links have neither.
        parts = {
            name: adapter.validate_python(archive.record(f"{name}.json"))
            for name, adapter in _PARTS.items()
            if name != "folded" or f"{name}.json" in manifest["members"]
        }
        result = RouteResult(
            routes=routes,
            warnings=tuple(manifest["warnings"]),
            not_modelled=tuple(manifest["not_modelled"]),
            **parts,
        )
        request = TypeAdapter(RouteRequest).validate_python(manifest["request"])
        overrides = [f"{entry['set']}={entry['value']}" for entry in manifest["overrides"]]
        scenario = manifest["scenario"]
        named, sources = str(scenario["path"]), [(str(one["path"]), str(one["member"])) for one in scenario["sources"]]
    except (KeyError, TypeError, AttributeError, ValidationError, ValueError) as error:
        raise bad(path, f"its manifest does not say what it has to ({type(error).__name__}: {error})"[:300]) from None
    return Run(_scenario(archive, named, sources, overrides), request, result, str(path), saved=True)


def _read_topology(archive: Archive, record: Mapping[str, Any]) -> Topology:
    folder, nodes, links = str(record["folder"]), int(record["nodes"]), int(record["links"])

    def read(part: str, field: Field[Any], size: int) -> Any:
        dtype = _DTYPES[str(field.type)]
        values = archive.array(f"{folder}/{part}/{field.name}.npy", _KIND_OF[dtype], (size,))
        if dtype is np.int32 and len(values) and not -(2**31) <= values.min() <= values.max() < 2**31:
            raise bad(archive.path, f"{folder}/{part}/{field.name} has numbers beyond 32 bits")
        return column(values, dtype)

    names = tuple(archive.record(f"{folder}/nodes/name.json"))
    if len(names) != nodes or not all(isinstance(name, str) for name in names):
        raise bad(archive.path, f"{folder} has {len(names)} names of {nodes} nodes")
    node_columns = {f.name: read("nodes", f, nodes) for f in fields(Nodes) if f.name != "name"}
    link_columns = {f.name: read("links", f, links) for f in fields(Links)}
    ends = np.concatenate([link_columns["src"], link_columns["dst"]])
    if len(ends) and (ends.min() < 0 or ends.max() >= nodes):
        raise bad(archive.path, f"links of {folder} end at nodes that are not there")
    codes = (
        ("role", node_columns["role"], 0, len(record["roles"])),
        ("tier", link_columns["tier"], 0, len(record["tiers"])),
        ("reverse", link_columns["reverse"], -1, links),
    )
    for name, values, least, below in codes:
        if len(values) and not least <= values.min() <= values.max() < below:
            raise bad(archive.path, f"{folder}: {name} has values that are not from {least} to {below - 1}")
    has_circuits = bool(record.get("circuit"))
    circuit = column(archive.array(f"{folder}/circuit.npy", "iu", (links,)), np.int32) if has_circuits else None
    left = column(archive.array(f"{folder}/left.npy", "f", (links,)), np.float64) if record.get("degraded") else None
    if left is not None and len(left) and not 0 <= left.min() <= left.max() <= 1:
        raise bad(archive.path, f"{folder}: left has values that are not from 0 to 1")
    encrypted = bool(record.get("encrypted"))
    in_clear = column(archive.array(f"{folder}/in_clear.npy", "f", (links,)), np.float64) if encrypted else None
    if in_clear is not None and len(in_clear) and not 0 < in_clear.min() <= in_clear.max() <= 1:
        raise bad(archive.path, f"{folder}: in_clear has values that are not above 0 and at most 1")
    return Topology(
        str(record["name"]),
        str(record["kind"]),
        tuple(record["roles"]),
        tuple(record["tiers"]),
        Nodes(names, **node_columns),
        Links(**link_columns),
        column(archive.array(f"{folder}/up.npy", "b", (links,)), np.bool_),
        circuit=circuit,
        left=left,
        in_clear=in_clear,
    )


def _read_entry(archive: Archive, record: Mapping[str, Any], topologies: Mapping[str, Topology]) -> PhaseRoute:
    topology, folder = topologies[record["topology"]], str(record["folder"])
    found: dict[str, Any] = {
        name: adapter.validate_python(record.get(name, _ADDED[name]) if name in _ADDED else record[name])
        for name, adapter in _ENTRY.items()
    }
    given = {**_SINCE, **record}
    plain: dict[str, Any] = {
        name: tuple(given[name]) if isinstance(given[name], list) else given[name] for name in _PLAIN
    }
    size = len(topology.links)
    certificate = record["certificate"]
    return PhaseRoute(
        topology=topology,
        link_gbps=column(archive.array(f"{folder}/link_gbps.npy", "f", (size, len(found["classes"]))), np.float64),
        utilisation=column(archive.array(f"{folder}/utilisation.npy", "f", (size,)), np.float64),
        max_utilisation=float(record["max_utilisation"]),
        best_possible=_read_certificate(record["best_possible"]),
        solve_time_s=None,
        certificate=None if certificate is None else _read_certificate(certificate),
        link_bands=_read_bands(archive, folder, size) if record.get("link_bands") else None,
        **found,
        **plain,
    )


def _read_bands(archive: Archive, folder: str, size: int) -> LinkBands:
    p5, p95 = (column(archive.array(f"{folder}/{name}.npy", "f", (size,)), np.float64) for name in ("p5", "p95"))
    return LinkBands(p5, p95)


def _read_certificate(record: Mapping[str, Any]) -> Certificate:
    return Certificate(float(record["lower_bound"]), str(record["witness"]))


def _scenario(archive: Archive, named: str, sources: list[tuple[str, str]], overrides: list[str]) -> LoadedScenario:
    """The scenario from the file it was, where that is unchanged, else from the text that was kept."""
    if named not in dict(sources):
        raise bad(archive.path, "it does not keep the text of its scenario")
    kept = {path: archive.member(member) for path, member in sources}
    try:
        if all(Path(path).read_bytes() == data for path, data in kept.items()):
            return load_scenario(named, overrides=overrides)
    except (OSError, ValueError, FabricError):
        pass
    folder = Path(tempfile.mkdtemp(prefix="fabric-saved-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    whole = {path: os.path.abspath(path) for path in kept}  # noqa: PTH100 - nothing is looked up
    root = os.path.commonpath([str(Path(path).parent) for path in whole.values()])
    for path, data in kept.items():
        place = folder / os.path.relpath(whole[path], root)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    start = folder / os.path.relpath(whole.get(named, os.path.abspath(named)), root)  # noqa: PTH100
    return load_scenario(start, overrides=overrides)
