"""A walk over every key of the schema: does another value change an answer, the note, or make an error of its own?"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import BaseModel

from fabric.faces.views.racks import host_racks
from fabric.pipeline.network import build_network
from fabric.pipeline.prepared import PreparedScenario, derive_traffic
from fabric.pipeline.stages import route_prepared_scenario
from fabric.pipeline.tables import address_options
from fabric.request import RouteRequest
from fabric.rules.addressing import plan_addresses
from fabric.scenario.load import LoadedScenario
from fabric.scenario.schema import Workload, not_yet_modelled
from topologies.errors import FabricError
from topologies.registry import Spec

Data = Any
Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Holder:
    """A mapping of a scenario that is read as one model."""

    model: type[BaseModel]
    where: Path_


def holders(spec: object, where: Path_ = ()) -> Iterator[Holder]:
    """Every model of a validated scenario, with its place."""
    if isinstance(spec, Workload):
        yield from holders(spec.spec, where)
    elif isinstance(spec, Spec):
        yield Holder(type(spec), where)
        for name, field in type(spec).model_fields.items():
            yield from holders(getattr(spec, name), (*where, field.alias or name))
    elif isinstance(spec, dict):
        for key, child in spec.items():
            yield from holders(child, (*where, str(key)))
    elif isinstance(spec, tuple | list):
        for index, child in enumerate(spec):
            yield from holders(child, (*where, index))


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
        if isinstance(here, dict):
            here = here.setdefault(name, {})
        else:
            here = here[name]
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
        yield digest((dict(network.topologies), network.said, loaded.said))
        prepared = replace(prepared, traffic=derive_traffic(loaded, network))
        yield digest([replace(workload, time_limits=()) for workload in prepared.traffic])
        yield digest(host_racks(scenario))
        plans = [
            plan_addresses(network.topologies[name], name, address_options(spec), number=number)
            for number, (name, spec) in enumerate(scenario.fabrics.items())
        ]
        yield digest(plans)
        result = route_prepared_scenario(prepared)
        yield digest(result)
    except FabricError as error:
        yield repr([(problem.code, problem.message) for problem in error.problems])
