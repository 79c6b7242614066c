"""Which failure cases are equal: parts that a symmetry of fabric, placement and demand carries onto each other.

Loads of routers that divide by a rule follow from the fabric alone, so that a symmetry carries the loads of one case
onto those of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from fabric.failures.engine import CAUSES, LinkWorst, SweepPhase
from fabric.failures.part import Part
from fabric.failures.symmetry.automorphisms import link_maps
from fabric.failures.symmetry.components import joined, labels
from fabric.failures.symmetry.lost import Lost, Words, link_weights
from fabric.routing.router import traits_of
from topologies.columns import Ints, Longs, column, concatenate
from topologies.topology import Topology
from traffic.demands import Flows

_MOST_FOLLOWED = 300_000  # parts, those asked for and those that stand between them


@dataclass(frozen=True, eq=False)
class Symmetry:
    """Automorphisms of a fabric with its demand, as they move its links."""

    links: int
    maps: tuple[Ints, ...]  # each of shape (L,): the link that every link is carried onto

    @cached_property
    def link_orbit(self) -> Ints:
        """Orbit of every link, shape (L,), numbered by first link."""
        return joined(self.links, self.maps)

    def part_orbits(self, parts: Sequence[Part], fabric: str) -> Ints:
        """The first part that each is equal to, itself where there is none before it; shape (P,).

        Parts that touch other fabrics too are equal to nothing but themselves.
        """
        own = [at for at, part in enumerate(parts) if set(part.links) | set(part.slowed) == {fabric}]
        weight = link_weights(self.links)
        lost = Lost.of([parts[at] for at in own], fabric)
        known = {key: at for at, key in reversed(list(enumerate(lost.keys(weight).tolist())))}
        places, count = [known[key] for key in lost.keys(weight).tolist()], len(own)
        tails, heads, frontier = list(range(count)), places.copy(), list(range(count))
        # Parts may be equal by way of others that are not among them, which are followed too.
        while frontier and count <= max(_MOST_FOLLOWED, 2 * len(own)):
            after: list[int] = []
            news: list[Lost] = []
            for moved in self.maps:
                image = lost.moved(moved)
                fresh = []
                for at, key in enumerate(image.keys(weight).tolist()):
                    if key not in known:
                        known[key] = count
                        after.append(count)
                        fresh.append(at)
                        count += 1
                    tails.append(frontier[at])
                    heads.append(known[key])
                news.append(image.chosen(fresh))
            lost, frontier = Lost.joined(news), after
        label = labels(count, tails, heads)
        first = np.arange(len(parts), dtype=np.int32)
        first_of: dict[int, int] = {}
        for at, number in zip(own, label[: len(own)].tolist(), strict=True):
            first[at] = first_of.setdefault(number, at)
        return column(first, np.int32)

    def over_orbits(self, worst: LinkWorst, carried: Carried) -> LinkWorst:
        """What every link meets over all cases, from what all links meet in one case of every orbit.

        Parameters
        ----------
        carried : callable
            From a case and where symmetries carry every link, shape (T, L) as far as it asks, to T cases; see
            ``CarriedParts``.
        """
        orbit = self.link_orbit
        order = np.argsort(orbit, kind="stable")
        bounds = np.searchsorted(orbit[order], np.arange(int(orbit.max(initial=-1)) + 2))
        result = LinkWorst.empty(self.links)
        for first, last in pairwise(bounds.tolist()):
            rows = order[first:last]
            values, cases = worst.utilisation[rows].ravel(), worst.case[rows].ravel()
            pick = np.flatnonzero(values >= 0)
            pick = pick[np.lexsort((cases[pick], -values[pick]))]
            _, once = np.unique(cases[pick], return_index=True)  # a case counts once, by its fullest link
            for place, at in enumerate(pick[np.sort(once)][:CAUSES].tolist()):
                result.utilisation[rows, place] = values[at]
                result.case[rows, place] = carried(int(cases[at]), Ways(self, int(rows[at // CAUSES]), rows))
        return result

    @cached_property
    def steps(self) -> tuple[Ints, ...]:
        """The maps and their inverses."""
        return (*self.maps, *(_inverse(moved) for moved in self.maps))

    @cached_property
    def tree(self) -> tuple[Ints, Ints, tuple[Ints, ...]]:
        """Ways from the first link of every orbit: link before each, step from there, links by distance."""
        before = np.full(self.links, -1, dtype=np.int32)
        step = np.full(self.links, -1, dtype=np.int32)
        _, roots = np.unique(self.link_orbit, return_index=True)
        seen = np.zeros(self.links, dtype=np.bool_)
        seen[roots] = True
        levels = [column(roots, np.int32)]
        while len(levels[-1]):
            after = []
            for number, moved in enumerate(self.steps):
                onto, place = np.unique(moved[levels[-1]], return_index=True)
                fresh = ~seen[onto]
                onto = onto[fresh]
                seen[onto] = True
                before[onto], step[onto] = levels[-1][place[fresh]], number
                after.append(onto)
            levels.append(concatenate(after, np.int32))
        return before, step, tuple(levels[:-1])


@dataclass(frozen=True, eq=False)
class Ways:
    """Symmetries that carry one link onto each of ``targets``, all of one orbit."""

    symmetry: Symmetry
    source: int
    targets: Ints | Longs

    def images(self, links: Ints) -> Ints:
        """Where they carry ``links``, shape (T, len(links))."""
        before, step, levels = self.symmetry.tree
        steps = self.symmetry.steps
        at = self.source
        while before[at] >= 0:  # back to the first link of the orbit
            links = steps[_opposite(int(step[at]), len(steps))][links]
            at = int(before[at])
        place = np.full(self.symmetry.links, -1)
        place[self.targets] = np.arange(len(self.targets))
        result = np.empty((len(self.targets), len(links)), dtype=np.int32)
        result[place[at]] = links
        for level in levels[1:]:
            mine = level[place[level] >= 0]
            for number in np.unique(step[mine]).tolist():
                rows = mine[step[mine] == number]
                result[place[rows]] = steps[number][result[place[before[rows]]]]
        return result


Carried = Callable[[int, Ways], Longs]


@dataclass(frozen=True, eq=False)
class CarriedParts:
    """Which part every part is carried onto."""

    parts: Sequence[Part]
    fabric: str
    symmetry: Symmetry

    @cached_property
    def _known(self) -> tuple[Lost, Words, Words, Longs]:
        weight = link_weights(self.symmetry.links)
        lost = Lost.of(self.parts, self.fabric)
        keys = lost.keys(weight)
        order = np.argsort(keys, kind="stable")
        return lost, weight, keys[order], order

    def first_link(self, part: int) -> int:
        """A link that a part takes or slows."""
        lost = self._known[0].chosen([part])
        return int(next(iter((*lost.dead.tolist(), *lost.slow.tolist()))))

    def __call__(self, part: int, ways: Ways) -> Longs:
        """The part that each of the symmetries carries it onto, shape (T,); itself where that is not among them."""
        lost, weight, keys, order = self._known
        mine = lost.chosen([part])
        dead, slow = ways.images(mine.dead), ways.images(mine.slow)
        count = len(dead)
        moved = Lost(
            column(np.full(count, mine.kind[0]), np.int32),
            column(np.arange(count + 1) * dead.shape[1], np.int64),
            column(dead.ravel(), np.int32),
            column(np.arange(count + 1) * slow.shape[1], np.int64),
            column(slow.ravel(), np.int32),
            column(np.tile(mine.left, count), np.float64),
        ).keys(weight)
        at = np.minimum(np.searchsorted(keys, moved), len(keys) - 1)
        return column(np.where(keys[at] == moved, order[at], part), np.int64)


def _opposite(step: int, steps: int) -> int:
    return (step + steps // 2) % steps


def _inverse(moved: Ints) -> Ints:
    back = np.empty_like(moved)
    back[moved] = np.arange(len(moved))
    return back


def symmetry_of(topology: Topology, demands: Sequence[Flows], host_of: Ints | None = None) -> Symmetry:
    """Symmetries of a fabric that leave the demands as they are."""
    return Symmetry(len(topology.links), link_maps(topology, demands, host_of))


@dataclass(frozen=True, eq=False)
class Equal:
    """Equal single cases: for every part the first that is equal to it, and the symmetries that say so, by fabric."""

    first: Ints  # shape (P,)
    symmetries: Mapping[str, Symmetry]

    @property
    def representatives(self) -> Ints:
        """The parts that stand for all, ascending."""
        return column(np.unique(self.first), np.int32)

    @property
    def counts(self) -> Ints:
        """How many parts each of ``representatives`` stands for."""
        return column(np.unique(self.first, return_counts=True)[1], np.int32)


def equal_parts(phases: Sequence[SweepPhase], parts: Sequence[Part], host_of: Mapping[str, Ints] = {}) -> Equal:
    """Parts whose failure does the same to all phases but for names.

    Parameters
    ----------
    host_of : mapping of str to ndarray of int, optional
        By fabric the host of every node, -1 for none.

    Fabrics on which a hash, a solver or the numbers of nodes decide have no symmetry that could be relied on.
    """
    first = np.arange(len(parts), dtype=np.int32)
    symmetries: dict[str, Symmetry] = {}
    for fabric in dict.fromkeys(phase.fabric for phase in phases):
        mine = [phase for phase in phases if phase.fabric == fabric]
        if not all(_by_rule(phase.router) for phase in mine):
            continue
        symmetry = symmetry_of(mine[0].topology, mine[0].demands.flows, host_of.get(fabric))
        if symmetry.maps:
            symmetries[fabric] = symmetry
            first = column(np.minimum(first, symmetry.part_orbits(parts, fabric)), np.int32)
    return Equal(column(first, np.int32), symmetries)


def _by_rule(router: str) -> bool:
    """Whether loads follow from the fabric alone, whatever its nodes are called."""
    traits = traits_of(router)
    return traits.follows_rule and traits.ties is None
