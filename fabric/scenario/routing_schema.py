"""``routing`` of a fabric: the router, its paths and objective, and how switches hash."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

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
from fabric.scenario.registries import one_of
from topologies.registry import Spec
from topologies.units import Ratio, VolumeBytes


class HashSpec(Spec):
    """How switches hash flows onto next hops."""

    fields: tuple[Annotated[str, one_of("hash field", HASH_FIELDS)], ...] = Field(
        default=HASH_FIELDS, min_length=1, description="Header fields that are hashed"
    )
    function: Annotated[str, one_of("hash function", HASH_FUNCTIONS)] = Field(
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

    granularity: Annotated[str, one_of("granularity", GRANULARITIES)] = Field(
        default=GRANULARITIES[0],
        description="packet: as spray; flowlet: pieces of flows, hashed; flow: as ecmp-hash",
        examples=[*GRANULARITIES],
    )
    flowlet: Annotated[VolumeBytes, Field(gt=0)] = Field(
        default=DEFAULT_FLOWLET_BYTES, description="Bytes of a flow between two pauses, with granularity flowlet"
    )


class RoutingSpec(Spec):
    """How traffic is placed on the links."""

    router: Annotated[str, one_of("router", router_names)] = Field(
        default=DEFAULT_ROUTER,
        description="ecmp: equal split over shortest paths; ecmp-hash: one path per flow, as switches hash; "
        "optimal: least maximum utilisation",
        examples=[DEFAULT_ROUTER],
    )
    paths: Annotated[str, one_of("path policy", PATH_POLICIES)] = Field(
        default="any", description="Paths that optimal may use: any loop-free path, shortest, k-shortest or valley-free"
    )
    objective: Annotated[str, one_of("objective", objective_names)] = Field(
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
