"""A registry of workloads with the keys that error tests need, so that their goldens do not move with the real ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from fabric.scenario.registries import Registries
from topologies.registry import Registry, Spec
from topologies.units import Count, TimeS, VolumeBytes


class Parallelism(Spec):
    """Sizes of the parallel dimensions."""

    tp: Count = 1
    pp: Count = 1
    dp: Count | Literal["auto"] = "auto"


class Placement(Spec):
    """Where ranks go."""

    group: str
    order: Literal["packed", "scattered", "rail-aligned"] = "packed"


class Checkpoint(Spec):
    """Saving the state."""

    every: TimeS
    fabric: str | None = None


WORKLOADS: Registry[Any] = Registry("kind of workload", "traffic.patterns")


@WORKLOADS.register("training", example={"parallelism": {}, "placement": {"group": "gpu"}})
def training(
    parallelism: Annotated[Parallelism, Field(description="Sizes of the parallel dimensions")],
    placement: Annotated[Placement, Field(description="Where ranks go")],
    checkpoint: Annotated[Checkpoint | None, Field(description="Saving the state")] = None,
) -> None:
    """A training job."""


@WORKLOADS.register("all-to-all", example={"members": "all", "size": "1 GiB"}, aliases=("alltoall",))
def all_to_all(
    members: Annotated[str, Field(description="Who takes part")],
    size: Annotated[VolumeBytes, Field(description="Bytes each sends to each")],
    fabric: Annotated[str | None, Field(description="The fabric")] = None,
) -> None:
    """Everybody sends to everybody."""


REGISTRIES = Registries(workloads=WORKLOADS)
