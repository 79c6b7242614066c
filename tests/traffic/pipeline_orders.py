"""Orders of pipeline schedules, written out operation by operation, and an event simulation that runs them.

An operation is (kind, chunk or direction, micro-batch): F forward, B gradients of inputs, W gradients of weights. In
the schedules that do not put W off, B is the whole backward pass. An overlapped pair is (X, F, B).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Op = tuple[Any, ...]
Orders = list[list[Op]]  # of every stage


@dataclass(frozen=True)
class Simulated:
    """What a run of the orders shows; times in units of a forward pass of a whole stage."""

    idle: float  # of the stage with most of it, between its first and its last operation
    in_flight: list[float]  # most micro-batches of every stage whose activations are kept


def warm_up_orders(stages: int, micro_batches: int, warm_up: Callable[[int], int]) -> Orders:
    """So many forward passes first, then one forward and one backward, then the backward passes left."""
    orders = []
    for stage in range(stages):
        first = min(micro_batches, warm_up(stage))
        order: list[Op] = [("F", 0, number) for number in range(first)]
        for number in range(micro_batches - first):
            order += [("F", 0, first + number), ("B", 0, number)]
        orders.append(order + [("B", 0, number) for number in range(micro_batches - first, micro_batches)])
    return orders


def interleaved_orders(stages: int, chunks: int, micro_batches: int) -> Orders:
    """Megatron Core, ``forward_backward_pipelining_with_interleaving``."""
    groups = range(0, micro_batches, stages)
    forward = [(c, i) for g in groups for c in range(chunks) for i in range(g, g + stages)]
    backward = [(c, i) for g in groups for c in reversed(range(chunks)) for i in range(g, g + stages)]
    orders = []
    for stage in range(stages):
        first = min(len(forward), 2 * (stages - stage - 1) + (chunks - 1) * stages)
        order: list[Op] = [("F", *forward[at]) for at in range(first)]
        for at in range(len(forward) - first):
            order += [("F", *forward[first + at]), ("B", *backward[at])]
        orders.append(order + [("B", *each) for each in backward[len(forward) - first :]])
    return orders


def zero_bubble_orders(stages: int, micro_batches: int, slots: int) -> Orders:
    """ZB-H1 (1 slot) and ZB-H2 (2): gradients of weights are put off by so many slots for every stage before."""
    orders = []
    for stage in range(stages):
        first = min(micro_batches, slots * (stages - stage) - (slots - 1))
        order: list[Op] = [("F", 0, number) for number in range(first)]
        weights = 0
        for number in range(micro_batches):
            order.append(("B", 0, number))
            if number - weights >= slots * stage:
                order.append(("W", 0, weights))
                weights += 1
            if first + number < micro_batches:
                order.append(("F", 0, first + number))
        orders.append(order + [("W", 0, number) for number in range(weights, micro_batches)])
    return orders


def dualpipe_orders(stages: int, micro_batches: int) -> Orders:
    """The eight steps of DeepSeek's DualPipe (github.com/deepseek-ai/DualPipe, ``dualpipe.py``)."""
    return [_DualPipeStage(stages, micro_batches // 2, stage).order() for stage in range(stages)]


class _DualPipeStage:
    """One stage; phase 0 is the direction that enters at its own half."""

    def __init__(self, stages: int, half: int, stage: int) -> None:
        self.stages, self.half, self.second = stages, half, stage >= stages // 2
        self.near = min(stage, stages - 1 - stage)
        self.forward, self.backward = [0, 0], [0, 0]
        self.put_off: list[tuple[int, int]] = []
        self.done: list[Op] = []

    def order(self) -> list[Op]:
        middle = self.stages // 2 - self.near - 1
        for _ in range(2 * middle):
            self.f(0)
        for _ in range(self.near + 1):
            self.f(0)
            self.f(1)
        for _ in range(middle):
            self.b(1, late=True)
            self.w()
            self.f(1)
        for turn in range(self.half - self.stages + self.near + 1):
            if turn == 0 and middle == 0:
                self.f(0)
                self.b(1)
            else:
                self.x(0, 1)
            self.x(1, 0)
        for _ in range(middle):
            self.b(1)
            self.x(1, 0)
        turns, late = self.near + 1, False
        for turn in range(turns):
            late = late or (turn == turns // 2 and self.near % 2 == 1)
            self.b(1, late=late)
            late = late or (turn == turns // 2 and self.near % 2 == 0)
            self.b(0, late=late)
        for _ in range(middle):
            self.w()
            self.b(0, late=True)
        for _ in range(self.near + 1):
            self.w()
        return self.done

    def next_of(self, counts: list[int], phase: int) -> tuple[int, int]:
        counts[phase] += 1
        return phase ^ self.second, counts[phase] - 1

    def f(self, phase: int) -> None:
        self.done.append(("F", *self.next_of(self.forward, phase)))

    def b(self, phase: int, *, late: bool = False) -> None:
        which = self.next_of(self.backward, phase)
        self.done.append(("b" if late else "B", *which))
        self.put_off += [which] if late else []

    def w(self) -> None:
        self.done.append(("W", *self.put_off.pop(0)))

    def x(self, forward: int, backward: int) -> None:
        pair = ("F", *self.next_of(self.forward, forward)), ("B", *self.next_of(self.backward, backward))
        self.done.append(("X", *pair))


# ---- ways ------------------------------------------------------------------------------------------------------------


def around(stages: int, chunks: int) -> Callable[[int, Op], tuple[int, Op] | None]:
    """Chunks go round the stages: who has to be done before, None for nobody."""

    def before(stage: int, op: Op) -> tuple[int, Op] | None:
        kind, chunk, number = op
        if kind == "F":
            if stage > 0:
                return stage - 1, op
            return (stages - 1, ("F", chunk - 1, number)) if chunk else None
        if stage < stages - 1:
            return stage + 1, op
        return (0, ("B", chunk + 1, number)) if chunk < chunks - 1 else (stage, ("F", chunk, number))

    return before


def down_and_up(stages: int) -> Callable[[int, Op], tuple[int, Op] | None]:
    """ZB-V: chunk 0 goes down the stages, chunk 1 up."""

    def before(stage: int, op: Op) -> tuple[int, Op] | None:
        kind, chunk, number = op
        down = (kind == "F") == (chunk == 0)
        neighbour = stage - 1 if down else stage + 1
        if 0 <= neighbour < stages:
            return neighbour, op
        turned = {("F", 0): None, ("F", 1): ("F", 0, number), ("B", 1): ("F", 1, number), ("B", 0): ("B", 1, number)}
        earlier = turned[kind, chunk]
        return None if earlier is None else (stage, earlier)

    return before


def from_both_ends(stages: int) -> Callable[[int, Op], tuple[int, Op] | None]:
    """DualPipe: direction 0 enters at the first stage, direction 1 at the last."""

    def before(stage: int, op: Op) -> tuple[int, Op] | None:
        kind, direction, number = op
        down = (kind == "F") == (direction == 0)
        neighbour = stage - 1 if down else stage + 1
        if 0 <= neighbour < stages:
            return neighbour, op
        return None if kind == "F" else (stage, ("F", direction, number))

    return before


# ---- simulation ------------------------------------------------------------------------------------------------------


def simulate(
    orders: Orders,
    before: Callable[[int, Op], tuple[int, Op] | None],
    took: Mapping[str, float],
    *,
    send: float = 0.0,
    chunks: int = 1,
) -> Simulated:
    """Run every stage's order; an operation waits for the stage, and for what it needs with the time of its send.

    Parameters
    ----------
    took : mapping
        Units of F, B, b, W and X of a whole stage; a chunk takes its share.
    send : float
        From one stage to another; what an overlapped pair sends costs nothing.
    """
    end: dict[tuple[int, Op], float] = {}
    hidden: set[tuple[int, Op]] = set()
    at, free = [0] * len(orders), [0.0] * len(orders)
    start: list[float | None] = [None] * len(orders)
    left = sum(map(len, orders))
    while left:
        moved = False
        for stage, order in enumerate(orders):
            while at[stage] < len(order):
                op = order[at[stage]]
                times = [_ready(stage, part, before, end, hidden, send) for part in _needs(op)]
                if None in times:
                    break
                begin = max([free[stage], *(time for time in times if time is not None)])
                free[stage] = begin + took[op[0]] / chunks
                start[stage] = begin if start[stage] is None else start[stage]
                for part in _needs(op):
                    end[stage, part] = free[stage]
                    hidden |= {(stage, part)} if op[0] == "X" else set()
                at[stage] += 1
                left, moved = left - 1, True
        assert moved, "the orders wait for each other"
    useful = [sum(took[op[0]] for op in order) / chunks for order in orders]
    idle = [free[stage] - (start[stage] or 0.0) - useful[stage] for stage in range(len(orders))]
    return Simulated(max(idle), [kept(order) / chunks for order in orders])


def _needs(op: Op) -> list[Op]:
    """Operations in one, as others wait for them."""
    if op[0] == "X":
        return [op[1], op[2]]
    return [("B", *op[1:])] if op[0] == "b" else [op]


def _ready(
    stage: int,
    op: Op,
    before: Callable[[int, Op], tuple[int, Op] | None],
    end: Mapping[tuple[int, Op], float],
    hidden: set[tuple[int, Op]],
    send: float,
) -> float | None:
    """When an operation can begin; None while what it needs is not done."""
    if op[0] == "W":
        return 0.0
    needed = before(stage, op)
    if needed is None:
        return 0.0
    if needed not in end:
        return None
    return end[needed] + (0.0 if needed[0] == stage or needed in hidden else send)


def kept(order: list[Op]) -> int:
    """Most activations kept: from a forward pass until the gradients of its weights."""
    put_off = any(op[0] == "W" for op in order)
    change = {"F": 1, "B": 0 if put_off and not any(op[0] == "b" for op in order) else -1, "b": 0, "W": -1, "X": 0}
    count = most = 0
    for op in order:
        count += change[op[0]]
        most = max(most, count)
    return most


def zb_v_orders(stages: int, micro_batches: int) -> Orders:
    """An order of ZB-V: forward passes while there is room, then backward passes, weights when nothing else can run.

    Half of a chunk's activations are kept from its backward pass to the gradients of its weights (Qi et al., table 1).
    """
    before, unit = down_and_up(stages), 0.5
    free, room = [0.0] * stages, [2.0 * stages] * stages
    end: dict[tuple[int, Op], float] = {}
    queues = [{(kind, chunk): 0 for kind in "FB" for chunk in (0, 1)} for _ in range(stages)]
    weights: list[list[Op]] = [[] for _ in range(stages)]
    orders: Orders = [[] for _ in range(stages)]

    def choices(stage: int) -> Iterator[tuple[float, int, int, Op]]:
        for rank, (kind, chunk) in enumerate((("F", 1), ("F", 0), ("B", 0), ("B", 1))):
            number = queues[stage][kind, chunk]
            need = 1.0 if chunk else 2.0  # the last room is left to what comes back
            if number < micro_batches and (kind == "B" or room[stage] >= need):
                op = (kind, chunk, number)
                earlier = before(stage, op)
                if earlier is None or earlier in end:
                    ready = 0.0 if earlier is None else end[earlier]
                    yield max(free[stage], ready), rank, stage, op
        if weights[stage]:
            yield free[stage], 9, stage, weights[stage][0]

    for _ in range(6 * micro_batches * stages):
        begin, _, stage, op = min(choice for number in range(stages) for choice in choices(number))
        free[stage] = end[stage, op] = begin + unit
        orders[stage].append(op)
        room[stage] += {"F": -1.0, "B": 0.5, "W": 0.5}[op[0]]
        if op[0] == "W":
            weights[stage].pop(0)
        else:
            queues[stage][op[0], op[1]] += 1
            weights[stage] += [("W", *op[1:])] if op[0] == "B" else []
    return orders
