"""The scenario file as pydantic models: what every key means, its bounds and its default.

``topology`` and each of ``workloads`` are tagged by ``kind``; their keys come from the registries, so a new builder or
workload is a new choice here without an edit. A field marked ``LATER`` is accepted and checked as far as it goes, but
nothing computes with it yet; :func:`not_yet_modelled` lists those a scenario sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from fabric.routing.names import (
    DEFAULT_FLOWLET_BYTES,
    DEFAULT_OBJECTIVE,
    DEFAULT_ROUTER,
    DEFAULT_SPRAY_EFFICIENCY,
    GRANULARITIES,
    HASH_FIELDS,
    HASH_FUNCTIONS,
    PATH_POLICIES,
    objective_names,
    router_names,
)
from fabric.routing.packet_slowdown import DEFAULT_PACKET_SLOWDOWN
from fabric.scenario.cost_schema import CostsSpec
from fabric.scenario.encryption_schema import Encryption
from fabric.scenario.failure_schema import FailureSpec, Left, RiskGroupSpec
from fabric.scenario.field_types import LATER, Name
from fabric.scenario.latency_schema import FabricLatency
from fabric.scenario.measured_schema import MeasuredSpec
from fabric.scenario.node_schema import NodeSpec
from fabric.scenario.reliability_schema import ReliabilitySpec
from fabric.scenario.site_schema import SiteSpec
from fabric.scenario.tenant_schema import TenantSpec
from topologies.builder import TOPOLOGIES
from topologies.catalogue import MEDIA, Catalogue, builtin
from topologies.errors import nearest, nearest_hint
from topologies.host_nics import nic_template
from topologies.host_roles import HostKeys
from topologies.reading.asked import CapacityAttribute
from topologies.registry import Registry, Spec
from topologies.units import Ratio, SpeedGbps, TimeS, VolumeBytes, parse_bytes, parse_ratio, parse_seconds
from traffic.workload import WORKLOADS

DEFAULT_EFFICIENCY = 0.92  # payload over line rate: Ethernet, IP, UDP and RoCEv2 headers, gaps, congestion control


@dataclass(frozen=True)
class Registries:
    """Where the kinds of topology and workload come from; tests pass their own."""

    topologies: Registry[Any] = TOPOLOGIES
    workloads: Registry[Any] = WORKLOADS
    catalogue: Catalogue = field(default_factory=builtin)


def _registries(info: ValidationInfo) -> Registries:
    return info.context if isinstance(info.context, Registries) else Registries()


def _unknown(what: str, value: object, choices: list[str]) -> PydanticCustomError:
    hint = nearest_hint(str(value), choices, "one of")
    return PydanticCustomError("unknown_choice", "{text}", {"text": f"unknown {what} {value!r}", "hint": hint})


def _kind_of(value: object, what: str, registry: Registry[Any], *more: str) -> str:
    """The ``kind`` of a raw mapping; the errors pydantic would give for a tagged union, reported once."""
    if not isinstance(value, Mapping):
        raise PydanticCustomError("dict_type", "Input should be a mapping of keys with a kind")
    kind = value.get("kind")
    if isinstance(kind, str) and (kind in more or registry.known(kind)):
        return kind
    details: list[InitErrorDetails] = []
    if kind is None:
        details.append({"type": "missing", "loc": ("kind",), "input": value})
        close = nearest("kind", [str(key) for key in value])
        if close:
            details.append({"type": "extra_forbidden", "loc": (close,), "input": value[close]})
    else:
        choices = [*_choices(registry), *more]
        details.append({"type": _unknown(what, kind, choices), "loc": ("kind",), "input": kind})
    raise ValidationError.from_exception_data(what, details)


def _choices(registry: Registry[Any]) -> list[str]:
    return [name for entry in registry for name in (entry.name, *entry.aliases)]


class FileTopology(Spec):
    """A topology read from a file in a foreign format."""

    kind: Literal["file"]
    format: str = Field(description="Format of the file", examples=["repetita", "csv", "graphml", "json"])
    path: str = Field(min_length=1, description="File, relative to the scenario", examples=["abilene.graph"])
    speed: SpeedGbps | None = Field(
        default=None, description="Speed of the links whose capacity the file does not tell; others keep theirs"
    )
    capacity: CapacityAttribute | None = Field(
        default=None, description="Where the file has capacities whose unit it does not state"
    )
    directions: Literal["both", "as-written"] | None = Field(
        default=None, description="Edges of a directed graph without the other direction: cables, or links of one way"
    )
    hosts: tuple[str, ...] = Field(
        default=(),
        description="Patterns of node names: these are the hosts; default: node groups, the file or a guess say",
        examples=[["node*", "stor*"]],
    )
    roles: dict[str, str] = Field(
        default={}, description="Role of nodes by a pattern of their names", examples=[{"sw-1*": "leaf"}]
    )
    nics: str | None = Field(
        default=None,
        description='Template of endpoint names, {host} and {nic}; "{host}" alone: each is a host of its own',
        examples=["{host} {nic}"],
    )
    adapters: tuple[str, ...] = Field(
        default=(),
        description="Adapters or ports of a host in the order of its NICs, others left out; default: all, by number",
        examples=[["mlx5_0", "mlx5_1"]],
    )

    @field_validator("nics")
    @classmethod
    def _template(cls, template: str | None) -> str | None:
        if template is not None:
            nic_template(template)
        return template

    @property
    def host_keys(self) -> HostKeys:
        """What is said of hosts and their NICs."""
        return HostKeys(self.hosts, self.roles, self.nics, self.adapters)


def _validate_topology(value: object, info: ValidationInfo) -> Spec:
    if isinstance(value, Spec):
        return value
    registry = _registries(info).topologies
    kind = _kind_of(value, "topology kind", registry, "file")
    model = FileTopology if kind == "file" else registry[kind].model
    return model.model_validate(value, context=info.context)


TopologySpec = Annotated[
    SerializeAsAny[Spec], PlainValidator(_validate_topology), WithJsonSchema({"x-one-of": "topologies"})
]


class SharingKeys(Spec):
    """Keys of every workload, whatever its kind: how it shares links with others."""

    weight: float = Field(
        default=1.0,
        gt=0,
        le=1000,
        allow_inf_nan=False,
        description="Share of full links against other jobs, for fabric interference: twice the weight, twice the rate",
        examples=[2],
    )
    period: TimeS | None = Field(
        default=None,
        description="Measured time from one step to the next without other jobs, for fabric interference; default: the "
        "step time that is worked out",
        examples=["2 s"],
    )


class Workload(Spec):
    """One source of load: its name, the keys of its kind, and how it shares links with others."""

    id: str
    kind: str
    spec: SerializeAsAny[Spec]
    sharing: SharingKeys = SharingKeys()


@cache
def with_id(model: type[Spec]) -> type[Spec]:
    """A workload's model with the keys of every kind: the ``id`` that names it, and how it shares links with others."""
    described = Field(description="Name of the workload, unique", examples=["llama70b"])
    sharing: dict[str, Any] = {name: (field.annotation, field) for name, field in SharingKeys.model_fields.items()}
    return create_model(
        model.__name__, __base__=model, __doc__=model.__doc__, id=(Annotated[Name, described], ...), **sharing
    )


