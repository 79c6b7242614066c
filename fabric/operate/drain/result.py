"""What a plan of work says: windows in order, what each costs, and what other plans would."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.failures.result import FailureCase
from fabric.result import JobTime, LimitVerdict
from fabric.scenario.load import LoadedScenario


@dataclass(frozen=True)
class TableChange:
    """How the tables of one fabric come to lead around what is drained, and back.

    Steps are messages to switches; rounds end with a barrier.
    """

    fabric: str
    rounds: int
    steps: int
    switches: int
    back_rounds: int
    back_steps: int


@dataclass(frozen=True)
class Window:
    """Works that are done at the same time.

    Attributes
    ----------
    lost : float
        GPU-hours that stand still because of it (job-hours where no job has GPUs).
    broken : tuple of str
        What holds without the work and not in this window.
    max_utilisation, hottest_link, jobs, limits
        As ``fabric route --down`` says of this state.
    worst_failure : FailureCase or None
        The worst single failure on top of it; None where it is not looked at, or nothing can fail.
    changes : tuple of TableChange
        Of switches that are programmed by exported tables.
    """

    number: int
    works: tuple[str, ...]
    selectors: tuple[str, ...]  # what --down takes
    hours: float
    lost: float
    broken: tuple[str, ...]
    max_utilisation: float
    hottest_link: str
    gpus_cut_off: int
    jobs: tuple[JobTime, ...]
    limits: tuple[LimitVerdict, ...]
    worst_failure: FailureCase | None = None
    changes: tuple[TableChange, ...] = ()
    folder: str = ""  # with the rounds to drain it and back; empty where none is written

    @property
    def roll_back(self) -> str:
        """How the window is left, whether the work is done or not."""
        return f"undrain {', '.join(self.works)}: the state before the window, which was routed too"


@dataclass(frozen=True)
class OtherPlan:
    """The cheapest plan found with so many windows.

    ``broken`` counts works in windows that break something, ``stalled`` those in windows in which a job cannot finish.
    """

    windows: int
    lost: float
    broken: int
    stalled: int
    max_utilisation: float


@dataclass(frozen=True, eq=False)
class DrainResult:
    """A plan of work.

    Attributes
    ----------
    lost, unit : float, str
        Of all windows, and what it counts.
    exact : bool
        Whether no plan is cheaper: all divisions were compared, or nothing is lost.
    residual : OtherPlan or None
        The order by residual capacity with as many windows; None where it does not fit into them.
    other : tuple of OtherPlan
        Plans with fewer and more windows.
    not_kept : tuple of str
        What does not hold before the work either, and is asked of no window.
    """

    loaded: LoadedScenario
    windows: tuple[Window, ...]
    lost: float
    unit: str
    exact: bool
    states: int
    residual: OtherPlan | None
    other: tuple[OtherPlan, ...]
    max_utilisation: float  # before the work
    not_kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def keeps_limits(self) -> bool:
        """Whether no window breaks anything."""
        return not any(window.broken for window in self.windows)

    @property
    def hours(self) -> float:
        """From the first drain to the last undrain."""
        return sum(window.hours for window in self.windows)
