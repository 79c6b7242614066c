"""Engines of phases, made when a case first touches their fabric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from fabric.failures.cases import Damage
from fabric.failures.choose import engine_of
from fabric.failures.engine import LinkWorst, Outcomes, PhaseEngine, SweepPhase
from fabric.failures.hashed import hashes_whole_flows
from fabric.failures.reaction import CONVERGED, FROZEN, Reaction
from topologies.columns import Floats


@dataclass(frozen=True, eq=False)
class LazyEngine:
    """The engine of a phase, made when a case first touches its fabric."""

    phase: SweepPhase
    reaction: Reaction
    dialect: str = ""
    like: LazyEngine | None = None  # of a phase that was routed as one with this one

    @cached_property
    def made(self) -> PhaseEngine:
        """The engine itself."""
        if self.like is not None:
            return self.like.made
        return engine_of(self.phase, self.reaction, self.dialect)

    def outcomes(self, damage: Damage, worst: LinkWorst, first: int = 0) -> Outcomes:
        """As the engine answers."""
        return self.made.outcomes(damage, worst, first)

    def utilisation(self, damage: Damage, case: int) -> Floats:
        """As the engine answers."""
        return self.made.utilisation(damage, case)

    def damaged(self, damage: Damage, case: int) -> PhaseEngine:
        """As the engine answers."""
        return self.made.damaged(damage, case)


def lazy_engines(phases: Sequence[SweepPhase], reaction: Reaction, dialect: str) -> tuple[LazyEngine, ...]:
    """An engine for every phase; phases that hash flows and share one routing share it."""
    first: dict[int, LazyEngine] = {}
    engines: list[LazyEngine] = []
    for phase in phases:
        engine = LazyEngine(phase, reaction, dialect)
        if reaction in (CONVERGED, FROZEN) and phase.intact.routed is not None and hashes_whole_flows(phase):
            like = first.setdefault(id(phase.intact.routed.routing), engine)
            engine = engine if like is engine else replace(engine, like=like)
        engines.append(engine)
    return tuple(engines)