def _validate_workload(value: object, info: ValidationInfo) -> Workload:
    if isinstance(value, Workload):
        return value
    registry = _registries(info).workloads
    kind = _kind_of(value, registry.what, registry)
    entry = registry[kind]
    named: Any = with_id(entry.model).model_validate(value, context=info.context)
    fields = {name: getattr(named, name) for name in entry.model.model_fields}
    spec = entry.model.model_construct(_fields_set=named.model_fields_set & set(fields), **fields)
    given = {name: getattr(named, name) for name in SharingKeys.model_fields if name in named.model_fields_set}
    return Workload(id=named.id, kind=entry.name, spec=spec, sharing=SharingKeys.model_construct(set(given), **given))


WorkloadSpec = Annotated[Workload, PlainValidator(_validate_workload), WithJsonSchema({"x-one-of": "workloads"})]


def _one_of(what: str, names: tuple[str, ...] | Callable[[], tuple[str, ...]]) -> BeforeValidator:
    """Refuse other names, with the nearest one; names of plug-ins are asked for when a file is read."""

    def check(value: object) -> object:
        known = names() if callable(names) else names
        if value in known or not isinstance(value, str):
            return value
        raise _unknown(what, value, list(known))

    return BeforeValidator(check)


class HashSpec(Spec):
    """How switches hash flows onto next hops."""

    fields: tuple[Annotated[str, _one_of("hash field", HASH_FIELDS)], ...] = Field(
        default=HASH_FIELDS, min_length=1, description="Header fields that are hashed"
    )
    function: Annotated[str, _one_of("hash function", HASH_FUNCTIONS)] = Field(
        default="random", description="random: ideal, independent and uniform; or a function that switches have"
    )
    per_switch_seed: bool = Field(
        default=True, description="False: the same function with the same seed everywhere, which polarises"
    )
    resilient: bool = Field(
        default=True,
        description="When links fail, flows on links that are left stay; False: switches hash all flows again over "
        "the links that are left",
    )
    replicas: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None,
        description="Draws of the seeds that medians and percentiles are taken over; 100 or as many as take a second",
    )
    packet_slowdown: Annotated[Ratio, Field(ge=1, le=4)] = Field(
        default=DEFAULT_PACKET_SLOWDOWN,
        description="Time of colliding flows over fair sharing, on a link offered twice its capacity; 1: as fair",
    )


