"""Hosts in the scenario file: node groups and their NICs on every fabric."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from pydantic import ConfigDict, Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from fabric.scenario.field_types import Name
from fabric.scenario.node_source_schema import NodeSourceSpec
from topologies.catalogue import NicModel, NodeModel, ScaleUpModel, catalogue_of, known_model
from topologies.registry import Spec
from topologies.units import Count, CountOrZero, SpeedGbps


class NicSpec(Spec):
    """NICs of a node on one fabric; ``speed`` overrides the model's."""

    model: str | None = Field(default=None, description="NIC model of the catalogue", examples=["cx7-400"])
    speed: SpeedGbps | None = Field(default=None, description="Speed of each NIC port; default: the model's")
    count: Count = Field(default=1, description="NICs per node on this fabric", examples=[8])
    ports: Count | None = Field(
        default=None,
        description="Ports of a NIC, each to another plane of a fabric; default: the model's, or 1",
    )
    rail: Literal["per-gpu", "shared"] = Field(
        default="shared", description="per-gpu: NIC i belongs to GPU i and rail i; shared: all GPUs use all NICs"
    )

    _row: NicModel | None = PrivateAttr(default=None)

    @field_validator("model")
    @classmethod
    def _known_model(cls, model: str | None, info: ValidationInfo) -> str | None:
        return known_model("NIC", catalogue_of(info.context).nics, model)

    @model_validator(mode="after")
    def _has_speed(self, info: ValidationInfo) -> NicSpec:
        self._row = catalogue_of(info.context).nics[self.model] if self.model else None
        if self.model is None and self.speed is None:
            raise ValueError("the NIC has neither a model nor a speed; add for example speed: 400G")
        return self

    @property
    def ports_per_nic(self) -> int:
        """Ports of a NIC: as written, else the model's, else 1."""
        return self.ports or (self._row.ports if self._row else 1)

    @property
    def gbps(self) -> float:
        """Speed of each NIC port, Gbps."""
        return self.speed if self.speed is not None else self._row.speed if self._row else 0.0


