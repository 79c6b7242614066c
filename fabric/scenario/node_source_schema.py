"""Node groups whose nodes are listed by name, or read from Kubernetes or Slurm: a file of theirs, or the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PrivateAttr, field_validator, model_validator

from topologies.registry import Spec
from topologies.units import TimeS
from traffic.hostlist import chosen_hosts
from traffic.resources import NodeResources
from traffic.schedulers.live.answer import TIMEOUT_S

_OF_SOURCES = ("path", "context", "kubeconfig", "selector", "pods", "resource", "live", "partition", "timeout")


class NodeSourceSpec(Spec):
    """Where the names of a group's nodes come from, and what the nodes have for jobs."""

    model_config = ConfigDict(json_schema_extra=lambda schema: _without_count(schema))

    names: str | tuple[str, ...] | None = Field(
        default=None,
        description="Names of the nodes, as host ranges, in cabling order; count follows from them",
        examples=["n[001-256]"],
    )
    source: Literal["kubernetes", "slurm"] | None = Field(
        default=None,
        alias="from",
        description="Names and resources are read there: of the file path, or of the running "
        "cluster. Count follows from them",
        examples=["kubernetes"],
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        description="With from: the file, relative to the scenario: kubectl get nodes,pods -A -o json, scontrol show "
        "nodes, or what fabric nodes --snapshot keeps",
        examples=["nodes.json"],
    )
    context: str | None = Field(
        default=None,
        min_length=1,
        description="With from: kubernetes, in place of path: the context of the kubeconfig, or in-cluster",
        examples=["prod"],
    )
    kubeconfig: str | None = Field(
        default=None, min_length=1, description="The kubeconfig, relative to the scenario; default: as kubectl's"
    )
    selector: str | None = Field(
        default=None, min_length=1, description="Labels of the nodes asked for, as kubectl -l takes them",
        examples=["nvidia.com/gpu.product=H100"],
    )  # fmt: skip
    pods: bool = Field(default=True, description="False: pods are not asked for; what they hold counts as free")
    resource: str = Field(default="nvidia.com/gpu", min_length=1, description="Kubernetes resource that counts GPUs")
    live: str | None = Field(
        default=None,
        min_length=1,
        description="With from: slurm, in place of path: scontrol, or the address of a slurmrestd",
        examples=["scontrol", "http://head:6820"],
    )
    partition: str | None = Field(default=None, min_length=1, description="Only nodes of this partition of Slurm")
    timeout: Annotated[TimeS, Field(gt=0)] = Field(
        default=TIMEOUT_S, description="How long a running cluster may take to answer"
    )
    resources: NodeResources = Field(
        default=NodeResources(), description="What the nodes have for jobs, beside GPUs; absent: not checked"
    )

    _listed: tuple[str, ...] = PrivateAttr(default=())

    @model_validator(mode="before")
    @classmethod
    def _counted(cls, given: Any) -> Any:
        """The names say how many nodes there are."""
        if not isinstance(given, Mapping) or given.get("names") is None or "count" in given:
            return given
        try:
            return {**given, "count": len(chosen_hosts(_as_listed(given["names"])))}
        except (ValueError, TypeError):
            return {**given, "count": 1}  # what is wrong with the names is said of them

    @field_validator("names")
    @classmethod
    def _are_ranges(cls, names: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        if names is not None:
            every = chosen_hosts(_as_listed(names))
            twice = (
                next((name for name in every if every.count(name) > 1), None) if len(set(every)) < len(every) else None
            )
            if twice is not None:
                raise ValueError(f"{twice!r} is named twice")
        return names

    @model_validator(mode="after")
    def _are_read(self) -> NodeSourceSpec:
        if self.source is not None and self.names is None:
            raise ValueError("nodes of a cluster are read when the scenario is loaded from a file")
        alone = [key for key in _OF_SOURCES if key in self.model_fields_set]
        if self.source is None and alone:
            raise ValueError(
                f"{alone[0]} says where nodes are read, and from: does not; write from: kubernetes or slurm"
            )
        count = getattr(self, "count", 0)
        if self.names is not None:
            self._listed = tuple(chosen_hosts(_as_listed(self.names)))
            if count != len(self._listed):
                raise ValueError(f"count is {count:,}, and there are {len(self._listed):,} names; leave count out")
        self.resources.by_node(count)
        return self


def or_one_group(schema: dict[str, Any]) -> None:
    """Of a list of groups, for editors: a mapping with ``from`` is one, as the tree of a scenario makes it."""
    items = schema.pop("items")
    schema["anyOf"] = [
        {"type": schema.pop("type"), "items": items},
        {"allOf": [items, {"required": ["from"]}]},
    ]


def _as_listed(names: Any) -> str | list[str]:
    return names if isinstance(names, str) else list(names)


def _without_count(schema: dict[str, Any]) -> None:
    """The count may be left out where names are listed or read."""
    schema["required"] = [key for key in schema.get("required", ()) if key != "count"]
    if not schema["required"]:
        del schema["required"]
