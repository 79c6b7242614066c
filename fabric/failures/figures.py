"""What cases come to, over all phases, as columns; and the order of harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.failures.result import State
from fabric.routing.utilisation import ranks
from topologies.columns import Bools, Floats, Ints, Longs

STATES: tuple[State, ...] = ("ok", "slowed", "stalled")
OK, SLOWED, STALLED = range(len(STATES))


@dataclass(frozen=True, eq=False)
class CaseFigures:
    """N cases over all phases of all fabrics, J jobs.

    Links over capacity are those of the phase that has most, as ``fabric route`` counts them; pairs without a path are
    summed over phases.
    """

    number: Longs  # shape (N,), of the case in its set
    count: Floats  # equal cases that it stands for, itself included; of pairs, halves where both failures are equal
    max_utilisation: Floats  # shape (N,)
    phase: Ints  # position of the phase of the fullest link; -1 where nothing is offered
    hottest: Ints  # its directed link
    links_over_capacity: Ints
    unreachable_pairs: Longs
    gpus_cut_off: Ints
    state: Ints  # shape (N, J), positions in STATES
    step_time_s: Floats  # shape (N, J), nan where there is none
    stretch: Floats  # shape (N, J), infinite where a job stalls
    bound: Floats  # shape (N,), no routing has a lower fullest link of all phases; nan: not worked out
    holds: Bools  # shape (N, L), whether the limits hold whose availability is asked for

    def __len__(self) -> int:
        return len(self.number)

    @property
    def worst_state(self) -> Ints:
        """Of all jobs of a case, shape (N,)."""
        return np.asarray(self.state.max(axis=1, initial=OK), dtype=np.int32)

    def take(self, rows: Longs) -> CaseFigures:
        """These rows, in this order."""
        return CaseFigures(**{name: values[rows] for name, values in vars(self).items()})

    @staticmethod
    def joined(parts: Sequence[CaseFigures]) -> CaseFigures:
        """One after the other; at least one."""
        names = vars(parts[0])
        return CaseFigures(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def by_harm(self) -> Longs:
        """Rows from the most harmful to the most harmless.

        A case in which a job stalls comes before those that slow jobs down; then by stretch, GPUs cut off, fullest
        link, links over capacity; of equals the first of the set.
        """
        stretch = self.stretch.max(axis=1, initial=1.0)
        return np.lexsort(
            (
                self.number,
                -self.links_over_capacity,
                ranks(self.max_utilisation),
                -self.gpus_cut_off,
                ranks(stretch),
                -self.worst_state,
            )
        )

    def worst(self, count: int) -> CaseFigures:
        """The ``count`` most harmful, worst first."""
        return self.take(self.by_harm()[:count])
