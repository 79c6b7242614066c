"""Placing switches so that cables are short.

Switches of one role that share no cable are assigned to slots at once, exactly (a linear assignment), given all others;
roles take turns, from the hosts up, until nothing is gained. Then single switches move and swap. What is found is
judged by the exact length, and a lower bound says how far it can be from the best (`fabric.site.bound`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from fabric.site.problem import Problem
from topologies.assignment import assigned_columns
from topologies.columns import Floats, Ints, column

ROUNDS = 6  # in which every role takes a turn
PASSES = 4  # of moves and swaps over all switches
MOST_CELLS = 4_000_000  # of a cost matrix that is assigned exactly
ENOUGH = 1e-3  # a round that gains less, as a part of all, is the last
ALL = 1_000  # placements by rack that are all tried
CENTRES = 6  # racks that all of few switches are drawn to, each a start
FEW = 64  # switches, of which all starts are followed up
DRAWN = (
    (0.1, True),
    (1.0, True),
    (1.0, False),
)  # starts: part of the way to the centre, and whether of upper roles only
_GAIN = 1e-6  # metres: less is rounding


@dataclass(frozen=True, eq=False)
class Block:
    """Free switches of one fabric, level, height and power, as rows."""

    rows: Ints
    units: int
    watts: float
    level: int


@dataclass(frozen=True)
class Draw:
    """A start that draws switches to a rack: a part of the way to it is added to every cable's."""

    centre: int
    part: float
    upper: bool  # above the lowest level only


@dataclass(frozen=True, eq=False)
class Placement:
    """Rack and unit of every device, -1 where one found no room; ``way_m`` of all cables."""

    rack: Ints
    unit: Ints
    way_m: float


def blocks(problem: Problem) -> list[Block]:
    """Free switches by fabric and level from the hosts up, then by height and power."""
    members: dict[tuple[str, int, int, float], list[int]] = {}
    for row, device in enumerate(problem.free.tolist()):
        one = problem.devices[device]
        members.setdefault((one.fabric or "", one.level, one.units, one.power_w or 0.0), []).append(row)
    order = sorted(members, key=lambda key: (key[1], key[0], key[2:]))
    return [Block(column(members[key], np.int32), key[2], key[3], key[1]) for key in order]


def place(problem: Problem) -> Placement | None:
    """The shortest placement found; None where switches found no room in any order.

    Several starts: roles as they come; with the upper ones drawn to one place, as switches that are joined to all of a
    level do as well in several places, and are best together; with all drawn there; and row by row.
    """
    parts = blocks(problem)
    racks = np.unique(problem.most_slots.rack).tolist() if parts else []
    if len(racks) ** len(problem.free) <= ALL:
        return _best_of_all(problem, racks)
    orders = [parts, sorted(parts, key=lambda part: -part.units)]
    for order in orders[: 1 if len({part.units for part in parts}) < 2 else 2]:
        first = _assigned(problem, order)
        if first is not None:
            small = len(problem.free) <= FEW
            draws = [Draw(problem.centre, part, upper) for part, upper in (DRAWN if small else DRAWN[:1])]
            draws += [Draw(rack, 1.0, False) for rack in problem.centres[1:CENTRES].tolist() if small]
            drawn = [_assigned(problem, order, draw) for draw in draws]
            starts = [start for start in (first, *drawn, in_rows(problem)) if start is not None]
            if not small:
                starts = sorted(starts, key=lambda start: start.way_m)[:2]
            return min((_improved(problem, parts, start) for start in starts), key=lambda one: one.way_m)
    return in_rows(problem)


def _best_of_all(problem: Problem, racks: list[int]) -> Placement | None:
    """The best of all racks for every switch."""
    best: Placement | None = None
    for chosen in product(racks, repeat=len(problem.free)):
        rack = problem.rack.copy()
        rack[problem.free] = chosen
        watts = np.bincount(rack[problem.free], problem.watts[problem.free], len(problem.watts_left))
        tried = measured(problem, rack) if (watts <= problem.watts_left * (1 + 1e-12)).all() else None
        if tried is not None and (best is None or tried.way_m < best.way_m):
            best = tried
    return best


