"""The step of a job as it repeats: pieces on the wire, and between them pieces in which it sends nothing.

The order is that of ``fabric.evaluation.step_order``. A phase sends in one piece, at one pace, and then waits as long
as its calls wait for latency. Alone that piece takes what the phase's time says; beside others it takes

    max(window · stretch(1 / pace), inside)

of the phase's formula. What it takes longer delays the rest of the step, less what compute still hides: up to the
phase's room, a part of its growth (``1 - least_exposed``), and no more in a step than the compute that nothing hides
behind alone. That much is taken off the next piece of bare compute. Exposed growth inside the layers lengthens the
pipeline's bubble with it. So a step in which every phase is stretched comes to what ``fabric.evaluation.step_time``
says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fabric.evaluation.step_order import PlacedPhase, step_order
from fabric.evaluation.step_time import IN_LAYERS
from fabric.result import JobTime, PhaseRoute
from fabric.routing.packet_slowdown import time_stretch
from fabric.share.interference.shared_rows import STEADY, ColumnName, SharedRows
from topologies.errors import TrafficError
from topologies.units import format_seconds
from traffic.workload import Phase, WorkloadTraffic

SILENT = -1  # column of a piece in which nothing is sent
_SHORT = 1e-12  # of the period: no piece


@dataclass(frozen=True)
class Piece:
    """A part of a step: its time alone, and what makes it longer or shorter beside others."""

    alone_s: float
    column: int = SILENT
    phase: str = ""
    absorbs_s: float = 0.0  # of a silent piece: how much of it is compute that phases may hide behind
    window_s: float = 0.0  # at full pace
    inside_s: float = 0.0  # no pace makes it shorter
    hides: float = 0.0  # part of its growth that compute hides, up to ...
    room_s: float = 0.0
    bubble: float = 0.0  # idle time of the pipeline per second that the step waits longer for it
    packet_slowdown: float = 1.0

    def time_s(self, pace: float) -> float:
        """How long it takes all at one pace.

        >>> Piece(1.0, 0, window_s=1.0).time_s(0.5)
        2.0
        """
        return max(self.window_s * time_stretch(1 / pace, self.packet_slowdown), self.inside_s)


@dataclass(frozen=True)
class Lane:
    """A job on the shared links: a step that repeats, or traffic that never stops.

    ``pieces`` are empty of steady traffic, ``steady`` is its column; else -1.
    """

    job: str
    weight: float
    pieces: tuple[Piece, ...] = ()
    steady: int = SILENT

    @property
    def period_s(self) -> float | None:
        """From one step to the next, alone; None of steady traffic."""
        return sum(piece.alone_s for piece in self.pieces) if self.pieces else None

    @property
    def hidden_left_s(self) -> float:
        """Compute in a step that nothing hides behind, and something could."""
        return sum(piece.absorbs_s for piece in self.pieces)

    @property
    def columns(self) -> tuple[int, ...]:
        """All columns of it."""
        return (self.steady,) if self.steady >= 0 else tuple({one.column: 0 for one in self.pieces if one.column >= 0})

    @property
    def wire_s(self) -> float:
        """Time in a step that something is on the wire, alone."""
        return sum(piece.alone_s for piece in self.pieces if piece.column >= 0)

    def paced(self, period_s: float) -> Lane:
        """The same, held to a longer period by a wait at the end of the step."""
        wait_s = period_s - (self.period_s or 0.0)
        return self if wait_s <= 0 else replace(self, pieces=(*self.pieces, Piece(wait_s)))


def lanes_of(
    workload: WorkloadTraffic,
    job: JobTime | None,
    routes: Mapping[tuple[str, str], PhaseRoute],
    rows: SharedRows,
    *,
    weight: float,
    period_s: float | None,
) -> tuple[Lane, ...]:
    """A job's step, where it has one, and its steady traffic on every fabric.

    Parameters
    ----------
    job : JobTime, optional
        Its times alone; None where it has no phases with a volume.
    period_s : float, optional
        As measured: the step ends in a wait that makes it so long.

    Raises
    ------
    TrafficError
        When the step takes no time (FP9740), or longer than the measured period (FP9741).
    """
    steady = [
        Lane(workload.id, weight, steady=at)
        for name, at in rows.columns.items()
        if name.job == workload.id and name.phase == STEADY
    ]
    if period_s is not None and period_s <= 0:
        raise TrafficError(
            f"{workload.id} has a period of 0 s: no step repeats in no time",
            where="period",
            code="FP9740",
            hint="the measured time of a step, such as period: 2 s; or leave it out",
        )
    if job is None or job.step_time_s is None:
        return tuple(steady)
    pieces = _pieces(workload, job, routes, rows)
    alone_s = sum(piece.alone_s for piece in pieces)
    if period_s is not None:
        if period_s < alone_s * (1 - 1e-9):
            raise TrafficError(
                f"{workload.id} has a period of {format_seconds(period_s)}, and alone its step takes "
                f"{format_seconds(alone_s)}",
                where="period",
                code="FP9741",
                hint=f"period: {format_seconds(alone_s)} or more, less traffic in a step, or no period",
            )
        pieces += (Piece(period_s - alone_s),)
    step = Lane(workload.id, weight, tuple(piece for piece in pieces if piece.alone_s > _SHORT * alone_s))
    return (*((step,) if step.pieces else ()), *steady)


def _pieces(
    workload: WorkloadTraffic, job: JobTime, routes: Mapping[tuple[str, str], PhaseRoute], rows: SharedRows
) -> tuple[Piece, ...]:
    """The pieces of a step, alone."""
    order = step_order(job)
    phases = {phase.name: phase for phase in workload.phases if not phase.steady}
    compute_s = job.compute_s or 0.0
    hidden_s = sum((one.phase.predicted_s or 0.0) - (one.phase.exposed_s or 0.0) for one in order.placed)
    left_s = max(compute_s - hidden_s, 0.0)
    bubble = workload.model.bubble or 0.0 if workload.model and compute_s else 0.0
    pieces: list[Piece] = []
    clock_s = 0.0
    for placed in order.placed:
        gap_s = max(placed.start_s - clock_s, 0.0)
        bare_s = min(gap_s, left_s)
        left_s -= bare_s
        pieces.append(Piece(gap_s, absorbs_s=bare_s))
        pieces += _of_phase(placed, phases[placed.phase.name], job, routes, rows, bubble)
        clock_s = max(placed.start_s, clock_s) + (placed.phase.predicted_s or 0.0)
    rest_s = max(order.clock_s - clock_s, 0.0)
    tail_s = (job.parts.bubble_s + job.parts.optimizer_s) if job.parts else 0.0
    return (*pieces, Piece(rest_s, absorbs_s=min(rest_s, left_s)), Piece(tail_s))


def _of_phase(
    placed: PlacedPhase,
    phase: Phase,
    job: JobTime,
    routes: Mapping[tuple[str, str], PhaseRoute],
    rows: SharedRows,
    bubble: float,
) -> list[Piece]:
    """What a phase has on the wire, and what it waits for after that."""
    whole_s = placed.phase.predicted_s or 0.0
    column = rows.columns.get(ColumnName(job.id, phase.fabric or "", phase.name), SILENT)
    if phase.fabric is None or column == SILENT:
        return [Piece(whole_s)]
    route, figures = routes[phase.fabric, phase.name], rows.figures[column]
    hidden_s = whole_s - (placed.phase.exposed_s or 0.0)
    wire = Piece(
        0.0,
        column,
        phase.name,
        window_s=route.window_s[job.id] * phase.uneven,
        inside_s=phase.inside_s,
        hides=1 - phase.least_exposed if placed.under_compute else 0.0,
        room_s=max(phase.room * (job.compute_s or 0.0) - hidden_s, 0.0) if placed.under_compute else 0.0,
        bubble=bubble if phase.dimension in IN_LAYERS else 0.0,
        packet_slowdown=figures.packet_slowdown,
    )
    alone_s = min(wire.time_s(figures.pace), whole_s)
    return [replace(wire, alone_s=alone_s), Piece(whole_s - alone_s)]
