"""The quickest engine that gives exactly what a reaction is."""

from __future__ import annotations

from fabric.failures.engine import PhaseEngine, SweepPhase
from fabric.failures.fluid.build_fluid import fluid_engine, frozen_fluid_engine
from fabric.failures.frozen import FrozenEngine
from fabric.failures.plain import PlainEngine
from fabric.failures.reaction import CONVERGED, FROZEN, Reaction


def engine_of(phase: SweepPhase, reaction: Reaction = CONVERGED) -> PhaseEngine:
    """An engine for a phase: one that follows only what a failure touches where there is one, else plain routing."""
    if reaction == FROZEN:
        frozen = FrozenEngine.of(phase)
        return frozen_fluid_engine(phase, frozen) or frozen
    plain = PlainEngine(phase, reaction)
    if reaction == CONVERGED:
        return fluid_engine(phase, plain) or plain
    return plain
