"""The scenario file as pydantic models: what every key means, its bounds and its default.

``topology`` and each of ``workloads`` are tagged by ``kind``; their keys come from the registries, so a new builder or
workload is a new choice here without an edit. A field marked ``LATER`` is accepted and checked as far as it goes, but
nothing computes with it yet; :func:`not_yet_modelled` lists those a scenario sets. What is below the top level is in
modules of its own, one a subject.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from fabric.scenario.cost_schema import CostsSpec
from fabric.scenario.fabric_schema import FabricSpec
from fabric.scenario.failure_schema import FailureSpec, Left, RiskGroupSpec
from fabric.scenario.field_types import LATER, Name
from fabric.scenario.limit_schema import LimitSpec
from fabric.scenario.measured_schema import MeasuredSpec
from fabric.scenario.node_schema import NodeSpec
from fabric.scenario.node_source_schema import or_one_group
from fabric.scenario.reliability_schema import ReliabilitySpec
from fabric.scenario.site_schema import SiteSpec
from fabric.scenario.tenant_schema import TenantSpec
from fabric.scenario.workload_schema import Workload, WorkloadSpec
from topologies.registry import Spec


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
    nodes: tuple[NodeSpec, ...] = Field(
        default=(), description="Hosts; none: builders fill every host port", json_schema_extra=or_one_group
    )
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
