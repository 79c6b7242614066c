"""The work between two stages with every state built, counted in ports, and routed; never below the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.growth.batches import Step, work
from fabric.growth.capacity import Paths, RoutedState, kept_capacity, route_state
from fabric.growth.union import UnionFabric
from topologies.columns import Bools
from topologies.validate import validate

_ROUND = 1e-9
_HALVINGS = (1.0, 0.5, 0.25)  # of the part drained at once, before cables are touched unit by unit
_TWO_TIERS = 2
_MOST_PROGRAMMES = 100  # steps whose states are routed by linear programmes


@dataclass(frozen=True, eq=False)
class LiveStep:
    """One step of the work with what is left while it lasts and after it.

    Attributes
    ----------
    capacity_during, capacity_after : float
        Part of the capacity before the work.
    """

    step: Step
    capacity_during: float
    capacity_after: float


@dataclass(frozen=True, eq=False)
class LiveWork:
    """All steps between two stages.

    Attributes
    ----------
    states : int
        Different states of the fabric that were built and routed, the first and the last among them.
    paths : str
        How traffic is routed while the work lasts: ``shortest``, or ``up-down`` where shortest paths do not do.
    """

    fabric: UnionFabric
    steps: tuple[LiveStep, ...]
    states: int
    paths: Paths

    @property
    def least_capacity(self) -> float:
        """The lowest part of the capacity in any state; 1 without steps."""
        return min((value for step in self.steps for value in (step.capacity_during, step.capacity_after)), default=1.0)

    @property
    def least_drained_capacity(self) -> float:
        """The lowest in a state in which nothing is drained."""
        return min((step.capacity_after for step in self.steps), default=1.0)


def plan_work(fabric: UnionFabric, floor: float) -> LiveWork:
    """Steps of the work with the largest batches that keep the floor; one unit at a time where none does.

    Whether the floor holds is for the caller to read off ``least_capacity``.
    """
    router = _StateRouter(fabric)
    parts = (*(halving * (1 - floor) for halving in _HALVINGS), 0.0)
    longer = fabric.topology.nodes.level.max() > _TWO_TIERS
    ways: tuple[Paths, ...] = ("shortest", "up-down") if longer else ("shortest",)
    for paths in ways:
        for part in parts:
            steps = list(work(fabric, part))
            if paths == "up-down" and len(steps) > _MOST_PROGRAMMES:
                break
            tried = router.route(steps, paths, floor)
            if tried.least_capacity >= floor - _ROUND:
                return tried
            if paths == "shortest" and longer and tried.least_drained_capacity < floor - _ROUND:
                break  # nothing is drained, and yet too little is left: paths have become longer
    return router.route(list(work(fabric, 0.0)), "shortest", None)


class _StateRouter:
    """Routes every state once."""

    def __init__(self, fabric: UnionFabric) -> None:
        self._fabric = fabric
        self._routed: dict[tuple[str, bytes], RoutedState] = {}

    def _state(self, up: Bools, paths: Paths) -> RoutedState:
        key = paths, np.packbits(up).tobytes()
        if key not in self._routed:
            _check_ports(self._fabric, up)
            self._routed[key] = route_state(self._fabric, up, paths)
        return self._routed[key]

    def _capacity(self, up: Bools, paths: Paths) -> float:
        """By shortest paths, where these keep all; else by the paths asked for, if that is more."""
        first = self._fabric.at_first
        kept = kept_capacity(self._state(first, "shortest"), self._state(up, "shortest"))
        if kept >= 1 - _ROUND or paths == "shortest":
            return kept
        return max(kept, kept_capacity(self._state(first, paths), self._state(up, paths)))

    def route(self, steps: Sequence[Step], paths: Paths, floor: float | None) -> LiveWork:
        """Route the states that the steps pass; no further than the first one below the floor, where one is given."""
        live: list[LiveStep] = []
        for step in steps:
            live.append(LiveStep(step, self._capacity(step.during, paths), self._capacity(step.after, paths)))
            if floor is not None and min(live[-1].capacity_during, live[-1].capacity_after) < floor - _ROUND:
                break
        passed = {np.packbits(up).tobytes() for one in live for up in (one.step.during, one.step.after)}
        return LiveWork(self._fabric, tuple(live), len(passed | {np.packbits(self._fabric.at_first).tobytes()}), paths)


def _check_ports(fabric: UnionFabric, up: Bools) -> None:
    """No state needs a port that is not there, and all its columns hold together."""
    radix, used = fabric.topology.nodes.radix, fabric.ports_used(up)
    over = np.flatnonzero(fabric.topology.is_switch & (radix > 0) & (used > radix + _ROUND))
    if len(over):
        name = fabric.topology.nodes.name[over[0]]
        raise AssertionError(f"{name} would need {used[over[0]]:g} of {radix[over[0]]} ports during the work")
    broken = [problem for problem in validate(fabric.state(up)) if problem.code in ("FP3012", "FP3013")]
    if broken:
        raise AssertionError(broken[0].message)
