"""Variants whose few designs are listed, not counted by variables: where a builder leaves little to choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fabric.design.counting.layout import Layout, Sizes
from fabric.design.family import Formulation, Variant

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel


def table_variant(layout: Layout, rows: Sequence[Sizes], *choices: str) -> Variant | None:
    """The variant that chooses one of some designs; None where there is none."""
    best = _undominated(rows)
    if not best:
        return None
    columns = list(zip(*map(_counts, best), strict=True))
    least = [min(column) for column in columns]
    switches = len(layout.roles)

    def formulate(model: CpModel) -> Formulation:
        if len(best) == 1:
            return layout.formulation(least[:switches], least[switches:], (), lambda value: best[0])
        row = model.new_int_var(0, len(best) - 1, "row")
        counts = [model.new_int_var(min(column), max(column), f"count {i}") for i, column in enumerate(columns)]
        model.add_allowed_assignments([row, *counts], [(i, *_counts(sizes)) for i, sizes in enumerate(best)])

        def sizes(value: Callable[[Any], int]) -> Sizes:
            return best[value(row)]

        return layout.formulation(counts[:switches], counts[switches:], (row,), sizes)

    return layout.variant(layout.floor(least[:switches], least[switches:]), formulate, *choices)


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