class AdaptiveSpec(Spec):
    """What adaptive routing chooses a next hop for."""

    granularity: Annotated[str, _one_of("granularity", GRANULARITIES)] = Field(
        default=GRANULARITIES[0],
        description="packet: as spray; flowlet: pieces of flows, hashed; flow: as ecmp-hash",
        examples=[*GRANULARITIES],
    )
    flowlet: Annotated[VolumeBytes, Field(gt=0)] = Field(
        default=DEFAULT_FLOWLET_BYTES, description="Bytes of a flow between two pauses, with granularity flowlet"
    )


class RoutingSpec(Spec):
    """How traffic is placed on the links."""

    router: Annotated[str, _one_of("router", router_names)] = Field(
        default=DEFAULT_ROUTER,
        description="ecmp: equal split over shortest paths; ecmp-hash: one path per flow, as switches hash; "
        "optimal: least maximum utilisation",
        examples=[DEFAULT_ROUTER],
    )
    paths: Annotated[str, _one_of("path policy", PATH_POLICIES)] = Field(
        default="any", description="Paths that optimal may use: any loop-free path, shortest, k-shortest or valley-free"
    )
    objective: Annotated[str, _one_of("objective", objective_names)] = Field(
        default=DEFAULT_OBJECTIVE, description="What optimal is best at"
    )
    target_utilisation: Annotated[Ratio, Field(gt=0)] = Field(
        default=1.0, description="Highest utilisation that objective min-cost may use"
    )
    k_paths: Annotated[int, Field(ge=1, le=64)] = Field(
        default=8, description="Paths per pair of router and path policy k-shortest"
    )
    spray_efficiency: Annotated[Ratio, Field(gt=0, le=1)] = Field(
        default=DEFAULT_SPRAY_EFFICIENCY,
        description="Part of a link that packet spraying can fill before reordering and queues cost",
    )
    adaptive: AdaptiveSpec = Field(default=AdaptiveSpec(), description="What router adaptive chooses a next hop for")
    hash: HashSpec = Field(default=HashSpec(), description="Hash of flow-hashing routers")


class AddressingSpec(Spec):
    """Address ranges of a fabric; what is left out has a default by the fabric's place in the scenario."""

    underlay: IPv4Network | None = Field(
        default=None, description="Addresses of endpoints, and of links in its upper half", examples=["10.64.0.0/14"]
    )
    underlay6: IPv6Network | None = Field(default=None, description="IPv6 addresses of endpoints and links")
    links: IPv4Network | None = Field(default=None, description="Addresses of links between switches")
    link_prefix: Literal[30, 31] = Field(default=31, description="Prefix length of a link between switches")
    loopback: IPv4Network | None = Field(
        default=None, description="Loopback addresses of switches", examples=["10.127.0.0/20"]
    )
    asn: dict[str, Annotated[int, Field(ge=1, le=4_294_967_294)]] = Field(
        default={}, description="First AS number by role; every switch gets one", examples=[{"leaf": 4200000000}]
    )


