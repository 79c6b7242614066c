"""Keys of ``measured:``: where counters come from that ``fabric verify load`` holds against the plan."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from topologies.registry import Spec
from topologies.units import TimeS

KEYS = {"prometheus": "url", "csv": "path", "perfquery": "path", "nccl-tests": "path"}


class MeasuredSpec(Spec):
    """One source of measurements."""

    kind: Literal["prometheus", "csv", "perfquery", "nccl-tests"] = Field(
        description="Where from: a Prometheus, a table, outputs of perfquery -x, logs of nccl-tests"
    )
    url: str | None = Field(default=None, description="Of a Prometheus", examples=["http://localhost:9090"])
    path: str | None = Field(
        default=None,
        min_length=1,
        description="File; of perfquery two with a comma between them",
        examples=["loads.csv"],
    )
    profile: Literal["snmp", "node", "gnmi", "dcgm"] = Field(
        default="snmp", description="Of a Prometheus: whose names its series have"
    )
    window: Annotated[TimeS, Field(ge=1)] = Field(
        default=900.0, description="Over which rates are means; of perfquery the time between", examples=["15 min"]
    )
    names: str | None = Field(
        default=None, min_length=1, description="CSV with node,instance[,port,interface]", examples=["names.csv"]
    )

    @model_validator(mode="after")
    def _has_its_key(self) -> MeasuredSpec:
        wanted = KEYS[self.kind]
        if getattr(self, wanted) is None:
            raise ValueError(f"{self.kind} needs {wanted}:")
        other = "path" if wanted == "url" else "url"
        if getattr(self, other) is not None:
            raise ValueError(f"{other} is not of {self.kind}, which has {wanted}")
        return self