def _improved(problem: Problem, parts: list[Block], start: Placement) -> Placement:
    """After rounds in which every role takes a turn, then moves and swaps."""
    best = start
    for _ in range(ROUNDS):
        tried = _assigned(problem, parts, before=best)
        if tried is None or tried.way_m >= best.way_m - _GAIN:
            break
        gained = best.way_m - tried.way_m
        best = tried
        if gained < ENOUGH * best.way_m:
            break
    if len(problem.free) > FEW and not _has_level_cables(problem):
        return best
    tried = _moved(problem, best)
    return tried if tried is not None and tried.way_m < best.way_m - _GAIN else best


def _has_level_cables(problem: Problem) -> bool:
    """Whether free switches of one level are joined: assigning them at once forgets that."""
    rows, ends, _ = problem.neighbours
    level = np.array([device.level for device in problem.devices])
    return bool(((problem.row_of[ends] >= 0) & (level[ends] == level[problem.free[rows]])).any())


def measured(problem: Problem, rack: Ints) -> Placement | None:
    """A placement in racks, with heights and length."""
    unit = problem.with_heights(rack)
    return None if unit is None else Placement(rack, unit, problem.total_way_m(rack, unit))


def _assigned(
    problem: Problem, parts: list[Block], draw: Draw | None = None, before: Placement | None = None
) -> Placement | None:
    """Every block assigned in turn, given the others."""
    rack = (problem.rack if before is None else before.rack).copy()
    unit = (problem.unit if before is None else before.unit).copy()
    least = min(part.level for part in parts)
    for part in parts:
        devices = problem.free[part.rows]
        rack[devices] = -1
        slots = problem.slots(part.units, part.watts, _standing(problem, rack))
        if len(slots.rack) < len(devices):
            return None
        measure = problem.measure(rack, unit)
        costs = problem.costs(measure, part.rows, slots)
        if draw is not None and (part.level > least or not draw.upper):
            cables = np.bincount(problem.neighbours[0], problem.neighbours[2], len(problem.free))[part.rows, None]
            costs = costs + draw.part * cables * problem.over_m[draw.centre, slots.rack]
        chosen = assign(costs)
        rack[devices] = slots.rack[chosen]
        heights = problem.with_heights(rack)
        if heights is None:
            return None
        unit = heights.copy()
    return measured(problem, rack)


def _standing(problem: Problem, rack: Ints) -> list[list[int]]:
    """Free devices of every rack."""
    standing: list[list[int]] = [[] for _ in problem.floor.racks]
    for device in problem.free.tolist():
        if rack[device] >= 0:
            standing[rack[device]].append(device)
    return standing


def assign(costs: Floats) -> Ints:
    """A slot for every row, all different, of least total cost.

    Rows that are all alike take the cheapest; a matrix above `MOST_CELLS` is filled row by row, those that lose most by
    waiting first.
    """
    rows, slots = costs.shape
    if rows == 0:
        return column([], np.int32)
    if (costs == costs[:1]).all():
        return column(np.sort(np.argsort(costs[0], kind="stable")[:rows]), np.int32)
    if rows * slots > MOST_CELLS:
        return _greedy(costs)
    return assigned_columns(costs)


def _greedy(costs: Floats) -> Ints:
    """Row by row, each its cheapest slot that is left."""
    chosen = np.full(len(costs), -1, dtype=np.int32)
    taken = np.zeros(costs.shape[1], dtype=np.bool_)
    least = np.partition(costs, 1, axis=1)[:, :2]
    for row in np.argsort(least[:, 0] - least[:, 1], kind="stable").tolist():
        slot = int(np.argmin(np.where(taken, np.inf, costs[row])))
        chosen[row], taken[slot] = slot, True
    return chosen


# ---- moves and swaps -------------------------------------------------------------------------------------------------


