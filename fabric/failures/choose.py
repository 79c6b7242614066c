"""The quickest engine that gives exactly what a reaction is."""

from __future__ import annotations

from fabric.failures.engine import PhaseEngine, SweepPhase
from fabric.failures.plain import PlainEngine
from fabric.failures.reaction import CONVERGED, Reaction


def engine_of(phase: SweepPhase, reaction: Reaction = CONVERGED) -> PhaseEngine:
    """An engine for a phase: one that follows only what a failure touches where there is one, else plain routing."""
    return PlainEngine(phase, reaction)
