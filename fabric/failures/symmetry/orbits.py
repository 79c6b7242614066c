"""Which failure cases are equal: parts that a symmetry of fabric, placement and demand carries onto each other.

Loads of routers that divide by a rule follow from the fabric alone, so that a symmetry carries the loads of one case
onto those of the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.failures.engine import CAUSES, LinkWorst, SweepPhase
from fabric.failures.part import Part
from fabric.failures.symmetry.automorphisms import link_maps
from fabric.failures.symmetry.components import joined, labels
from fabric.failures.symmetry.lost import Lost, link_weights
from fabric.routing.router import traits_of
from topologies.columns import Ints, Longs, column
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

    def over_orbits(self, worst: LinkWorst) -> tuple[LinkWorst, Longs]:
        """What every link meets over all cases, from what all links meet in one case of every orbit.

        Returns
        -------
        worst : LinkWorst
            Its cases are those that were looked at; every link of an orbit has the same.
        sources : ndarray of int, shape (L, CAUSES)
            The link that met it in that case. ``carried`` says which case does it to the link in question.
        """
        orbit = self.link_orbit
        count = int(orbit.max(initial=-1)) + 1
        best, sources = LinkWorst.empty(count), np.full((count, CAUSES), -1, dtype=np.int64)
        order = np.argsort(orbit, kind="stable")
        bounds = np.searchsorted(orbit[order], np.arange(count + 1))
        for number in range(count):
            rows = order[bounds[number] : bounds[number + 1]]
            values, cases = worst.utilisation[rows].ravel(), worst.case[rows].ravel()
            pick = np.flatnonzero(values >= 0)
            pick = pick[np.lexsort((cases[pick], -values[pick]))]
            _, once = np.unique(cases[pick], return_index=True)  # a case counts once, by its fullest link
            pick = pick[np.sort(once)][:CAUSES]
            best.utilisation[number, : len(pick)] = values[pick]
            best.case[number, : len(pick)] = cases[pick]
            sources[number, : len(pick)] = np.repeat(rows, CAUSES)[pick]
        return LinkWorst(best.utilisation[orbit], best.case[orbit]), sources[orbit]

    def carried(self, parts: Sequence[Part], fabric: str, source: int, target: int) -> tuple[int, ...] | None:
        """Where the symmetry that carries link ``source`` onto ``target`` carries each part; None: they are not equal.

        -1 stands for what is not among the parts.
        """
        moved = self._carrier(source, target)
        if moved is None:
            return None
        weight, lost = link_weights(self.links), Lost.of(parts, fabric)
        keys, image = lost.keys(weight), lost.moved(moved).keys(weight)
        order = np.argsort(keys, kind="stable")
        target_of = order[np.minimum(np.searchsorted(keys[order], image), len(parts) - 1)]
        return tuple(np.where(keys[target_of] == image, target_of, -1).tolist())

    def _carrier(self, source: int, target: int) -> Ints | None:
        """A symmetry that carries one link onto another, found breadth first."""
        steps = [*self.maps, *(_inverse(moved) for moved in self.maps)]
        came: dict[int, tuple[int, int]] = {source: (-1, -1)}
        frontier = [source]
        while frontier and target not in came:
            after = []
            for link in frontier:
                for number, moved in enumerate(steps):
                    onto = int(moved[link])
                    if onto not in came:
                        came[onto] = (link, number)
                        after.append(onto)
            frontier = after
        if target not in came:
            return None
        numbers = []
        link = target
        while link != source:
            link, number = came[link]
            numbers.append(number)
        moved = column(np.arange(self.links), np.int32)
        for number in reversed(numbers):
            moved = column(steps[number][moved], np.int32)
        return moved


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