CableMedium = Annotated[str, _one_of("cable medium", ("auto", *MEDIA))]


class FabricSpec(Spec):
    """One network: who is on it, its topology, its routing."""

    attach: tuple[str, ...] | None = Field(
        default=None, description="Node groups on this fabric, in cabling order; default: all with a NIC on it"
    )
    topology: TopologySpec = Field(description="What the network looks like; kind says which other keys there are")
    routing: RoutingSpec = Field(default=RoutingSpec(), description="How traffic is placed on the links")
    addressing: AddressingSpec = Field(default=AddressingSpec(), description="Address ranges of flow tables")
    cables: dict[str, CableMedium] | None = Field(
        default=None,
        description="Medium of cables by tier, or by GROUP-ROLE for those of one node group: dac, aec, aoc, mmf, smf, "
        "or auto, the cheapest that reaches",
        examples=[{"host-leaf": "dac", "leaf-spine": "auto"}],
    )
    efficiency: Annotated[Ratio, Field(gt=0, le=1)] | None = Field(
        default=None, description="Payload over line rate: what headers, FEC and gaps leave; default: the tool's"
    )
    encryption: Encryption = Field(
        default=Encryption(), description="MACsec or IPsec on its links, and what that leaves of their rate"
    )
    latency: FabricLatency = Field(default=FabricLatency(), description="Time that a short message is on its way")

    @property
    def kind(self) -> str:
        """Kind of the topology, as written."""
        return str(getattr(self.topology, "kind", ""))

    @property
    def payload_efficiency(self) -> float:
        """Payload over line rate: what the scenario says, else the default."""
        return self.efficiency or DEFAULT_EFFICIENCY


# metric -> (what it is measured on, unit of its maximum)
Unit = Literal["ratio", "s", "count", "bytes"]
METRICS: dict[str, tuple[Literal["fabric", "workload"], Unit]] = {
    "offered": ("fabric", "ratio"),
    "utilisation": ("fabric", "ratio"),
    "links_over_capacity": ("fabric", "count"),
    "unreachable_pairs": ("fabric", "count"),
    "step_time": ("workload", "s"),
    "checkpoint_time": ("workload", "s"),
    "memory_per_gpu": ("workload", "bytes"),
    "slowdown": ("workload", "ratio"),
}
_BY_LINK = ("offered", "utilisation", "links_over_capacity")


def _parse_count(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is not a count; write a whole number such as 0")
    return float(value)


_PARSE = {"ratio": parse_ratio, "s": parse_seconds, "count": _parse_count, "bytes": parse_bytes}
_MAXIMUM_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^\s*[\d.]+\s*(%|ns|us|µs|ms|s|min|h|d|[kKMGT]i?B)?\s*$"},
    ],
    "description": "Largest value that passes: a ratio (100%), a time (5.5 s), a count or bytes (80 GB), by the metric",
    "examples": ["100%", "5.5 s", 0],
}


def _parse_at(value: object) -> str:
    """``p95`` and the like, or ``mean``; in lower case."""
    text = str(value).strip().lower()
    if text == "mean":
        return text
    number = text.removeprefix("p")
    plain = number.replace(".", "", 1)
    if not plain.isascii() or not plain.isdecimal():
        raise ValueError(f"{value!r} is not a percentile of the draws; write p50, p95, p99 and so on, or mean")
    if not 0 < float(number) <= 100:
        raise ValueError(f"{value!r} is not between p0 and p100, of which p100 is the worst draw")
    if isinstance(value, bool | int | float) or not text.startswith("p"):
        raise ValueError(f"{value!r} does not say what it is; write p{number}")
    return f"p{float(number):g}"


_AT_SCHEMA = {
    "type": "string",
    "pattern": r"^\s*([pP](100(\.0*)?|\d{1,2}(\.\d+)?)|[mM][eE][aA][nN])\s*$",
    "description": "What of the draws is judged: p95 is what one draw in twenty exceeds, p100 the worst; or mean",
    "examples": ["p50", "p95", "mean"],
}


