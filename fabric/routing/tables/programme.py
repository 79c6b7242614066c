"""A routing as a switch can hold it: decisions with integer weights, within the sizes of each switch's tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.routing.table_options import Carrier, TableLimits, TableOptions
from fabric.routing.tables.decisions import Decisions
from fabric.routing.tables.weights import LADDER, quantise, slot_weights, weight_parts
from topologies.columns import Floats, Ints, Longs, column


@dataclass(frozen=True)
class Overflow:
    """A table that does not fit."""

    node: int  # topology node
    what: str  # rules, groups or members
    needed: int
    available: int


@dataclass(frozen=True, eq=False)
class Programme:
    """Decisions with weights; columns run along ``decisions.edge``."""

    decisions: Decisions
    carrier: Carrier
    weight: Ints  # shape (nnz,), 0: too small a part for a bucket
    tolerance: Floats  # shape (V,), oversubscription above 1 that each node's groups were allowed
    overflows: tuple[Overflow, ...]  # of groups and members

    @cached_property
    def part(self) -> Floats:
        """Part of every bucket as the carrier realises it, shape (nnz,)."""
        return column(weight_parts(self.decisions.start, self.weight), np.float64)

    @cached_property
    def oversubscription(self) -> float:
        """Largest part of any bucket over the part it should have."""
        return float((self.part / self.decisions.fraction).max(initial=1.0))

    def buckets(self, decision: int) -> list[tuple[int, int]]:
        """(edge, weight) of a decision as they are written for the carrier."""
        mine = slice(*self.decisions.start[decision : decision + 2].tolist())
        held = self.weight[mine] > 0
        edges, weights = self.decisions.edge[mine][held].tolist(), self.weight[mine][held].tolist()
        if len(edges) == 1:
            return [(edges[0], 1)]
        if self.carrier == "slots":
            return [(edges[index], weight) for index, weight in slot_weights(weights)]
        return list(zip(edges, weights, strict=True))


def programme(
    decisions: Decisions,
    options: TableOptions = TableOptions(),
) -> Programme:
    """Give decisions weights that fit.

    A switch whose groups do not fit is allowed more oversubscription, step by step, which shortens its groups and
    makes more of them equal (table fitting of WCMP, Zhou et al., EuroSys 2014, section 4.3).
    """
    graph = decisions.graph
    owner = _owners(decisions)
    carrier, tolerance = options.carrier, options.tolerance
    allowed = np.full(graph.nodes, tolerance)
    weight = quantise(decisions.start, decisions.fraction, carrier, allowed[owner])
    overflows: list[Overflow] = []
    for node in range(graph.nodes):
        place = int(graph.node_of[node])
        role = graph.topology.roles[int(graph.topology.nodes.role[place])]
        limit = options.of(role)
        if graph.is_terminal[node] or (limit.groups is None and limit.members is None):
            continue
        mine = np.flatnonzero(owner == node)
        low, high = int(mine[0]) if len(mine) else 0, int(mine[-1]) + 1 if len(mine) else 0
        cells = slice(int(decisions.start[low]), int(decisions.start[high]))
        start = decisions.start[low : high + 1] - decisions.start[low]
        missing: list[Overflow] = []
        for step in (tolerance, *(step for step in LADDER if step > tolerance)):
            if step > tolerance:
                weight[cells] = quantise(start, decisions.fraction[cells], carrier, step, turn=low)
                allowed[node] = step
            missing = _missing(start, decisions.edge[cells], weight[cells], limit, place)
            if not missing:
                break
        overflows += missing
    return Programme(decisions, carrier, column(weight, np.int32), column(allowed, np.float64), tuple(overflows))


def _owners(decisions: Decisions) -> Ints:
    """Graph node of every decision, shape (K,)."""
    return column(decisions.graph.src[decisions.edge[decisions.start[:-1]]], np.int32)


def _missing(start: Longs, edge: Ints, weight: Ints, limit: TableLimits, node: int) -> list[Overflow]:
    """What of a switch's groups does not fit."""
    groups: dict[tuple[bytes, bytes], int] = {}
    for low, high in zip(start[:-1].tolist(), start[1:].tolist(), strict=True):
        held = weight[low:high] > 0
        if held.sum() > 1:
            key = (edge[low:high][held].tobytes(), weight[low:high][held].tobytes())
            groups[key] = int(weight[low:high].sum())
    needs = (("groups", len(groups), limit.groups), ("members", sum(groups.values()), limit.members))
    return [Overflow(node, what, need, have) for what, need, have in needs if have is not None and need > have]
