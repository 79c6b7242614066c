"""The hosts that Slurm's ``topology/tree`` gives a job, of those that are idle.

What ``slurmctld`` does where a job asks for whole nodes and neither names nodes nor says how many switches it takes:

1. The top switch is the last of those with the highest level that hold enough idle nodes. Where no switch holds them
   all, the job waits.
2. Leaf switches under it are taken one by one until there are enough nodes. The first is that in which the remaining
   nodes fit most tightly; where none is large enough, that under the ancestor in which they fit most tightly, and of
   those the one with the most idle nodes. Later ones must be as near to those taken before as any: distance is the sum
   of hops in the tree, and a leaf that is nearer is taken unless another fits better.
3. Of a leaf the idle nodes are taken in the order of the configuration.

All nodes have one weight. Slurm gives nodes that it has powered down a higher one, and takes them after all others.

Slurm counts leaf switches, not levels: it may take leaves of two pods where one pod would do. Not modelled:
partitions, node weights, features, reservations, priorities, preemption and backfill; ``--switches``;
``topology/block``.

References ---------- Slurm 22.05, ``select/cons_tres``, evaluation of nodes under ``topology/tree``; the Slurm
topology guide. Compared with a real ``slurmctld`` in ``tests/real/test_slurm_placement.py``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.share.place.groups import HostGroups
from topologies.columns import Bools, Ints, column


@dataclass(frozen=True, eq=False)
class _Switches:
    """All switches of ``topology.conf``: level by level, lowest first."""

    level: Ints  # shape (S,)
    parent: Ints  # shape (S,), a top switch is its own
    idle: np.ndarray  # shape (S,), idle nodes below, counted down as leaves are used up

    @staticmethod
    def of(groups: HostGroups, free: Bools) -> _Switches:
        first = np.cumsum([0, *(len(level) for level in groups.parents)])
        level = np.repeat(np.arange(len(groups.parents)), [len(parent) for parent in groups.parents])
        own = np.arange(first[-1])
        above = [
            np.where(parent >= 0, parent + first[at + 1], own[first[at] : first[at + 1]])
            for at, parent in enumerate(groups.parents)
        ]
        idle = [
            np.bincount(of_host[free & (of_host >= 0)], minlength=len(parent))
            for of_host, parent in zip(groups.of_host, groups.parents, strict=True)
        ]
        return _Switches(column(level, np.int32), column(np.concatenate(above), np.int32), np.concatenate(idle))

    def ancestors(self, switch: int) -> list[int]:
        """A switch and those above it."""
        found = [switch]
        while self.parent[found[-1]] != found[-1]:
            found.append(int(self.parent[found[-1]]))
        return found

    def distances(self, leaf: int) -> np.ndarray:
        """Hops in the tree from a leaf to every switch, infinite where they have no common top, shape (S,)."""
        steps = {switch: hops for hops, switch in enumerate(self.ancestors(leaf))}
        found = np.full(len(self.level), np.inf)
        for switch in range(len(self.level)):
            for hops, above in enumerate(self.ancestors(switch)):
                if above in steps:
                    found[switch] = hops + steps[above]
                    break
        return found

    def fits_better(self, one: int, other: int, wanted: int) -> int:
        """1 where the first is the better choice for so many nodes, -1 where the other is, 0 for neither."""
        while True:
            fit, other_fit = self.idle[one] >= wanted, self.idle[other] >= wanted
            if fit and other_fit:
                if self.idle[one] != self.idle[other]:
                    return 1 if self.idle[one] < self.idle[other] else -1
                break
            if fit or other_fit:
                return 1 if fit else -1
            above, other_above = int(self.parent[one]), int(self.parent[other])
            if (above == one and other_above == other) or above == other_above:
                break
            one, other = above, other_above
        if self.idle[one] != self.idle[other]:
            return 1 if self.idle[one] > self.idle[other] else -1
        return int(np.sign(int(self.level[other]) - int(self.level[one])))


def slurm_hosts(groups: HostGroups, free: Bools, wanted: int) -> Ints | None:
    """Hosts that Slurm would give a job.

    Parameters
    ----------
    groups : HostGroups
        The switches as ``topology.conf`` has them.
    free : ndarray of bool, shape (H,)
        Idle hosts.
    wanted : int
        Whole hosts that the job asks for.

    Returns
    -------
    ndarray of int, shape (wanted,)
        In the order of the configuration, in which Slurm numbers the ranks. None where the job would wait.

    Examples
    --------
    Two leaves of four hosts under one spine; a host of the first is busy, so three fit the first most tightly.

    >>> groups = HostGroups.of_sizes([[4, 4], [2]])
    >>> free = np.array([False, True, True, True, True, True, True, True])
    >>> slurm_hosts(groups, free, 3).tolist(), slurm_hosts(groups, free, 4).tolist()
    ([1, 2, 3], [4, 5, 6, 7])
    """
    switches = _Switches.of(groups, free)
    enough = np.flatnonzero(switches.idle >= wanted)
    if not len(enough):
        return None
    highest = switches.level[enough].max()
    top = int(enough[switches.level[enough] == highest][-1])
    under = np.array([top in switches.ancestors(leaf) for leaf in range(len(groups.parents[0]))])
    switches.idle[: len(under)][~under] = 0
    taken: list[int] = []
    far = np.zeros(len(switches.level))
    while len(taken) < wanted:
        best = _next_leaf(switches, far, len(under), wanted - len(taken))
        if best is None:
            return None
        far += switches.distances(best)
        members = np.flatnonzero((groups.of_host[0] == best) & free)
        taken += members[: wanted - len(taken)].tolist()
        switches.idle[best] = 0
    return column(np.sort(taken), np.int32)


def _next_leaf(switches: _Switches, far: np.ndarray, leaves: int, wanted: int) -> int | None:
    """The leaf switch that is taken next."""
    best: int | None = None
    for leaf in range(leaves):
        if not switches.idle[leaf] or np.isinf(far[leaf]):
            continue
        if best is None:
            best = leaf
            continue
        better = switches.fits_better(leaf, best, wanted)
        if (far[leaf] < far[best] and better >= 0) or (far[leaf] == far[best] and better > 0):
            best = leaf
    return best
