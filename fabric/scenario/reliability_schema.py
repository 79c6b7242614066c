"""How often parts fail, how long repairs take, and how long nobody knows of a failure, as the scenario says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from fabric.scenario.failure_rates import RATED_KINDS, built_in_rate
from topologies.errors import nearest_hint
from topologies.registry import Spec
from topologies.units import FailuresPerMonth, TimeS


def _positive(seconds: float) -> float:
    if seconds == 0:
        raise ValueError("a repair takes time; write for example 6 h, or rate: 0 %/month for a part that never fails")
    return seconds


def rate_key(key: str) -> tuple[str, str]:
    """Kind of part, and role or tier; the latter empty where the key is of all of the kind.

    >>> rate_key("link host-leaf"), rate_key("switch")
    (('link', 'host-leaf'), ('switch', ''))
    """
    kind, _, role = " ".join(key.split()).partition(" ")
    return kind, role


def _known_kind(key: str) -> str:
    kind, role = rate_key(key)
    if kind not in RATED_KINDS:
        near = nearest_hint(kind, RATED_KINDS, "kinds of part")
        raise ValueError(f"{key!r} is not a kind of part that fails; {near}")
    return f"{kind} {role}".rstrip()


RepairS = Annotated[TimeS, AfterValidator(_positive)]
RateKey = Annotated[str, AfterValidator(_known_kind)]


class RateSpec(Spec):
    """How often parts of a kind fail, and how long they are down."""

    rate: FailuresPerMonth | None = Field(
        default=None,
        description="Failures of one part: 0.057 %/month, 0.3/year, 500 FIT (failures in 10^9 h) or MTBF 50000 h",
        examples=["0.057 %/month"],
    )
    repair: RepairS | None = Field(
        default=None, description="Mean time from a failure until the part works again", examples=["6 h"]
    )

    @model_validator(mode="after")
    def _says_something(self) -> RateSpec:
        if self.rate is None and self.repair is None:
            raise ValueError("it says neither rate nor repair; add one, such as rate: 0.057 %/month")
        return self


class ReliabilitySpec(Spec):
    """Failure rates and repair times in place of the built-in ones."""

    rates: dict[RateKey, RateSpec] = Field(
        default={},
        description="By kind of part, or kind and role or tier, which goes before; what is left out is built in",
        examples=[{"switch": {"rate": "0.051 %/month", "repair": "6 h"}, "link host-leaf": {"repair": "2 h"}}],
    )
    detection: TimeS | None = Field(
        default=None,
        description="Time until switches notice a failure; what is sent into it until then is lost",
        examples=["200 ms"],
    )

    @field_validator("rates")
    @classmethod
    def _each_is_whole(cls, rates: Mapping[str, RateSpec]) -> Mapping[str, RateSpec]:
        for key, spec in rates.items():
            kind, role = rate_key(key)
            if kind == "software" and spec.repair is not None:
                raise ValueError(
                    f"{key!r} needs no repair: the job starts again at once; remove repair, and say "
                    "on_failure.restart_time of the job"
                )
            _complete(key, kind, role, spec, rates)
        return rates


def _complete(key: str, kind: str, role: str, spec: RateSpec, rates: Mapping[str, RateSpec]) -> None:
    """Refuse a row that lacks a rate or a repair time that nothing else gives."""
    general = [rates[other] for other in rates if role and rate_key(other) == (kind, "")]
    for name in ("rate",) if kind == "software" else ("rate", "repair"):
        given = [getattr(each, name) for each in (spec, *general)]
        if all(value is None for value in given) and built_in_rate(kind) is None:
            example = "rate: 0.1 %/year" if name == "rate" else "repair: 6 h"
            raise ValueError(f"{key!r} has no {name}, and no built-in one: nothing is published of it; add {example}")
