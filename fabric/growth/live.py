"""The work between two stages with every state built, counted in ports, and routed; never below the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.growth.batches import Step, work
from fabric.growth.capacity import RoutedState, kept_capacity, route_state
from fabric.growth.union import UnionFabric
from topologies.columns import Bools
from topologies.validate import validate

_ROUND = 1e-9
_HALVINGS = (1.0, 0.5, 0.25)  # of the part drained at once, before cables are touched unit by unit


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
    """

    fabric: UnionFabric
    steps: tuple[LiveStep, ...]
    states: int

    @property
    def least_capacity(self) -> float:
        """The lowest part of the capacity in any state; 1 without steps."""
        return min((value for step in self.steps for value in (step.capacity_during, step.capacity_after)), default=1.0)


def plan_work(fabric: UnionFabric, floor: float) -> LiveWork:
    """Steps of the work with the largest batches that keep the floor; one unit at a time where none does.

    Whether the floor holds is for the caller to read off ``least_capacity``.
    """
    best: LiveWork | None = None
    for part in (*(halving * (1 - floor) for halving in _HALVINGS), 0.0):
        tried = _routed(fabric, list(work(fabric, part)))
        if best is None or tried.least_capacity > best.least_capacity + _ROUND:
            best = tried
        if tried.least_capacity >= floor - _ROUND:
            return tried
    assert best is not None
    return best


def _routed(fabric: UnionFabric, steps: Sequence[Step]) -> LiveWork:
    """Route every state that the steps pass."""
    routed: dict[bytes, RoutedState] = {}

    def state(up: Bools) -> RoutedState:
        key = np.packbits(up).tobytes()
        if key not in routed:
            _check_ports(fabric, up)
            routed[key] = route_state(fabric, up)
        return routed[key]

    before = state(fabric.at_first)
    live = [
        LiveStep(step, kept_capacity(before, state(step.during)), kept_capacity(before, state(step.after)))
        for step in steps
    ]
    return LiveWork(fabric, tuple(live), len(routed))


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
