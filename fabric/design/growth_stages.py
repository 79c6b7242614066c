"""Growth in the requirement file: what comes later, stage by stage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from topologies.registry import Spec
from topologies.units import Count, Ratio

WITHOUT = Literal["recabling-leaves", "recabling"]


class GrowthStage(Spec):
    """A size to grow to."""

    gpus: Count | None = Field(default=None, description="GPUs of the stage", examples=[8192])
    hosts: Count | None = Field(default=None, description="Hosts of the stage, in place of GPUs")
    floor: Annotated[Ratio, Field(gt=0, le=1)] | None = Field(
        default=None, description="Least part of the capacity that is left during the work", examples=["80%"]
    )
    without: WITHOUT | None = Field(
        default=None, description="What must not be needed: ports are reserved from the start"
    )

    @model_validator(mode="after")
    def _has_size(self) -> GrowthStage:
        if (self.gpus is None) == (self.hosts is None):
            raise ValueError("a stage is so many GPUs or so many hosts; write for example gpus: 8192")
        return self


def as_stages(value: object) -> object:
    """One stage, or a list of them."""
    return [value] if isinstance(value, dict) else value