class LimitSpec(Spec):
    """One thing that has to hold; decides the exit code."""

    fabric: str | None = Field(default=None, description="Fabric it is measured on")
    workload: str | None = Field(default=None, description="Workload it is measured on")
    tier: str | None = Field(default=None, description="Links of this tier only", examples=["leaf-spine"])
    metric: Literal[
        "offered",
        "utilisation",
        "links_over_capacity",
        "unreachable_pairs",
        "step_time",
        "checkpoint_time",
        "memory_per_gpu",
        "slowdown",
    ] = Field(
        description="What is measured; offered and utilisation are load over capacity, step_time a job's, "
        "memory_per_gpu what its stage that needs most holds, slowdown its step beside the other jobs over its step "
        "alone, which fabric interference decides"
    )
    stat: Literal["max", "p99", "p50", "mean"] = Field(
        default="max", description="Which links: the worst, or a quantile"
    )
    max: Annotated[float, PlainValidator(lambda value: value), WithJsonSchema(_MAXIMUM_SCHEMA)]  # in the metric's unit
    at: Annotated[str, BeforeValidator(_parse_at), WithJsonSchema(_AT_SCHEMA)] = "p50"
    when: str | None = Field(
        default=None,
        description="Failure cases that it has to hold in, each of them: the name of an entry of failures, or "
        "any-single-KIND, any-two-KINDs of a kind of part or a role; decided by fabric failures",
        examples=["any-single-spine"],
    )

    @field_validator("max", mode="before")
    @classmethod
    def _in_metric_unit(cls, value: object, info: ValidationInfo) -> float:
        if "metric" not in info.data:
            return 0.0  # the metric's own error is enough
        limit = _PARSE[METRICS[info.data["metric"]][1]](value)
        if limit < 0:
            raise ValueError(f"{value!r} is negative")
        return limit

    @model_validator(mode="after")
    def _on_the_right_thing(self) -> LimitSpec:
        wanted = METRICS[self.metric][0]
        other = "workload" if wanted == "fabric" else "fabric"
        if getattr(self, wanted) is None:
            raise ValueError(f"{self.metric} is measured on a {wanted}; add {wanted}: NAME")
        if getattr(self, other) is not None:
            raise ValueError(f"{self.metric} is measured on a {wanted}, not a {other}; remove {other}")
        if self.tier is not None and self.metric not in _BY_LINK:
            raise ValueError(f"{self.metric} is not of single links; remove tier")
        if "stat" in self.model_fields_set and self.metric not in _BY_LINK[:2]:
            raise ValueError(f"{self.metric} is one number, without a {self.stat} of links; remove stat")
        if self.metric == "slowdown":
            self._check_slowdown()
        return self

    def _check_slowdown(self) -> None:
        """Refuse what fabric interference does not judge."""
        if self.max < 1:
            raise ValueError(f"a slowdown is a step over the step alone, 1 or more; write {1 + self.max:.4g}")
        if self.when is not None:
            raise ValueError("slowdown is not judged in failure cases; remove when, or give fabric interference --down")
        if "at" in self.model_fields_set and self.at not in ("mean", "p100"):
            raise ValueError(
                "a slowdown is judged by its mean over phases, or at p100, the worst phase; write at: p100"
            )

    @property
    def percentile(self) -> float | None:
        """Part of the draws that do not exceed what is judged; None: their mean is."""
        return None if self.at == "mean" else float(self.at.removeprefix("p")) / 100

    @property
    def unit(self) -> Unit:
        """Unit of ``max``."""
        return METRICS[self.metric][1]


class CatalogInclude(Spec):
    """A catalogue of switch, NIC and node models."""

    catalog: str = Field(min_length=1, description="builtin, or a catalogue file", examples=["builtin"])


class UnitsSpec(Spec):
    """Units that results are printed in."""

    rate: str | None = Field(default=None, description="Unit of rates", examples=["Gb/s"])
    size: str | None = Field(default=None, description="Unit of volumes", examples=["GiB"])