class _Moves:
    """Single switches that move to another rack, or swap racks, while ways between racks get shorter."""

    def __init__(self, problem: Problem, start: Placement) -> None:
        self.problem = problem
        self.rack = start.rack.copy()
        self.free = problem.free
        measure = problem.measure(start.rack, start.unit)
        self.cost = measure.weight @ problem.over_m  # (S, R)
        self.at = self.rack[self.free].copy()  # (S,)
        self.units, self.watts = problem.units[self.free], problem.watts[self.free]
        racks = len(problem.floor.racks)
        room = np.array([sum(high - low + 1 for low, high in runs) for runs in problem.runs], dtype=np.float64)
        self.room = room - np.bincount(self.at, self.units, minlength=racks)
        self.left = problem.watts_left - np.bincount(self.at, self.watts, minlength=racks)
        self.neighbours = self._free_neighbours()

    def _free_neighbours(self) -> list[tuple[Ints, Floats]]:
        """Free switches that each is joined to, and cables between them."""
        rows, ends, cables = self.problem.neighbours
        others = self.problem.row_of[ends]
        kept = others >= 0
        rows, others, cables = rows[kept], others[kept], cables[kept]
        order = np.argsort(rows, kind="stable")
        starts = np.searchsorted(rows[order], np.arange(len(self.free) + 1))
        return [(others[order[low:high]], cables[order[low:high]]) for low, high in pairwise(starts.tolist())]

    def one_pass(self) -> bool:
        """Every switch once; whether any moved."""
        moved = False
        for row in range(len(self.free)):
            moved |= self._best_move(row)
        return moved

    def _best_move(self, row: int) -> bool:
        here = int(self.at[row])
        over = self.problem.over_m
        gains = self.cost[row, here] - self.cost[row]
        fits = self.problem.near & (self.room >= self.units[row]) & (self.left >= self.watts[row])
        moves = np.where(fits, gains, -np.inf)
        target = int(np.argmax(moves))
        alike = (self.units == self.units[row]) & (self.watts == self.watts[row]) & (self.at != here)
        swaps = gains[self.at] + self.cost[np.arange(len(self.at)), self.at] - self.cost[:, here]
        others, cables = self.neighbours[row]
        swaps = swaps.copy()
        swaps[others] -= 2 * cables * over[here, self.at[others]]
        swaps = np.where(alike, swaps, -np.inf)
        partner = int(np.argmax(swaps)) if len(swaps) else -1
        if max(moves[target], swaps[partner]) <= _GAIN:
            return False
        if moves[target] >= swaps[partner]:
            self._set(row, target)
        else:
            there = int(self.at[partner])
            self._set(row, there)
            self._set(partner, here)
        return True

    def _set(self, row: int, target: int) -> None:
        here = int(self.at[row])
        others, cables = self.neighbours[row]
        change = self.problem.over_m[target] - self.problem.over_m[here]
        np.add.at(self.cost, others, cables[:, None] * change[None, :])
        self.room[here] += self.units[row]
        self.room[target] -= self.units[row]
        if np.isfinite(self.left[here]):
            self.left[here] += self.watts[row]
        if np.isfinite(self.left[target]):
            self.left[target] -= self.watts[row]
        self.at[row] = target

    def racks(self) -> Ints:
        """Rack of every device."""
        rack = self.rack.copy()
        rack[self.free] = self.at
        return rack


def _moved(problem: Problem, start: Placement) -> Placement | None:
    """After moves and swaps; the best of what each pass leaves."""
    moves = _Moves(problem, start)
    best: Placement | None = None
    for _ in range(PASSES):
        if not moves.one_pass():
            break
        tried = measured(problem, moves.racks())
        if tried is not None and (best is None or tried.way_m < best.way_m):
            best = tried
    return best


# ---- row by row ------------------------------------------------------------------------------------------------------


def in_rows(problem: Problem) -> Placement | None:
    """Switches as they come, one rack after another: those kept for the network, else those that follow the hosts.

    Where these are full, racks that are left before the hosts, then the hosts' own.
    """
    rack = problem.rack.copy()
    order = iter(_rack_order(problem))
    current = next(order, None)
    standing: list[int] = []
    for device in problem.free.tolist():
        while current is not None and not _has_room(problem, current, [*standing, device]):
            current, standing = next(order, None), []
        if current is None:
            return None
        standing.append(device)
        rack[device] = current
    return measured(problem, rack)


def _rack_order(problem: Problem) -> Iterator[int]:
    standing = set(problem.rack[problem.rack >= 0].tolist())
    network = {number for number, rack in enumerate(problem.floor.racks) if rack.for_network}
    last = max(standing - network, default=-1)
    racks = np.flatnonzero(problem.allowed).tolist()
    yield from sorted(
        racks, key=lambda rack: (rack not in network, rack in standing and rack not in network, rack < last, rack)
    )


def _has_room(problem: Problem, rack: int, devices: list[int]) -> bool:
    fits = problem.watts[devices].sum() <= problem.watts_left[rack] * (1 + 1e-12)
    return bool(fits) and problem.stacked(rack, problem.units[devices].tolist()) is not None
