"""Variants whose few designs are listed, not counted by variables: where a builder leaves little to choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fabric.design.counting.layout import Layout, Sizes
from fabric.design.family import Formulation, Variant

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel


def listed_variant(layout: Layout, least: Sequence[int], rows: Callable[[], Sequence[Sizes]], *choices: str) -> Variant:
    """The variant that chooses one of some designs, which are listed when they are asked for.

    Parameters
    ----------
    least : sequence of int
        Switches by role, then cables by tier, that none of the designs is below.
    """
    switches = len(layout.roles)

    def formulate(model: CpModel) -> Formulation | None:
        return _choose(model, layout, _undominated(rows()))

    return layout.variant(layout.floor(least[:switches], least[switches:]), formulate, *choices)


def single_variant(layout: Layout, sizes: Sizes, *choices: str) -> Variant:
    """The variant of one design."""
    return listed_variant(layout, _counts(sizes), lambda: [sizes], *choices)


def _choose(model: CpModel, layout: Layout, rows: Sequence[Sizes]) -> Formulation | None:
    """One of some designs; None where there is none, and no variable where there is one."""
    switches = len(layout.roles)
    if len(rows) < 2:
        counts = [_counts(sizes) for sizes in rows]
        return (
            layout.formulation(counts[0][:switches], counts[0][switches:], (), lambda value: rows[0]) if rows else None
        )
    columns = list(zip(*map(_counts, rows), strict=True))
    row = model.new_int_var(0, len(rows) - 1, "row")
    chosen = [model.new_int_var(min(column), max(column), f"count {i}") for i, column in enumerate(columns)]
    model.add_allowed_assignments([row, *chosen], [(i, *_counts(sizes)) for i, sizes in enumerate(rows)])

    def sizes(value: Callable[[Any], int]) -> Sizes:
        return rows[value(row)]

    return layout.formulation(chosen[:switches], chosen[switches:], (row,), sizes)


def _counts(sizes: Sizes) -> tuple[int, ...]:
    return (*sizes.switches, *sizes.cables)


def _undominated(rows: Sequence[Sizes]) -> list[Sizes]:
    """Rows that no other has at most the counts of; the first of equal ones."""
    best: list[Sizes] = []
    for sizes in sorted(rows, key=_counts):
        counts = _counts(sizes)
        if not any(all(a <= b for a, b in zip(_counts(other), counts, strict=True)) for other in best):
            best.append(sizes)
    return best
