"""What a switch does with every address, read off its rules: intervals of the host blocks with ports and parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.compiled import compiled
from fabric.rules.addressing import AddressPlan
from fabric.rules.table import Action, Group, Rule
from topologies.columns import Bools, Ints, Longs

Parts = Callable[[Sequence[int]], Sequence[float]]  # weights -> parts
ByHash = Callable[[tuple[int, ...]], tuple[int, ...]]  # weights -> bucket by value of the hash, empty: whatever it is
Ways = tuple[tuple[int, float], ...]  # (port, part), ports ascending; empty: dropped


@dataclass(frozen=True, eq=False)
class Behaviour:
    """Intervals of offsets; interval i begins at ``start[i]`` and does ``ways[way[i]]``."""

    start: Longs  # ascending from 0
    way: Ints
    ways: tuple[Ways, ...]
    ambiguous: tuple[int, ...]  # offsets where two rules of one priority disagree
    faults: tuple[str, ...]  # groups that do not exist, and the like
    by_hash: tuple[tuple[int, ...], ...] = ()  # as ``ways``: place among them by value of the hash, empty: no choice

    def at(self, offset: int) -> Ways:
        """What is done with an address."""
        return self.ways[int(self.way[np.searchsorted(self.start, offset, side="right") - 1])]


@compiled
def _paint(first: Longs, last: Longs, priority: Longs, act: Ints, cell: Ints, held: Longs, clash: Bools) -> None:
    """Lay rules over cells in ascending priority; a clash is two of one priority that differ."""
    for rule in range(len(first)):
        for at in range(first[rule], last[rule]):
            if held[at] == priority[rule] and cell[at] != act[rule]:
                clash[at] = True
            else:
                cell[at] = act[rule]
                held[at] = priority[rule]
                clash[at] = False


def behaviour(
    plan: AddressPlan,
    family: int,
    rules: Sequence[Rule],
    groups: Sequence[Group],
    parts: Parts,
    by_hash: ByHash = lambda _: (),
) -> Behaviour:
    """What a switch does with the addresses of the host blocks, single flows left out.

    Parameters
    ----------
    parts : callable
        Parts of a group's buckets by their weights, as the carrier realises them.
    by_hash : callable
        Bucket of a group that every value of the hash takes.
    """
    known = {group.id: group for group in groups}
    faults: list[str] = []
    regions, priorities, actions = [], [], []
    for rule in rules:
        if rule.match.is_flow or rule.match.family not in (0, family):
            continue
        span = (0, 1 << plan.span_bits)
        if rule.match.family:
            span = plan.region(family, rule.match.dst, rule.match.dst_bits)
        if span[0] < span[1]:
            regions.append(span)
            priorities.append(rule.priority)
            actions.append(rule.action)
    meaning: dict[Action, int] = {}
    ways: dict[tuple[Ways, tuple[int, ...]], int] = {((), ()): 0}
    for action in actions:
        if action not in meaning:
            meaning[action] = ways.setdefault(_ways(action, known, parts, by_hash, faults), len(ways))
    order = np.argsort(np.array(priorities, dtype=np.int64), kind="stable")
    first = np.array([span[0] for span in regions], dtype=np.int64)[order]
    last = np.array([span[1] for span in regions], dtype=np.int64)[order]
    act = np.array([meaning[action] for action in actions], dtype=np.int32)[order]
    edges = np.unique(np.concatenate([[0], first, last]))
    edges = edges[edges < 1 << plan.span_bits]
    cell, held = np.zeros(len(edges), dtype=np.int32), np.full(len(edges), -1, dtype=np.int64)
    clash = np.zeros(len(edges), dtype=np.bool_)
    low, high = np.searchsorted(edges, first), np.searchsorted(edges, last)
    _paint(low, high, np.array(priorities, dtype=np.int64)[order], act, cell, held, clash)
    change = np.ones(len(edges), dtype=np.bool_)
    change[1:] = cell[1:] != cell[:-1]
    return Behaviour(
        edges[change],
        cell[change],
        tuple(one for one, _ in ways),
        tuple(edges[clash].tolist()),
        tuple(faults),
        tuple(one for _, one in ways),
    )


def _ways(
    action: Action, groups: dict[int, Group], parts: Parts, by_hash: ByHash, faults: list[str]
) -> tuple[Ways, tuple[int, ...]]:
    if action.kind == "drop":
        return (), ()
    if action.kind == "output":
        return ((action.value, 1.0),), ()
    if action.value not in groups:
        faults.append(f"a rule sends to group {action.value}, which is not there")
        return (), ()
    buckets = groups[action.value].buckets
    weights = tuple(bucket.weight for bucket in buckets)
    found: dict[int, float] = {}
    for bucket, part in zip(buckets, parts(weights), strict=True):
        if part > 0:
            found[bucket.port] = found.get(bucket.port, 0.0) + part
    place = {port: index for index, port in enumerate(sorted(found))}
    taken = tuple(place[buckets[bucket].port] for bucket in by_hash(weights)) if len(place) > 1 else ()
    return tuple(sorted(found.items())), taken