def _check_name_template(template: str) -> str:
    """Refuse what is not ``{group}`` or ``{index}`` with at most a width."""
    try:
        fields = [(name, spec) for _, name, spec, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ValueError(f"bad name template {template!r}: {error}") from None
    for name, spec in fields:
        if name not in ("group", "index") or not re.fullmatch(r"(0?\d)?d?", spec or ""):
            wanted = "{" + (f"{name}:{spec}" if spec else name) + "}"
            raise ValueError(f"name template {template!r} uses {wanted}; use {{group}}, {{index}} or {{index:03d}}")
        if name == "group" and spec:
            raise ValueError(f"name template {template!r} gives {{group}} a width; write {{group}}")
    return template


def _check_domain(domain: int, gpus: int) -> None:
    """Refuse a domain that does not hold whole nodes."""
    if not gpus:
        raise ValueError("the nodes have no GPUs to join; write gpus: 8, or leave scale_up out")
    if domain % gpus:
        fitting = [gpus * (domain // gpus), gpus * (domain // gpus + 1)]
        near = " or ".join(str(value) for value in fitting if value)
        raise ValueError(f"a domain of {domain} GPUs does not hold whole nodes of {gpus}; write domain: {near}")


class ScaleUpSpec(ScaleUpModel):
    """What joins the GPUs beside the NICs; keys that are not given are the model's, a domain is at least the node."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema.pop("required", None))


class NodeSpec(NodeSourceSpec):
    """Hosts of one kind, and their NICs on each fabric."""

    group: Name = Field(description="Name of the group, unique", examples=["gpu"])
    model: str | None = Field(default=None, description="Node model of the catalogue", examples=["hgx-h100-8"])
    count: Count = Field(description="Number of nodes", examples=[256])
    name: str = Field(
        default="{group}{index}",
        min_length=1,
        max_length=128,
        description="Template of node names; {group} and {index} are filled in",
        examples=["n{index:03d}"],
    )
    first: CountOrZero = Field(
        default=0, description="Index of the first node: with 1, n{index:03d} counts from n001", examples=[1]
    )
    per_rack: Count | None = Field(
        default=None,
        description="Nodes per rack, of the floor plan and of storage's failure domains; default: with a floor plan as "
        "many as its units and power allow",
        examples=[4],
    )
    gpus: CountOrZero | None = Field(default=None, description="GPUs per node; default: the model's, or 0")
    scale_up: ScaleUpSpec | None = Field(
        default=None, description="What joins the GPUs beside the NICs; default: the model's"
    )
    nics: dict[str, NicSpec] = Field(default={}, description="NICs by the name of the fabric they are on")

    @field_validator("name")
    @classmethod
    def _template(cls, template: str) -> str:
        return _check_name_template(template)

    _row: NodeModel | None = PrivateAttr(default=None)

    @field_validator("model")
    @classmethod
    def _known_model(cls, model: str | None, info: ValidationInfo) -> str | None:
        return known_model("node", catalogue_of(info.context).nodes, model)

    @field_validator("scale_up", mode="before")
    @classmethod
    def _over_model(cls, given: Any, info: ValidationInfo) -> Any:
        """What is written, laid over the model's."""
        if not isinstance(given, Mapping):
            return given
        row = catalogue_of(info.context).nodes.get(info.data.get("model") or "")
        gpus = info.data.get("gpus") or (row.gpus if row else 0)
        known = row.scale_up.as_written() if row and row.scale_up else {}
        if gpus and (row is None or known.get("domain", row.gpus) == row.gpus):
            known["domain"] = gpus
        return {**known, **given}

    @field_validator("scale_up")
    @classmethod
    def _whole_nodes(cls, given: ScaleUpSpec | None, info: ValidationInfo) -> ScaleUpSpec | None:
        row = catalogue_of(info.context).nodes.get(info.data.get("model") or "")
        written = info.data.get("gpus")
        gpus = written if written is not None else row.gpus if row else 0
        if given is not None:
            _check_domain(given.domain, gpus)
        return given

    @model_validator(mode="after")
    def _names_differ(self, info: ValidationInfo) -> NodeSpec:
        self._row = catalogue_of(info.context).nodes[self.model] if self.model else None
        if self.source and self._row and self.gpus_per_node != self._row.gpus:
            raise ValueError(
                f"the nodes there have {self.gpus_per_node} GPUs, and model {self.model} has {self._row.gpus}; name "
                "their model, or leave model out"
            )
        if self.scale_up is None and self.joined is not None:
            _check_domain(self.joined.domain, self.gpus_per_node)
        if self.count > 1 and "{index" not in self.name and not self._listed:
            raise ValueError(f"name {self.name!r} gives {self.count} nodes the same name; include {{index}}")
        return self

    @property
    def gpus_per_node(self) -> int:
        """GPUs per node: as written, else the model's, else 0."""
        if self.gpus is not None:
            return self.gpus
        return self._row.gpus if self._row else 0

    @property
    def row(self) -> NodeModel | None:
        """The catalogue's row of the model."""
        return self._row

    @property
    def joined(self) -> ScaleUpModel | None:
        """What joins the GPUs: as written, else the model's; a domain of one node follows the number of its GPUs."""
        model = self._row.scale_up if self._row else None
        if self.scale_up is not None or model is None or self._row is None or not self.gpus_per_node:
            return self.scale_up
        return model.model_copy(update={"domain": self.gpus_per_node}) if model.domain == self._row.gpus else model

    def host_names(self) -> tuple[str, ...]:
        """Names of the nodes, in order; where there are more than are listed, those go by the template."""
        listed = self._listed[: self.count]
        if not listed:
            return _named(self.name, self.group, self.first, self.count)
        more = self.count - len(listed)
        return (*listed, *_named(self.name, self.group, self.first + len(listed), more)) if more else listed


@lru_cache(maxsize=64)
def _named(template: str, group: str, first: int, count: int) -> tuple[str, ...]:
    """Names by a template; every stage asks for them, so that they are made once."""
    return tuple(template.format(group=group, index=index) for index in range(first, first + count))
