"""The quickest engine that gives exactly what a reaction is."""

from __future__ import annotations

from fabric.failures.engine import PhaseEngine, SweepPhase
from fabric.failures.hashed import HashedEngine, hashes_whole_flows
from fabric.failures.plain import PlainEngine
from fabric.failures.reaction import BLACKHOLE, CONVERGED, EXPORTED, FROZEN, REOPTIMISED, Reaction


def engine_of(phase: SweepPhase, reaction: Reaction = CONVERGED, dialect: str = "") -> PhaseEngine:
    """An engine for a phase: one that follows only what a failure touches where there is one, else plain routing.

    Parameters
    ----------
    dialect : str
        Of reaction ``exported``: whose tables are looked at.
    """
    if reaction == EXPORTED:
        from fabric.failures.exported import exported_engine

        return exported_engine(phase, dialect, engine_of(phase, CONVERGED))
    if reaction == BLACKHOLE:  # what is lost until then is another question: fabric.failures.blackhole
        return engine_of(phase, CONVERGED)
    if reaction in (CONVERGED, FROZEN) and hashes_whole_flows(phase):
        return HashedEngine.of(phase, reaction)
    if reaction == REOPTIMISED:
        from fabric.failures.optimum import OptimalEngine

        return OptimalEngine(phase)
    return PlainEngine(phase, reaction)
