"""The quickest engine that gives exactly what a reaction is."""

from __future__ import annotations

from fabric.failures.engine import PhaseEngine, SweepPhase
from fabric.failures.hashed import HashedEngine, hashes_whole_flows
from fabric.failures.plain import PlainEngine
from fabric.failures.reaction import BLACKHOLE, CONVERGED, EXPORTED, FROZEN, REOPTIMISED, Reaction
from fabric.optimise.objective import compared_objective
from fabric.routing.router import traits_of


def is_solved(phase: SweepPhase, reaction: Reaction) -> bool:
    """Whether a solver places all traffic of every case anew, and proves how good that is."""
    if reaction == REOPTIMISED:
        return True
    traits, objective = traits_of(phase.router), phase.options.objective
    return reaction in (CONVERGED, BLACKHOLE) and traits.stage == "optimum" and objective == compared_objective()


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
    if is_solved(phase, reaction):
        from fabric.failures.optimum import OptimalEngine

        return OptimalEngine(phase, reaction)
    from fabric.failures.fluid.build_fluid import fluid_engine, frozen_fluid_engine

    if reaction == FROZEN:
        from fabric.failures.frozen import FrozenEngine
        from fabric.failures.frozen_splits import rule_of

        frozen = FrozenEngine.of(phase)
        follows = rule_of(phase) is not None  # splits of an optimum are walked case by case
        return (frozen_fluid_engine(phase, frozen) if follows else None) or frozen
    plain = PlainEngine(phase, reaction)
    return fluid_engine(phase, plain) or plain
