"""``limits``: what has to hold, each of a metric, and the largest value that passes in the unit of that."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from topologies.registry import Spec
from topologies.units import parse_bytes, parse_ratio, parse_seconds

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
