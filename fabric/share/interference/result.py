"""What sharing costs jobs: pair by pair, all together, and with steps moved in time."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.result import LimitVerdict
from fabric.scenario.load import LoadedScenario
from topologies.columns import Floats

OTHERS = "all others"


@dataclass(frozen=True)
class SharingJob:
    """A job as it shares the fabric.

    ``period_s`` is its step alone and None of traffic that never stops; ``wire_s`` is the time in it that something is
    on the wire.
    """

    id: str
    kind: str
    weight: float
    period_s: float | None
    wire_s: float | None
    beside: tuple[str, ...]  # jobs that use a link that it uses, whether they can hold each other there or not


@dataclass(frozen=True)
class Figures:
    """A slowdown: a step beside others over the step alone; of steady traffic its rate alone over the rate then."""

    mean: float = 1.0  # over all phases of the steps against each other, equally likely
    worst: float = 1.0  # of the slowest step that was met: others may be slower
    best: float = 1.0
    error: float = 0.0  # of the mean: standard error where phases were drawn, and how much it still changes
    most: float | None = None  # no step is slower, whatever the phases; None where it was not asked for


@dataclass(frozen=True)
class Hurt:
    """Where a job loses most beside another: two phases that meet, and the link that holds it."""

    phase: str = ""
    beside_phase: str = ""
    link: str = ""
    stretch: float | None = 1.0  # of the phase, all of it beside the other; None beside several at once


@dataclass(frozen=True)
class Sharing:
    """What a job loses beside another, or beside all others."""

    job: str
    beside: str
    figures: Figures
    hurt: Hurt
    links: int  # that both use


@dataclass(frozen=True)
class Shift:
    """When a job's step begins, and what it is held to."""

    job: str
    shift_s: float
    period_s: float  # alone
    held_s: float  # from one start to the next, by waiting at the end of the step
    steps: int | None  # without being held, until it is a slot off a job it shares links with; None: periods agree
    slowdown: float  # with all shifts, held, over the step alone


@dataclass(frozen=True)
class Shifts:
    """Shifts that keep jobs out of each other's way, and how good that can be.

    The figure is the overlap of the worst link: the part of its capacity that is asked for beyond it, averaged over the
    cycle. 0: no link is ever asked for more than it carries.
    """

    items: tuple[Shift, ...]
    overlap: float  # of the worst link with these shifts, in continuous time
    before: float  # with no shift, all steps beginning together
    bound: float  # no shifts have less
    proved: bool  # the search left nothing between
    slot_s: float  # longest slot
    cycle_s: float  # longest cycle
    whole_cycle: bool  # False: periods have no common multiple in reason, and only so much time was looked at
    held_cost: float  # most that waiting adds to a step
    solver: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Admitted:
    """What placing one job costs another: its slowdown beside all others with it and without."""

    job: str
    without: float
    with_it: float
    hurt: Hurt
    error: float = 0.0  # of the cost: from where phases were drawn, and from what has not settled

    @property
    def cost(self) -> float:
        """How much longer its step takes, 0.07 for 7 %; below 0 where the newcomer holds who held it."""
        return self.with_it / self.without - 1


@dataclass(frozen=True, eq=False)
class InterferenceResult:
    """Everything `fabric interference` answers.

    Attributes
    ----------
    slowdown, worst, best : ndarray, shape (J, J)
        Of the job of the row beside that of the column; 1 on the diagonal.
    pairs : tuple of Sharing
        Of all ordered pairs that use a link together, the costliest first.
    others : tuple of Sharing
        Of every job beside all others.
    """

    loaded: LoadedScenario
    jobs: tuple[SharingJob, ...]
    slowdown: Floats
    worst: Floats
    best: Floats
    pairs: tuple[Sharing, ...]
    others: tuple[Sharing, ...]
    shifts: Shifts | None
    limits: tuple[LimitVerdict, ...]
    newcomer: str = ""
    admitted: tuple[Admitted, ...] = ()
    max_slowdown: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def too_slow(self) -> tuple[str, ...]:
        """Jobs beyond the slowdown that was allowed: by all others, or where a job asks to come in, by it."""
        if self.max_slowdown is None:
            return ()
        most = self.max_slowdown * (1 + 1e-9)
        if self.newcomer:
            found = [each.job for each in self.admitted if each.with_it / each.without > most]
            return tuple(
                found + [one.job for one in self.others if one.job == self.newcomer and one.figures.mean > most]
            )
        return tuple(each.job for each in self.others if each.figures.mean > most)

    @property
    def holds(self) -> bool:
        """Whether nothing that was asked for is missed."""
        return not self.too_slow and all(limit.ok is not False for limit in self.limits)
