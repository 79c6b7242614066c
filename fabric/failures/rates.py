"""How often parts fail and how long repairs take: what the scenario says, else what is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fabric.failures.part import Part
from fabric.result import Assumption
from fabric.scenario.failure_rates import RATED_KINDS, built_in_rate
from fabric.scenario.reliability_schema import RateSpec, ReliabilitySpec, rate_key
from topologies.errors import Problem, ScenarioError, nearest_hint
from topologies.units import HOURS_PER_MONTH, format_seconds, percent


@dataclass(frozen=True)
class PartRate:
    """Of one part of a kind and role."""

    per_month: float  # failures while it works
    repair_s: float  # 0 of what works again at once
    source: str

    @property
    def down(self) -> float:
        """Part of the time that it is down."""
        load = self.load
        return load / (1 + load)

    @property
    def load(self) -> float:
        """Mean time down over mean time up."""
        return self.per_month * self.repair_s / 3600 / HOURS_PER_MONTH

    @property
    def failures_per_month(self) -> float:
        """With the time that it is down in it."""
        return self.per_month * (1 - self.down)


@dataclass(frozen=True)
class Rates:
    """All rates of a scenario."""

    given: Mapping[tuple[str, str], RateSpec]
    _known: dict[tuple[str, str], PartRate | None] = field(default_factory=dict, repr=False)

    @staticmethod
    def of(spec: ReliabilitySpec) -> Rates:
        """As the scenario says."""
        return Rates({rate_key(key): rate for key, rate in spec.rates.items()})

    def rate(self, kind: str, role: str = "") -> PartRate | None:
        """Of parts of a kind and role; None where nothing is known of them.

        A row of the kind and role goes before one of the kind, and that before what is published.
        """
        if (kind, role) not in self._known:
            self._known[kind, role] = self._looked_up(kind, role)
        return self._known[kind, role]

    def _looked_up(self, kind: str, role: str) -> PartRate | None:
        rows = [self.given[key] for key in ((kind, role), (kind, "")) if key in self.given]
        known = built_in_rate(kind)
        per_month = next((row.rate for row in rows if row.rate is not None), known.per_month if known else None)
        repair = next((row.repair for row in rows if row.repair is not None), known.repair_s if known else None)
        if per_month is None:
            return None
        source = known.source if known and all(row.rate is None for row in rows) else "the scenario"
        return PartRate(per_month, repair or 0.0, source)

    def check_roles(self, parts: Sequence[Part], roles: Sequence[str]) -> None:
        """Refuse rows whose role or tier nothing has.

        Parameters
        ----------
        roles : sequence of str
            Roles of switches and tiers of links of all fabrics.

        Raises
        ------
        ScenarioError
            Located at the row (FP2105).
        """
        there = {*roles, *(part.role for part in parts if part.role)}
        problems = [
            Problem(
                f"no {kind} has the role or tier {role!r}",
                code="FP2105",
                where=("reliability", "rates", f"{kind} {role}"),
                on_key=True,
                hint=nearest_hint(role, sorted(there), "roles and tiers"),
            )
            for kind, role in self.given
            if role and role not in there
        ]
        if problems:
            raise ScenarioError(problems)

    def assumptions(self, used: Sequence[tuple[str, str]], without: Sequence[str]) -> tuple[Assumption, ...]:
        """What was taken for the kinds and roles that fail, and which kinds nothing is known of."""
        texts: list[Assumption] = []
        for kind in RATED_KINDS:
            own = sorted({role for of, role in used if of == kind})
            taken = {role: rate for role in own if (rate := self.rate(kind, role)) is not None}
            for rate in dict.fromkeys(taken.values()):
                named = [role for role, other in taken.items() if other == rate and role]
                which = f" ({', '.join(named)})" if named and len(set(taken.values())) > 1 else ""
                repair = f", repaired in {_duration(rate.repair_s)}" if rate.repair_s else ""
                guess = " (an estimate)" if rate.repair_s and self._repair_is_built_in(kind, named) else ""
                text = f"{kind}{which}: {percent(rate.per_month, 3)} a month fail{repair}{guess}; {rate.source}"
                texts.append(Assumption(f"reliability.{kind}", text, f"reliability.rates.{kind}"))
        for kind in without:
            texts.append(
                Assumption(
                    f"reliability.{kind}",
                    f"{kind}: nothing is published of how often it fails; its failures are not in what is lost a month",
                    f"reliability.rates.{kind}",
                )
            )
        return tuple(texts)

    def _repair_is_built_in(self, kind: str, roles: Sequence[str]) -> bool:
        rows = [self.given[key] for key in ((kind, ""), *((kind, role) for role in roles)) if key in self.given]
        return all(row.repair is None for row in rows)


def _duration(seconds: float) -> str:
    """In hours from one hour on, as repairs are said."""
    return f"{seconds / 3600:g} h" if seconds >= 3600 else format_seconds(seconds)