class DefaultsSpec(Spec):
    """Settings that hold for the whole scenario."""

    units: UnitsSpec | None = Field(default=None, description="Units for output", json_schema_extra=LATER)


class Scenario(Spec):
    """One data centre: its fabrics, its nodes, what runs on it, and what has to hold."""

    version: Literal[1] = Field(description="Version of the scenario format")
    name: str = Field(min_length=1, max_length=128, description="Name of the scenario", examples=["train-2k"])
    description: str | None = Field(default=None, description="What this scenario is for")
    seed: int = Field(default=0, ge=0, lt=2**63, strict=True, description="Seed of everything random")
    include: tuple[CatalogInclude | str, ...] = Field(
        default=(), description="Catalogues, and scenario files this one is laid over; the later wins"
    )
    defaults: DefaultsSpec = Field(default=DefaultsSpec(), description="Settings that hold for the whole scenario")
    site: SiteSpec | None = Field(default=None, description="The room: how racks stand, and cable lengths")
    costs: CostsSpec = Field(default=CostsSpec(), description="Prices, spares and carbon of the bill")
    nodes: tuple[NodeSpec, ...] = Field(default=(), description="Hosts; none: builders fill every host port")
    fabrics: dict[Name, FabricSpec] = Field(min_length=1, description="Networks by name")
    workloads: tuple[WorkloadSpec, ...] = Field(default=(), description="Jobs, storage and other sources of load")
    tenants: tuple[TenantSpec, ...] = Field(
        default=(), description="Who shares the fabrics: hosts of different tenants exchange nothing"
    )
    limits: tuple[LimitSpec, ...] = Field(default=(), description="What has to hold; exit code 1 when it does not")
    down: tuple[str, ...] = Field(
        default=(), description="What is down, as --down takes it", examples=[["spine07", "link=leaf0:spine1"]]
    )
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False, description="Factor on all demand")
    slow: dict[str, Left] = Field(
        default={},
        description="What is degraded, and the part of its capacity that is left, as --slow takes it",
        examples=[{"leaf0 -> spine1": "50%"}],
    )
    reliability: ReliabilitySpec = Field(
        default=ReliabilitySpec(), description="How often parts fail and how long repairs take"
    )
    risk_groups: tuple[RiskGroupSpec, ...] = Field(default=(), description="Shared-risk groups: what fails together")
    failures: tuple[FailureSpec, ...] = Field(default=(), description="Sets of failure cases")
    measured: tuple[MeasuredSpec, ...] = Field(
        default=(), description="Where measurements come from that fabric verify load compares with"
    )

    @property
    def topologies(self) -> dict[str, Spec]:
        """Topology of every fabric: an instance of its kind's model, or a :class:`FileTopology`."""
        return {name: fabric.topology for name, fabric in self.fabrics.items()}

    def attached(self, fabric: str) -> tuple[NodeSpec, ...]:
        """Node groups on a fabric, in cabling order."""
        wanted = self.fabrics[fabric].attach
        if wanted is None:
            return tuple(node for node in self.nodes if fabric in node.nics)
        by_name = {node.group: node for node in self.nodes}
        return tuple(by_name[group] for group in wanted)


def not_yet_modelled(scenario: Scenario, *, routed: bool = True) -> list[str]:
    """Keys the scenario sets that nothing computes with yet, as dotted paths; list positions are left out.

    Parameters
    ----------
    routed : bool
        Whether traffic is routed and judged; without it keys that matter only then are left out.
    """
    places = [place for place, matters_to in _later(scenario, ()) if routed or matters_to != "routes"]
    return list(dict.fromkeys(places))


def _later(value: object, place: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    if isinstance(value, Workload):
        yield from _later(value.spec, (*place, value.id))
    elif isinstance(value, Spec):
        for name, field in type(value).model_fields.items():
            below = (*place, field.alias or name)
            if name not in value.model_fields_set:
                continue
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("x-not-yet-modelled"):
                yield ".".join(below), field.json_schema_extra.get("x-matters-to")
            else:
                yield from _later(getattr(value, name), below)
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _later(child, (*place, str(key)))
    elif isinstance(value, tuple | list):
        for child in value:
            yield from _later(child, place)
