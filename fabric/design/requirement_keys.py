"""The requirement file as pydantic models: what a fabric has to do, before anybody says what it is made of.

A requirement names no topology. What it leaves out has a default, and every default that was taken is said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from fabric.design.growth_stages import GrowthStage, as_stages
from fabric.design.objective import MEASURES, Objective, objective_of
from fabric.scenario.failure_schema import built_in_set
from fabric.scenario.field_types import Name
from fabric.scenario.limit_schema import LimitSpec
from fabric.scenario.schema import CatalogInclude
from fabric.scenario.site_schema import SiteSpec
from fabric.scenario.workload_schema import WorkloadSpec
from topologies.builder import TOPOLOGIES
from topologies.catalogue import catalogue_of, known_model
from topologies.errors import nearest_hint
from topologies.registry import Spec
from topologies.units import Count, CountOrZero, LengthM, RateGbps, Ratio, SpeedGbps, parse_ratio

ANY = "any"
_TO_ONE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)\s*$")
_NIC_TEXT = re.compile(r"^\s*(?:(\d+)\s*x\s*)?(\d+(?:\.\d+)?)\s*([A-Za-z/]*)\s*$")


def parse_oversubscription(value: object) -> float:
    """Bandwidth down over up: ``2:1``, ``200%`` or 2; ``any`` for no ceiling.

    >>> parse_oversubscription("3:2"), parse_oversubscription(2), parse_oversubscription("any")
    (1.5, 2.0, inf)
    """
    text = str(value).strip()
    if text == ANY or value == math.inf:
        return math.inf
    match = _TO_ONE.match(text)
    if match and float(match[2]) and float(match[1]):
        return float(match[1]) / float(match[2])
    if isinstance(value, bool) or ":" in text:
        raise ValueError(f"{value!r} is not an oversubscription; write for example 2:1, or any for no ceiling")
    ratio = parse_ratio(value)
    if ratio <= 0:
        raise ValueError(f"{value!r} leaves no bandwidth down; write for example 1:1, or any for no ceiling")
    return ratio


def nic_keys(value: object) -> object:
    """``400G`` and ``8x400`` as keys."""
    bare = str(value).strip()
    if not isinstance(value, bool) and bare.replace(".", "", 1).isdecimal():
        raise ValueError(f"{bare} has no unit; write for example {bare}G, or {{count: 8, speed: {bare}G}}")
    if not isinstance(value, str):
        return value
    match = _NIC_TEXT.match(value)
    if match is None or (not match[1] and not match[3]):
        raise ValueError(f"{value!r} is not NICs of a host; write 400G, 8x400 or {{count: 8, speed: 400G}}")
    return {**({"count": int(match[1])} if match[1] else {}), "speed": f"{match[2]}{match[3] or 'G'}"}


def _as_tuple(value: object) -> object:
    return [value] if isinstance(value, int | str) and not isinstance(value, bool) else value


def _survivable(value: object) -> object:
    """``any-single-spine``; spaces are dashes."""
    if not isinstance(value, str):
        return value
    name = "-".join(value.split())
    failing = built_in_set(name)
    if failing is None or failing[0] != 1:
        raise ValueError(f"{value!r} is not a single failure; write for example any-single-spine or any-single-leaf")
    return f"any-single-{failing[1]}"


def _or_text(pattern: str) -> Callable[[dict[str, Any]], None]:
    """A field that may be written as text as well, in its JSON schema."""

    def add(schema: dict[str, Any]) -> None:
        schema["anyOf"] = [{"type": "string", "pattern": pattern}, *schema["anyOf"]]

    return add


def _or_one(schema: dict[str, Any]) -> None:
    """A list, or one of its items, in its JSON schema; the list may be one of several forms."""
    lists = schema.get("anyOf") or [{key: schema.pop(key) for key in ("type", "items", "minItems") if key in schema}]
    items = next(one["items"] for one in lists if one.get("type") == "array")
    schema["anyOf"] = [items, *lists]


_NIC_SCHEMA = _or_text(r"^\s*(\d+\s*x\s*)?\d+(\.\d+)?\s*[A-Za-z/]*\s*$")

Oversubscription = Annotated[
    float,
    BeforeValidator(parse_oversubscription),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^\s*(any|\d+(\.\d+)?\s*:\s*\d+(\.\d+)?|\d+(\.\d+)?%?)\s*$"},
            ],
            "description": "Most bandwidth down over up at any switch; any: no ceiling",
            "examples": ["1:1", "2:1"],
        }
    ),
]
Survivable = Annotated[
    str,
    BeforeValidator(_survivable),
    Field(description="A single failure that parts no two hosts", examples=["any-single-spine"]),
]


class NicWish(Spec):
    """NICs of a host on one fabric; ``speed`` is that of a whole NIC, whose ports share it."""

    count: Count | None = Field(default=None, description="NICs of a host; default: one a GPU, on other fabrics 1")
    speed: SpeedGbps | None = Field(default=None, description="Speed of a whole NIC", examples=["400G"])
    model: str | None = Field(default=None, description="NIC model of the catalogue", examples=["cx7-400"])
    ports: Annotated[tuple[Count, ...], BeforeValidator(_as_tuple)] | None = Field(
        default=None,
        min_length=1,
        description="Numbers of ports that a NIC may be split into, each to another switch or plane; default: 1",
        examples=[[1, 2]],
        json_schema_extra=_or_one,
    )
    rail: Literal["per-gpu", "shared"] | None = Field(
        default=None, description="per-gpu: NIC i is GPU i's; default: so where there is a NIC for every GPU"
    )

    @field_validator("model")
    @classmethod
    def _known_model(cls, model: str | None, info: ValidationInfo) -> str | None:
        return known_model("NIC", catalogue_of(info.context).nics, model)

    @model_validator(mode="after")
    def _has_speed(self) -> NicWish:
        if self.model is None and self.speed is None:
            raise ValueError("the NIC has neither a model nor a speed; add for example speed: 400G")
        return self


Nic = Annotated[NicWish, BeforeValidator(nic_keys)]


def _known_kind(kind: str) -> str:
    """The name of a kind of topology; one that no family counts is refused with those that are."""
    from fabric.design.family import FAMILIES

    if kind in FAMILIES:
        return kind
    text, hint = f"unknown kind of fabric {kind!r}", nearest_hint(kind, FAMILIES, "kinds")
    if kind in {entry.name for entry in TOPOLOGIES}:
        text, hint = f"no family counts {kind}; designs are not made of it", f"kinds: {', '.join(FAMILIES)}"
    raise PydanticCustomError("unknown_choice", "{text}", {"text": text, "hint": hint})


def _known_switch(model: str, info: ValidationInfo) -> str:
    return known_model("switch", catalogue_of(info.context).switches, model) or model


Kind = Annotated[str, AfterValidator(_known_kind)]
Model = Annotated[str, AfterValidator(_known_switch)]


class Candidates(Spec):
    """What may be chosen from; what is left out is not restricted."""

    kinds: tuple[Kind, ...] = Field(
        default=(), description="Families of fabrics; default: all that are counted", examples=[["fat-tree"]]
    )
    switches: tuple[Model, ...] = Field(
        default=(), description="Switch models; default: all of the catalogue", examples=[["eth-64x400"]]
    )
    leaf: tuple[Model, ...] = Field(default=(), description="Models of the switches that hosts are on")
    spine: tuple[Model, ...] = Field(default=(), description="Models of all other switches")
    max_tiers: Annotated[int, Field(ge=1, le=4, strict=True)] | None = Field(
        default=None, description="Most tiers of switches; default: 3", examples=[3]
    )


class Budget(Spec):
    """Most that a fabric may take: switches, licences, optics and cables."""

    cost_usd: float | None = Field(default=None, gt=0, description="Price, US$", examples=[5_000_000])
    power_w: float | None = Field(default=None, gt=0, description="Largest power, W", examples=[250_000])
    cables: Count | None = Field(default=None, description="Cables between ports")


class FabricWish(Spec):
    """One fabric; what it leaves out is as in ``require`` and ``candidates``."""

    nic: Nic | None = Field(
        default=None, description="NICs of a host on it; default: those of require", json_schema_extra=_NIC_SCHEMA
    )
    hosts: CountOrZero = Field(
        default=0, description="Further hosts on it, such as storage servers, with as many NICs", examples=[40]
    )
    group: Name | None = Field(
        default=None, description="Node group of the further hosts; default: FABRIC-hosts", examples=["ceph"]
    )
    oversubscription: Oversubscription | None = None
    survive: tuple[Survivable, ...] | None = Field(default=None, description="Single failures that it has to survive")
    budget: Budget = Field(default=Budget(), description="Most that it may take")
    kinds: tuple[Kind, ...] = Field(default=(), description="Families of fabrics; default: those of candidates")
    max_tiers: Annotated[int, Field(ge=1, le=4, strict=True)] | None = Field(
        default=None, description="Most tiers of switches; default: that of candidates"
    )


class Bisection(Spec):
    """Bandwidth between halves, another way to say an oversubscription."""

    ratio: Annotated[Ratio, Field(gt=0)] = Field(
        description="Of what the hosts of a half can send: 1 is full bandwidth, 0.5 is 2:1", examples=[1.0]
    )


class Runs(Spec):
    """Lengths that cables are counted with before a floor plan says."""

    host: LengthM = Field(default=2.0, description="From a host to its switch", examples=["2 m"])
    upper: LengthM = Field(default=20.0, description="Between switches", examples=["20 m"])


class Requires(Spec):
    """What the fabrics have to do."""

    gpus: Count | None = Field(default=None, description="GPUs", examples=[2048])
    hosts: Count | None = Field(default=None, description="Hosts; default: as many as the GPUs take", examples=[256])
    gpus_per_node: CountOrZero | None = Field(
        default=None, description="GPUs of a host; default: the model's, or 8", examples=[8]
    )
    node: str | None = Field(default=None, description="Node model of the catalogue", examples=["hgx-h100-8"])
    nic: Nic | None = Field(
        default=None,
        description="NICs of a host on the first fabric; 400G or 8x400 for short",
        json_schema_extra=_NIC_SCHEMA,
    )
    fabrics: dict[Name, FabricWish] = Field(
        default={}, description="Fabrics by name; default: backend", examples=[{"backend": {}}]
    )
    oversubscription: Oversubscription | None = None
    bisection: Bisection | None = Field(default=None, description="Bandwidth between halves")
    bus_bandwidth: RateGbps | None = Field(
        default=None,
        gt=0,
        description="Least bus bandwidth of a ring over hosts on any leaves, as nccl-tests counts it",
        examples=["350 GB/s"],
    )
    survive: tuple[Survivable, ...] = Field(default=(), description="Single failures that part no two hosts")
    growth: Annotated[tuple[GrowthStage, ...], BeforeValidator(as_stages)] = Field(
        default=(),
        description="What comes later: stages, each larger than the one before",
        json_schema_extra=_or_one,
    )
    budget: Budget = Field(
        default=Budget(), description="Most that the only fabric may take; of several each has its own"
    )
    workload: str | None = Field(
        default=None, min_length=1, description="File of a workload, or of a scenario with workloads"
    )
    workloads: tuple[WorkloadSpec, ...] = Field(default=(), description="Jobs, as in scenarios; GPU nodes are gpu")
    limits: tuple[LimitSpec, ...] = Field(default=(), description="What has to hold, as in scenarios")

    @field_validator("node")
    @classmethod
    def _known_node(cls, model: str | None, info: ValidationInfo) -> str | None:
        return known_model("node", catalogue_of(info.context).nodes, model)

    @model_validator(mode="after")
    def _has_size(self) -> Requires:
        if self.gpus is None and self.hosts is None:
            raise ValueError("neither gpus nor hosts says how much is to be connected; add for example gpus: 512")
        if self.oversubscription is not None and self.bisection is not None:
            raise ValueError("oversubscription and bisection say the same thing; give one of them")
        return self


def _objective(value: object) -> Objective:
    return value if isinstance(value, Objective) else objective_of(value)


_MEASURE_SCHEMA = {"enum": [*MEASURES, "step_time"]}
_OBJECTIVE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        _MEASURE_SCHEMA,
        {"type": "array", "items": _MEASURE_SCHEMA, "minItems": 1},
        {"type": "object", "additionalProperties": {"type": ["number", "object"]}},
    ],
    "description": "What is to be least: one of cost, power, carbon, cables, cable_m, ports and step_time; a list, the "
    "first first; or weights, such as {cost: 1, power: 20}: US$, W, kg, cables, m, ports",
    "examples": ["cost", ["cost", "power"]],
}


class RequirementSpec(Spec):
    """One data centre to be designed: what it has to do, what it may be made of, and what is to be least."""

    version: Literal[1] = Field(description="Version of the requirement format")
    name: str = Field(default="design", min_length=1, max_length=128, description="Name", examples=["design-2k"])
    description: str | None = Field(default=None, description="What it is for")
    include: tuple[CatalogInclude | str, ...] = Field(
        default=(), description="Catalogues, and requirement files this one is laid over; the later wins"
    )
    require: Requires = Field(description="What the fabrics have to do")
    candidates: Candidates = Field(default=Candidates(), description="What may be chosen from")
    runs: Runs = Field(default=Runs(), description="Lengths that cables are counted with")
    site: SiteSpec | None = Field(default=None, description="The room, as in scenarios")
    objective: Annotated[Objective, BeforeValidator(_objective), WithJsonSchema(_OBJECTIVE_SCHEMA)] = Field(
        default_factory=lambda: Objective.of("cost")
    )

    @property
    def fabrics(self) -> Mapping[str, FabricWish]:
        """Fabrics by name; where the file names none, there is one."""
        return self.require.fabrics or {"backend": FabricWish()}
