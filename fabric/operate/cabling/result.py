"""What a verification of cabling says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fabric.operate.cabling.components import Difference
from fabric.operate.cabling.planned import Port
from fabric.operate.cabling.renaming import Renaming
from fabric.operate.cabling.seen import Conflict

Kind = Literal["swap", "cycle", "move", "plug", "unplug"]
Action = Literal["move", "plug", "unplug"]


@dataclass(frozen=True)
class MoveStep:
    """One action.

    Of a move, ``source`` is the port that an end leaves, ``target`` the one that it goes to, and ``stays`` the port of
    the cable's other end. Of a cable to plug or unplug, ``source`` and ``target`` are its two ports.
    """

    action: Action
    source: Port
    target: Port
    stays: Port | None = None


@dataclass(frozen=True)
class Cost:
    """What jobs come to on the fabric as something leaves it.

    Attributes
    ----------
    max_utilisation : float or None
        Of the fullest link of all phases; None where a link without capacity is offered traffic.
    step_time_s : float or None
        Of the job that suffers most; None where it cannot finish, or no job has steps.
    job : str
        That job; empty for none.
    cut : int
        Pairs that send to each other and have no path.
    """

    max_utilisation: float | None
    step_time_s: float | None
    job: str = ""
    cut: int = 0


@dataclass(frozen=True)
class Move:
    """One finding, and what puts it right.

    Attributes
    ----------
    kind : str
        ``swap``: two ends change places; ``cycle``: several do, each into the next one's port; ``move``: an end, or one
        after another, into free ports; ``plug`` and ``unplug``: a whole cable.
    unit : str
        What happened to a unit, in words; empty for others.
    harmless : str
        Why it changes nothing; empty where it does.
    cost : Cost or None
        With everything else right and this as it is; None where it was not routed.
    """

    kind: Kind
    fabric: str
    steps: tuple[MoveStep, ...]
    unit: str = ""
    harmless: str = ""
    cost: Cost | None = None


@dataclass(frozen=True)
class SlowCable:
    """A cable that is where it should be and runs at a lower speed."""

    fabric: str
    one: Port
    other: Port
    gbps: float
    planned_gbps: float


@dataclass(frozen=True, eq=False)
class CablingResult:
    """What is plugged, held against the plan.

    Attributes
    ----------
    ends : int
        Ends of cables of the plan.
    seen, right : int
        Those at which a cable was seen, or is known to be missing; those whose cable is the plan's.
    both_sides, one_side : int
        Cables that both of their ends saw, or one alone.
    unseen : tuple of pairs of Port
        Cables of the plan of which nobody can say whether they are there.
    planned, now : Cost or None
        Jobs on the fabric as planned and as plugged; None where nothing is sent.
    renaming : Renaming or None
        Names other than the plan's by which the cables were compared, since most are wrong by the plan's.
    """

    source: str
    ends: int
    seen: int
    right: int
    both_sides: int
    one_side: int
    missing: tuple[tuple[Port, Port], ...]
    extra: tuple[tuple[Port, Port], ...]
    slow: tuple[SlowCable, ...]
    moves: tuple[Move, ...]
    unseen: tuple[tuple[Port, Port], ...]
    conflicts: tuple[Conflict, ...]
    known_part: float
    outside: int
    planned: Cost | None
    now: Cost | None
    notes: tuple[str, ...]
    difference: Difference
    strict: bool = False
    renaming: Renaming | None = None

    @property
    def actions(self) -> int:
        """Ends to move, cables to plug and to unplug, in all."""
        return sum(len(move.steps) for move in self.moves)

    @property
    def is_right(self) -> bool:
        """Whether everything that is seen is as planned; if strict, everything is seen."""
        wrong = self.moves or self.slow or self.conflicts or self.renaming
        return not wrong and not (self.strict and self.unseen)
