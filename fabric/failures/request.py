"""What ``fabric failures`` is asked: which parts fail, how many at once, and how the network reacts."""

from __future__ import annotations

from dataclasses import dataclass, field

from fabric.failures.part import PartKind
from fabric.failures.reaction import CONVERGED, Reaction
from fabric.request import RouteRequest


@dataclass(frozen=True)
class FailureRequest:
    """A sweep over failure cases."""

    route: RouteRequest = field(default_factory=RouteRequest)  # how the intact state is routed, and what is down in it
    kinds: tuple[PartKind, ...] = ("link", "switch")
    fabric: str | None = None  # only parts of this one fail; None: of any
    choose: int = 1  # parts that fail at once
    named: tuple[str, ...] = ()  # sets of the scenario's ``failures``; instead of kinds
    sample: int | None = None  # cases drawn where there are more; None: all
    reaction: Reaction = CONVERGED
    dialect: str = ""  # of reaction exported
    detection_s: float | None = None  # of reaction blackhole; None: what the scenario says
    seed: int | None = None  # of samples and months; None: the scenario's
    top: int = 10  # rows of every list that people see; machines get them too, counts stay whole
    keep_worst: int = 50  # cases kept with all their figures where there are too many to keep all
    months: int | None = None  # simulated, for what is lost a month; None: as many as the interval needs
    expected: bool = True  # whether rates are applied
