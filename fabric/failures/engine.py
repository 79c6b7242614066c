"""What every way of routing the cases of a phase answers; ``choose.engine_of`` chooses one.

An engine knows one phase of one fabric as it is intact and answers whole batches of cases in columns. All engines give
what routing every case anew gives (``PlainEngine``), to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fabric.failures.cases import Damage
from fabric.failures.worst_links import merge_worst
from fabric.result import PhaseRoute
from fabric.routing.router import RoutingOptions
from fabric.scenario.latency_schema import FabricLatency
from topologies.columns import Bools, Floats, Ints, Longs
from topologies.topology import Topology
from traffic.demands import Demands

CAUSES = 10  # cases kept per link


@dataclass(frozen=True, eq=False)
class SweepPhase:
    """A phase as it is routed intact (with what the scenario has down), and all that routing it again takes.

    Attributes
    ----------
    options : RoutingOptions
        Their seed is that of the draw of the hash that cases are looked at in; ``draws`` is 1.
    intact : PhaseRoute
        Routed in that draw; its ``routed`` is there.
    """

    fabric: str
    phase: str
    topology: Topology
    demands: Demands
    router: str
    options: RoutingOptions
    efficiency: float
    latency: FabricLatency
    intact: PhaseRoute

    @property
    def jobs(self) -> tuple[tuple[str, bool], ...]:
        """(job, of its steady traffic): whose peaks are measured, in the order of the columns of ``Outcomes``."""
        from fabric.evaluation.phases import jobs_with_steady

        return (
            *((job, False) for job in self.intact.window_s),
            *((job, True) for job in jobs_with_steady(self.intact.classes)),
        )


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What N cases come to in one phase.

    ``peak`` is what ``evaluation.phases.job_peak`` says; ``cut`` whether a job has demand without a path, or, where
    groups are frozen or traffic is lost, any that does not arrive.
    """

    max_utilisation: Floats  # shape (N,)
    hottest: Ints  # shape (N,), directed link, -1 where nothing is offered
    links_over_capacity: Ints  # shape (N,)
    unreachable_pairs: Longs  # shape (N,)
    peak: Floats  # shape (N, J)
    cut: Bools  # shape (N, J)
    bound: Floats  # shape (N,), no routing of a case has a lower fullest link; nan: not worked out

    @staticmethod
    def empty(cases: int, jobs: int) -> Outcomes:
        """To be filled in; no bound is known."""
        return Outcomes(
            np.zeros(cases),
            np.full(cases, -1, dtype=np.int32),
            np.zeros(cases, dtype=np.int32),
            np.zeros(cases, dtype=np.int64),
            np.zeros((cases, jobs)),
            np.zeros((cases, jobs), dtype=np.bool_),
            np.full(cases, np.nan),
        )


@dataclass(frozen=True, eq=False)
class LinkWorst:
    """Per link its highest utilisations over cases, and in which; falling, -1 where there are fewer.

    Of equal utilisations the case with the lower number comes first. A link that is down in a case is not measured in
    it. Cases in which a link is as full as it is intact, but for rounding, are not listed.
    """

    utilisation: Floats  # shape (L, CAUSES)
    case: Longs  # shape (L, CAUSES), numbers as the caller counts them

    @staticmethod
    def empty(links: int) -> LinkWorst:
        """Before any case."""
        return LinkWorst(np.full((links, CAUSES), -1.0), np.full((links, CAUSES), -1, dtype=np.int64))

    def add(self, case: int, links: Ints, utilisation: Floats) -> None:
        """Take in one case: the links whose utilisation it changes, and what that is then."""
        entering = utilisation > self.utilisation[links, -1]
        for link, value in zip(links[entering].tolist(), utilisation[entering].tolist(), strict=True):
            row, cases = self.utilisation[link], self.case[link]
            place = int(np.searchsorted(-row, -value, side="right"))
            row[place + 1 :] = row[place:-1]
            cases[place + 1 :] = cases[place:-1]
            row[place], cases[place] = value, case

    def merged(self, other: LinkWorst) -> LinkWorst:
        """Both together; of equal utilisations the lower case number first."""
        both = LinkWorst(self.utilisation.copy(), self.case.copy())
        merge_worst(both.utilisation, both.case, other.utilisation, other.case)
        return both


class PhaseEngine(Protocol):
    """Routes the cases of one phase."""

    def outcomes(self, damage: Damage, worst: LinkWorst, first: int = 0) -> Outcomes:
        """Every case of ``damage``; ``worst`` takes them in, numbered from ``first`` on."""
        ...

    def utilisation(self, damage: Damage, case: int) -> Floats:
        """Offered over capacity of every link in one case, shape (L,); 0 on links that are down."""
        ...

    def damaged(self, damage: Damage, case: int) -> PhaseEngine:
        """The same phase with a case's damage already done: what further cases come on top of."""
        ...
