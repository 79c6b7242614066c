"""``topology`` of a fabric: the keys of its kind, which come from the registry, or of a file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, SerializeAsAny, ValidationInfo, WithJsonSchema, field_validator

from fabric.scenario.registries import kind_of, registries_of
from topologies.host_nics import nic_template
from topologies.host_roles import HostKeys
from topologies.reading.asked import CapacityAttribute
from topologies.registry import Spec
from topologies.units import SpeedGbps


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
    registry = registries_of(info).topologies
    kind = kind_of(value, "topology kind", registry, "file")
    model = FileTopology if kind == "file" else registry[kind].model
    return model.model_validate(value, context=info.context)


TopologySpec = Annotated[
    SerializeAsAny[Spec], PlainValidator(_validate_topology), WithJsonSchema({"x-one-of": "topologies"})
]
