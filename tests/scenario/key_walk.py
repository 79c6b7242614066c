"""A walk over every key of the schema: does another value change an answer, the note, or make an error of its own?"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import itertools
import json
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from fabric.bill.count import bill_of
from fabric.faces.report.content import Words
from fabric.faces.report.sections.model import model_section
from fabric.faces.report.source import ReportSource
from fabric.failures.enumerate import named_set
from fabric.failures.part_finder import PartFinder
from fabric.failures.rates import Rates
from fabric.operate.load_check.sources import sources_of
from fabric.pipeline.network import Network, build_network
from fabric.pipeline.prepared import PreparedScenario, derive_traffic
from fabric.pipeline.run import Run
from fabric.pipeline.stages import route_prepared_scenario
from fabric.pipeline.tables import address_options
from fabric.pipeline.tenants import tenancies
from fabric.request import RouteRequest
from fabric.rules.addressing import plan_addresses
from fabric.scenario.failure_rates import RATED_KINDS
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.scenario.racks import host_racks
from fabric.scenario.schema import not_yet_modelled
from fabric.scenario.workload_schema import SharingKeys, Workload
from fabric.share.interference.interference import InterferenceRequest, interference
from fabric.share.storage.cluster import cluster_of
from fabric.share.storage.volumes import manifests
from topologies.errors import FabricError
from topologies.registry import Spec

Data = Any
Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Holder:
    """A mapping of a scenario that is read as one model."""

    model: type[BaseModel]
    where: Path_
    containers: frozenset[str]  # keys whose values are models again


def holders(spec: object, where: Path_ = ()) -> Iterator[Holder]:
    """Every model of a validated scenario, with its place."""
    if isinstance(spec, Workload):
        yield from holders(spec.spec, where)
        yield Holder(SharingKeys, where, frozenset())
    elif isinstance(spec, Spec):
        fields = type(spec).model_fields
        inside = {field.alias or name for name, field in fields.items() if is_container(getattr(spec, name))}
        yield Holder(type(spec), where, frozenset(inside))
        for name, field in type(spec).model_fields.items():
            yield from holders(getattr(spec, name), (*where, field.alias or name))
    elif isinstance(spec, dict):
        for key, child in spec.items():
            yield from holders(child, (*where, str(key)))
    elif isinstance(spec, tuple | list):
        for index, child in enumerate(spec):
            yield from holders(child, (*where, index))


def is_container(spec: object) -> bool:
    """Whether a value consists of models, whose own keys are walked."""
    if isinstance(spec, dict):
        return bool(spec) and all(map(is_container, spec.values()))
    if isinstance(spec, tuple | list):
        return bool(spec) and all(map(is_container, spec))
    return isinstance(spec, Spec)


def part(data: Data, where: Path_) -> Data:
    """What stands at a place; None where nothing does."""
    for key in where:
        if not isinstance(data, dict | list) or (isinstance(data, dict) and key not in data):
            return None
        data = data[key]
    return data


def changed(data: Data, where: Path_, key: str, value: Data) -> Data:
    """A copy with one key of a mapping set, or taken away for ``...``."""
    copied = copy.deepcopy(data)
    here = copied
    for name in where:
        here = here.setdefault(name, {}) if isinstance(here, dict) else here[name]
    if value is ...:
        here.pop(key, None)
    else:
        here[key] = value
    return copied


# ---- answers ---------------------------------------------------------------------------------------------------------


def digest(value: object) -> str:
    """A text that differs where two answers do; what is measured or only points elsewhere is left out."""
    hasher = hashlib.blake2b()
    _feed(hasher, value, set())
    return hasher.hexdigest()


_LEFT_OUT = {"solve_time_s", "routed"}


def _feed(hasher: Any, value: object, seen: set[int]) -> None:
    if isinstance(value, np.ndarray):
        hasher.update(str((value.dtype, value.shape)).encode() + value.tobytes())
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name not in _LEFT_OUT:
                hasher.update(field.name.encode())
                _feed(hasher, getattr(value, field.name), seen)
    elif isinstance(value, dict):
        for key, child in value.items():
            hasher.update(repr(key).encode())
            _feed(hasher, child, seen)
    elif isinstance(value, tuple | list):
        hasher.update(f"[{len(value)}".encode())
        for child in value:
            _feed(hasher, child, seen)
    else:
        hasher.update(repr(value).encode())


def answers(loaded: LoadedScenario) -> Iterator[str]:
    """Digests of what commands would answer, stage by stage, cheapest first."""
    scenario = loaded.scenario
    yield digest((scenario.name, not_yet_modelled(scenario)))
    try:
        network = build_network(loaded)
        prepared = PreparedScenario(loaded, RouteRequest(), network, ())
        gpus = [network.gpus(name) for name in network.topologies]
        yield digest((dict(network.topologies), gpus, network.said, loaded.said))
        yield digest(tenancies(loaded, network.inventory))
        site = network.site
        yield digest(None if site is None else (site.placed, site.floor.racks, site.floor.area_mm2))
        prepared = replace(prepared, traffic=derive_traffic(loaded, network))
        yield digest([replace(workload, time_limits=()) for workload in prepared.traffic])
        yield digest(host_racks(scenario))
        yield digest(bill_of(loaded, network.topologies))
        plans = [
            plan_addresses(network.topologies[name], name, address_options(spec), number=number)
            for number, (name, spec) in enumerate(scenario.fabrics.items())
        ]
        yield digest(plans)
        yield digest(failure_cases(loaded, network))
        yield digest(failure_rates(loaded))
        yield digest(sources_of(loaded))
        yield digest(storage_layouts(prepared))
        result = route_prepared_scenario(prepared)
        yield digest(result)
        if any(limit.metric == "slowdown" for limit in scenario.limits):
            shared = interference(
                Run(loaded, RouteRequest(), result, stages=prepared), InterferenceRequest(shifts=False)
            )
            yield digest((shared.jobs, shared.slowdown, shared.limits))
        report = model_section(ReportSource(Run(loaded, RouteRequest(), result, stages=prepared)))
        yield digest([block for block in report.blocks if isinstance(block, Words)])
    except FabricError as error:
        yield repr([(problem.code, problem.message) for problem in error.problems])


def failure_cases(loaded: LoadedScenario, network: Network) -> list[object]:
    """What may fail together: the entries of ``failures``, and line cards."""
    run = Run(loaded, RouteRequest(), None, stages=PreparedScenario(loaded, RouteRequest(), network, ()))  # type: ignore[arg-type]
    finder = PartFinder(network)
    sets = [named_set(run, entry.name, finder) for entry in loaded.scenario.failures]
    return [*sets, finder.of_kind("line-card")]


def storage_layouts(prepared: PreparedScenario) -> list[object]:
    """Servers of storage workloads with their devices, as the files of a layout have them."""
    sending = {one.id for one in prepared.traffic if one.kind == "storage" and one.phases}
    own = [one for one in prepared.loaded.scenario.workloads if one.kind == "storage" and one.id in sending]
    return [list(manifests(made)) if made.devices else made for made in (cluster_of(prepared, one) for one in own)]


def failure_rates(loaded: LoadedScenario) -> list[object]:
    """How often parts fail, and how long nobody knows of it."""
    spec = loaded.scenario.reliability
    rates = Rates.of(spec)
    kinds = [(kind, role) for kind in RATED_KINDS for role in ("", "leaf", "leaf-spine")]
    return [*(rates.rate(*kind) for kind in kinds), spec.detection]


# ---- other values ----------------------------------------------------------------------------------------------------

_POOL: tuple[Data, ...] = (
    *(True, False, 1, 2, 3, 4, 8, 16, 0, 0.5, "2:1", "1 GB", "10 Gb/s", "100G", "50G", "200G", "10 s", "1 h", "30 m"),
    *("all", "gpu", "store", "main", "extra", "text", "eth-32x100", "eth-64x400", "hgx-h100-8", "cx7-400", "2x50"),
    *("n{index:03d}-x", ["gpu"], ["store"], [1, 2], {"leaf": 65000}, "10.9.0.0/16", "fd00:9::/48"),
)
# Lists of lists and choices by layer, which no list of single values has.
_VALUES: dict[str, list[Data]] = {
    "values": [[[128, "50%"], [1024, "50%"]]],
    "mixers": [["attention"] * 8],
    "feeds": [["mlp"] * 8],
    "stage_layers": [[2, 6]],
    "dims": [[3, 5], [4, 4, 4]],
    "wrap": [[True, False, True]],
    "ends": [["h0", "leaf1"]],
    "asn": [{"leaf": 65100}],
    "fields": [["src_ip", "dst_ip"]],
    "down": [["spine0"]],
    "drain": [["leaf3"]],
    "members": [["leaf3"]],
    "select": [["role=leaf"]],
    "any_of": [[["leaf2"], ["leaf3"]]],
    "kinds": [["host"]],
    "slow": [{"leaf2": 0.5}, 0.5],
    "flap": [{"leaf2": 0.5}, 0.5],
    "when": ["any-single-leaf"],
    "limits": [[]],
    "name": ["x{index:03d}", "other"],
    "model": ["eth-64x400", "eth-64x100", "hgx-b200-8", "cx7-200"],
    "cabling": [{"leaf-spine": {"length": "7 m"}}],
    "switch": [{"radix": 512, "speed": "800G"}],
    "function": ["crc16", "toeplitz"],
    "granularity": ["packet", "flow"],
    "at": ["p5", "mean"],
    "router": ["single-path", "wcmp"],
    "paths": ["valley-free", "shortest"],
    "objective": ["max-throughput"],
    "recompute": [["norms", "activation"], "full"],
    "rates": [{"gpu": {"rate": "1 %/month"}}],
    "rate": ["2 %/month", "500 FIT"],
    "expert_load": [{"path": "none.csv"}],
    "no_rack": [["r1c2"]],
    "network_racks": [["r1c2", "r1c3"]],
    "cross": [[1]],
    "rack": ["r1c1"],
    "rack_depth": ["0.1 m"],
    "prices": [{"dac-100": 5}],
    "spares": [{"cables": "10%"}],
    "cables": [{"leaf-spine": "smf"}, {"leaf-spine": "aoc"}],
    "run_lengths": [{"leaf-spine": "7 m"}],
    "order": ["pp-dp-ep-cp-tp", "spread"],
}
_TYPE_ERRORS = ("FP2101", "FP2102", "FP2103", "FP2104")  # say that a value is of a wrong kind, not that it matters


def literals(annotation: Any) -> list[Data]:
    """The choices that a type offers."""
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    return [choice for part_of in typing.get_args(annotation) for choice in literals(part_of)]


def others(key: str, field: FieldInfo, current: Data) -> Iterator[Data]:
    """Values that a field takes in place of the one it has, likely ones first."""
    near: list[Data] = []
    if isinstance(current, bool):
        near = [not current]
    elif isinstance(current, int | float):
        near = [current + 1, current * 2, current // 2, current * 4]
    elif isinstance(current, str) and (number := re.match(r"([\d.]+)(.*)$", current)):
        near = [f"{float(number[1]) * factor:g}{number[2]}" for factor in (2, 0.5, 3)]
    bare = field.annotation
    annotation = Annotated[(bare, *field.metadata)] if field.metadata else bare  # type: ignore[index]
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    tried = [current]
    for value in (*near, *_VALUES.get(key, ()), *literals(bare), *_POOL):
        if any(value == known and type(value) is type(known) for known in tried):
            continue
        tried.append(value)
        try:
            adapter.validate_python(value)
        except (ValidationError, DeprecationWarning):  # a truth value as a network warns
            continue
        yield value


def shows(data: Data, where: Path_, key: str, field: FieldInfo, folder: Path, before: list[str], *, most: int) -> str:
    """How another value of a key shows itself: ``answer``, ``error``, ``note`` (of the key itself), or not at all."""
    current = (part(data, where) or {}).get(key)
    error = ""
    given = loaded_or_none(data, folder)
    listed = not_yet_modelled(given.scenario) if given else []
    if ".".join(map(str, where)) in listed:  # what it is inside of is
        return "note"
    if current is not None:
        without = loaded_or_none(changed(data, where, key, ...), folder)
        if without and given and not_yet_modelled(without.scenario) != listed:
            return "note"
    for value in itertools.islice(others(key, field, field.default if current is None else current), most):
        try:
            loaded = loaded_from(changed(data, where, key, value), folder)
        except FabricError as refused:
            if any(problem.code not in _TYPE_ERRORS for problem in refused.problems):
                error = "error"
            continue
        now = ""
        for now, then in zip(answers(loaded), [*before, ""], strict=False):
            if now != then:
                break
        else:
            continue
        if not now.startswith("["):
            return "answer"
        error = "error"
    return error


def loaded_or_none(data: Data, folder: Path) -> LoadedScenario | None:
    """A scenario of these keys; None where it is refused."""
    try:
        return loaded_from(data, folder)
    except FabricError:
        return None


def loaded_from(data: Data, folder: Path) -> LoadedScenario:
    """A scenario of these keys, as a file."""
    path = folder / "walk.yaml"
    path.write_text(json.dumps(data))
    return load_scenario(path)
