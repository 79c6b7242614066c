"""What a reaction adds to a sweep: the intact state it starts from, what it assumes, what it loses on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.failures.blackhole import DETECTION_S, DETECTION_SAID, Losses, hits_of
from fabric.failures.cases import Cases, damage_of
from fabric.failures.choose import engine_of
from fabric.failures.engine import SweepPhase
from fabric.failures.optimum import CASE_LIMIT_S
from fabric.failures.part import Part
from fabric.failures.reaction import BLACKHOLE, EXPORTED, REOPTIMISED
from fabric.failures.request import FailureRequest
from fabric.failures.result import Hit
from fabric.pipeline.run import Run
from fabric.result import Assumption
from topologies.columns import column
from topologies.units import format_seconds

_MOST_HITS = 2_000  # cases x phases whose losses are followed; further cases, in the order of harm, say none


def phase_under(phase: SweepPhase, request: FailureRequest) -> SweepPhase:
    """A phase as it is before any failure: exported tables carry it in their own way."""
    if request.reaction != EXPORTED:
        return phase
    from fabric.failures.exported import ExportedEngine

    engine = engine_of(phase, request.reaction, request.dialect)
    return engine.phase if isinstance(engine, ExportedEngine) else phase


@dataclass(frozen=True, eq=False)
class Detection:
    """How long nobody knows of a failure, and what is lost until then."""

    seconds: float
    said: bool  # whether command line or scenario say it
    losses: tuple[Losses, ...]

    @staticmethod
    def of(run: Run, request: FailureRequest, phases: tuple[SweepPhase, ...]) -> Detection | None:
        """Of reaction ``blackhole``; else None."""
        if request.reaction != BLACKHOLE:
            return None
        given = request.detection_s
        given = run.loaded.scenario.reliability.detection if given is None else given
        seconds = DETECTION_S if given is None else given
        return Detection(seconds, given is not None, tuple(Losses.of(phase) for phase in phases))

    def hits(self, parts: Sequence[Part], row: int) -> tuple[Hit, ...]:
        """What jobs lose when parts fail together, in the case that is the ``row``-th by harm."""
        if row * max(len(self.losses), 1) >= _MOST_HITS:
            return ()
        together = _together(parts)
        damage = {each.phase.fabric: damage_of(together, each.phase.fabric) for each in self.losses}
        return hits_of(self.losses, damage, 0, self.seconds)


def _together(parts: Sequence[Part]) -> Cases:
    """One case that takes all of them."""
    count = len(parts)
    return Cases("one", tuple(parts), column([0, count], np.int64), column(np.arange(count), np.int32), 1)


def reaction_assumptions(request: FailureRequest, detection: Detection | None) -> tuple[Assumption, ...]:
    """What a sweep takes for granted by its reaction."""
    texts: list[tuple[str, str]] = []
    if detection is not None and not detection.said:
        texts.append((DETECTION_SAID, "failures.reliability.detection"))
    if detection is not None:
        texts.append((f"loads and times are those after {format_seconds(detection.seconds)}", "failures.reaction"))
    if request.reaction == REOPTIMISED:
        words = f"a case that is not solved in {format_seconds(CASE_LIMIT_S)} has the best routing until then"
        texts.append((words, "failures.reaction"))
    if request.reaction == EXPORTED:
        from fabric.failures.exported import failing_dialect
        from fabric.rules.failover import DESCRIBED

        failover = failing_dialect(request.dialect).failover
        assert failover is not None
        texts.append((f"tables of dialect {request.dialect}: {DESCRIBED[failover]}", "failures.dialect"))
        if failover != "converges":
            texts.append(("hosts with several links leave a dead one at once", "failures.dialect"))
    return tuple(Assumption(f"F{number:03d}", text, key) for number, (text, key) in enumerate(texts, 1))
