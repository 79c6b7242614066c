"""What parts do to the links of a fabric, as numbers that can be looked up: equal numbers, equal losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fabric.failures.part import Part
from topologies.columns import Floats, Ints, Longs, column, concatenate

Words = NDArray[np.uint64]


def link_weights(links: int) -> Words:
    """A random number per link, of which a set of links has the sum."""
    return np.random.default_rng(9).integers(0, 2**63, links, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class Lost:
    """What parts do to the links of a fabric, part by part."""

    kind: Ints  # shape (P,), parts of another kind or role are never equal
    dead_start: Longs  # shape (P + 1,)
    dead: Ints
    slow_start: Longs
    slow: Ints
    left: Floats

    @staticmethod
    def of(parts: Sequence[Part], fabric: str) -> Lost:
        """Of parts."""
        none = column([], np.int32)
        dead = [part.links.get(fabric, none) for part in parts]
        slowed = [part.slowed.get(fabric, (none, column([], np.float64))) for part in parts]
        kinds = {look: at for at, look in enumerate(dict.fromkeys((part.kind, part.role) for part in parts))}
        return Lost(
            column([kinds[part.kind, part.role] for part in parts], np.int32),
            _starts([len(links) for links in dead]),
            concatenate(dead, np.int32),
            _starts([len(links) for links, _ in slowed]),
            concatenate([links for links, _ in slowed], np.int32),
            concatenate([left for _, left in slowed], np.float64),
        )

    @staticmethod
    def joined(several: Sequence[Lost]) -> Lost:
        """One after the other."""
        return Lost(
            concatenate([each.kind for each in several], np.int32),
            _starts([count for each in several for count in np.diff(each.dead_start).tolist()]),
            concatenate([each.dead for each in several], np.int32),
            _starts([count for each in several for count in np.diff(each.slow_start).tolist()]),
            concatenate([each.slow for each in several], np.int32),
            concatenate([each.left for each in several], np.float64),
        )

    def moved(self, moved: Ints) -> Lost:
        """The same to the links that theirs are carried onto."""
        return replace(self, dead=moved[self.dead], slow=moved[self.slow])

    def chosen(self, which: Sequence[int]) -> Lost:
        """Some of the parts."""
        dead = [self.dead[self.dead_start[at] : self.dead_start[at + 1]] for at in which]
        ranges = [slice(int(self.slow_start[at]), int(self.slow_start[at + 1])) for at in which]
        return Lost(
            column(self.kind[list(which)], np.int32),
            _starts([len(links) for links in dead]),
            concatenate(dead, np.int32),
            _starts([part.stop - part.start for part in ranges]),
            concatenate([self.slow[part] for part in ranges], np.int32),
            concatenate([self.left[part] for part in ranges], np.float64),
        )

    def keys(self, weight: Words) -> Words:
        """A number per part that says all of it; sums of 64-bit numbers wrap around."""
        total = self.kind.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        odd = 2 * np.round(self.left * 2**40).astype(np.uint64) + np.uint64(1)
        for start, values in ((self.dead_start, weight[self.dead]), (self.slow_start, weight[self.slow] * odd)):
            running = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(values, dtype=np.uint64)])
            total += running[start[1:]] - running[start[:-1]]
        return total


def _starts(counts: Sequence[int]) -> Longs:
    return column(np.concatenate([[0], np.cumsum(counts)]), np.int64)
