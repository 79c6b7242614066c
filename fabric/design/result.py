"""What ``fabric design`` answers: designs side by side, one chosen, and how near the best it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fabric.design.counted import Counted

Status = Literal["OPTIMAL", "BOUNDED", "INFEASIBLE"]


@dataclass(frozen=True)
class WorstFailure:
    """The worst single failure of a design, of those that were asked for."""

    case: str  # parts that fail
    jobs: Mapping[str, float | None]  # step time by job, s; None: stopped
    unreachable_pairs: int
    max_utilisation: float | None


@dataclass(frozen=True)
class Design:
    """One design: built, checked port for port, routed with the jobs, and failed.

    Attributes
    ----------
    fabrics : mapping
        Counted design of every fabric.
    text : str
        The scenario file.
    why_not : str
        Why it is not the one chosen: what it costs more, or what it fails.
    """

    name: str
    topology_kind: str  # of its fabric; with several under their names
    fabrics: Mapping[str, Counted]  # empty where it was read from a file
    text: str
    gpus: int | None
    switches_by_role: Mapping[str, int]
    cables_by_tier: Mapping[str, int]
    optics_by_model: Mapping[str, int]
    value: float  # of the objective
    cost_usd: float | None
    power_w: float | None
    carbon_kg: float | None
    cable_m: float | None
    oversubscription_by_role: Mapping[str, float]
    step_time_s: Mapping[str, float]
    max_utilisation: float | None
    worst_failure: WorstFailure | None
    chosen: bool = False
    why_not: str = ""
    notes: tuple[str, ...] = ()
    uniform_load: Mapping[str, float] = field(default_factory=dict)  # by fabric, of flat networks (Counted)


@dataclass(frozen=True)
class Conflict:
    """A wish that cannot be had together with the others of its set."""

    key: str  # of the requirement
    wish: str
    nearest: str  # what of it would fit, with the others kept


@dataclass(frozen=True, eq=False)
class DesignResult:
    """Designs side by side, best first.

    Attributes
    ----------
    value, bound : float, optional
        Of the chosen design, and what no design that meets the requirement can be below; in units of the objective.
    tried : int
        Designs that were built, routed and failed.
    rejected : tuple of str
        Cheaper designs by counts that did not hold when they were built, routed or failed, each with why.
    """

    status: Status
    objective: str
    value: float | None
    bound: float | None
    designs: tuple[Design, ...]
    conflict: tuple[Conflict, ...] = ()
    defaults: tuple[str, ...] = ()  # what was not said, and what was taken
    flips: tuple[str, ...] = ()  # at which price the choice would be another
    rejected: tuple[str, ...] = ()
    tried: int = 0
    notes: tuple[str, ...] = field(default=())
    unit: str = ""  # of value and bound; empty for a weighted sum

    @property
    def gap(self) -> float | None:
        """Relative distance of the chosen design's value from the bound."""
        if self.value is None or self.bound is None:
            return None
        return 0.0 if self.value <= self.bound else (self.value - self.bound) / self.value

    @property
    def chosen(self) -> Design | None:
        """The design to buy."""
        return next((design for design in self.designs if design.chosen), None)
