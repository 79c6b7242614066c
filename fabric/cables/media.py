"""What every link is made of: the cheapest kit whose cable, as it is sold, reaches its run.

Links that share a cage share what is plugged into it. They form a group: cages that links join, and so on. A cable with
its ends on joins whole cages, so it serves a group of two cages, or of one that is split into several; any other group
takes fibres between optics, of one medium and as far as its longest fibre. The length that counts is that of the cable
bought, for light and copper run through all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.cables.wanted import AUTO
from topologies.catalogue import CableModel, Catalogue
from topologies.columns import Bools, Floats, Ints, column
from topologies.link_kits import FIBRES, LinkEnd, LinkKit, kits
from topologies.parts import parts_of

PATCHED = "smf"  # what an optical switch takes
_WHOLE_M = 1e-6  # metres by which a run may exceed a length sold: rounding
_TENTHS = 10  # lengths that are cut to measure, parts of a metre
_NO_PRICE = 1e15  # US$, dearer than whatever has a price


@dataclass(frozen=True, eq=False)
class LinkMedia:
    """Links that need something to be made of, shape (C,) each."""

    gbps: Floats
    links: tuple[Ints, Ints]  # that the cage at either end has room for
    cage: tuple[Ints, Ints]
    run_m: Floats
    wanted: tuple[str, ...]  # media, by code
    wanted_code: Ints
    patched: Bools  # whether it passes an optical switch, which takes single-mode fibre alone


@dataclass(frozen=True, eq=False)
class ChosenKits:
    """What links are made of.

    Attributes
    ----------
    kits : tuple
        Kits that are used.
    kit : ndarray, shape (C,)
        Row of ``kits``, -1 where nothing is known that makes such a link, -2 where nothing reaches.
    group : ndarray, shape (C,)
        Links that share cages have one number.
    length_m : ndarray, shape (C,)
        Length of the cable as bought; the run where nothing is known.
    """

    kits: tuple[LinkKit, ...]
    kit: Ints
    group: Ints
    length_m: Floats


UNKNOWN, TOO_FAR = -1, -2


def bought_m(cable: CableModel, run_m: Floats) -> Floats:
    """Lengths to buy for runs: the shortest sold that is as long; inf where cables of such a length have no ends.

    Fibre longer than any length sold is made to measure, in whole metres; what is cut to any length, in tenths.

    >>> cable = CableModel(model="f", speed="400G", medium="smf", length="2 km", stock=["1 m", "5 m"], source="-")
    >>> bought_m(cable, np.array([0.4, 2.2, 5.0, 7.3])).tolist()
    [1.0, 5.0, 5.0, 8.0]
    """
    if not cable.stock:
        return column(np.ceil((run_m - _WHOLE_M) * _TENTHS) / _TENTHS, np.float64)
    stock = np.array(sorted(cable.stock))
    place = np.searchsorted(stock, run_m - _WHOLE_M)
    beyond = np.ceil(run_m - _WHOLE_M) if cable.medium in FIBRES else np.full(len(run_m), np.inf)
    return column(np.where(place < len(stock), stock[np.minimum(place, len(stock) - 1)], beyond), np.float64)


def cable_of(catalogue: Catalogue, kit: LinkKit) -> CableModel:
    """The cable of a kit."""
    return catalogue.cables[kit.parts[0][0]]


def choose_kits(catalogue: Catalogue, media: LinkMedia) -> ChosenKits:
    """The cheapest kits that reach and can be plugged; of equal ones the first by power, then by name."""
    count = len(media.run_m)
    groups = _Groups.of(media)
    chooser = _Chooser(catalogue, media, groups, [], np.full(count, UNKNOWN, np.int64), media.run_m.copy())
    for code, links in groups.by_kind():
        chooser.choose_alike(code, links)
    for links in groups.mixed():
        chooser.choose_mixed(links)
    return ChosenKits(
        tuple(chooser.kits),
        column(chooser.kit, np.int32),
        column(groups.of_link, np.int32),
        column(chooser.length_m, np.float64),
    )


@dataclass(frozen=True, eq=False)
class _Groups:
    """Links that share cages, and whether one cable with its ends on could be the links of a group."""

    kind: np.ndarray  # shape (C,), links alike
    kinds: np.ndarray  # (gbps, links at either end, medium wanted, patched), by kind
    of_link: np.ndarray  # shape (C,)
    whole: np.ndarray  # shape (G,), a cable with its ends on can be plugged
    alike: np.ndarray  # shape (G,), all its links are of one kind

    @classmethod
    def of(cls, media: LinkMedia) -> _Groups:
        kinds, kind = _kinds([media.gbps, *media.links, media.wanted_code, media.patched])
        one, other = media.cage
        cages = int(max(one.max(initial=-1), other.max(initial=-1))) + 1
        of_cage = parts_of(cages, one, other)
        groups = int(of_cage.max(initial=-1)) + 1
        of_link = of_cage[one]
        size = np.zeros(cages, dtype=np.int64)
        np.maximum.at(size, one, media.links[0])
        np.maximum.at(size, other, media.links[1])
        most = np.zeros(groups, dtype=np.int64)
        np.maximum.at(most, of_cage, size)
        used = size > 0
        largest = np.bincount(of_cage[used], size[used] == most[of_cage[used]], groups)
        total = np.bincount(of_cage[used], minlength=groups)
        whole = (largest == 1) | ((largest == 2) & (total == 2))
        low, high = np.full(groups, len(kinds)), np.full(groups, -1)
        np.minimum.at(low, of_link, kind)
        np.maximum.at(high, of_link, kind)
        return cls(kind, kinds, of_link, whole, low == high)

    def by_kind(self) -> Iterator[tuple[int, np.ndarray]]:
        """Links whose groups are of one kind, kind by kind."""
        alike = self.alike[self.of_link]
        for code in range(len(self.kinds)):
            links = np.flatnonzero(alike & (self.kind == code))
            if len(links):
                yield code, links

    def mixed(self) -> Iterator[np.ndarray]:
        """Links of every group that has several kinds."""
        rest = np.flatnonzero(~self.alike[self.of_link])
        order = rest[np.argsort(self.of_link[rest], kind="stable")]
        cuts = np.flatnonzero(np.diff(self.of_link[order])) + 1
        yield from (part for part in np.split(order, cuts) if len(part))


def _kinds(columns: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Different rows of some columns in ascending order, and which of them every row is.

    Column by column, as most have few values or one: sorting whole rows of millions of links takes half a minute.
    """
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for values in columns:
        if len(values) and (values != values[0]).any():
            _, place = np.unique(values, return_inverse=True)
            _, code = np.unique(code * (int(place.max()) + 1) + place, return_inverse=True)
    _, first = np.unique(code, return_index=True)
    return np.column_stack([values[first] for values in columns]).astype(np.float64), code


@dataclass(eq=False)
class _Chooser:
    """Fills in kits and lengths, group by group."""

    catalogue: Catalogue
    media: LinkMedia
    groups: _Groups
    kits: list[LinkKit]
    kit: np.ndarray
    length_m: np.ndarray

    def _ways(self, code: int) -> tuple[list[LinkKit], bool]:
        """Kits of a kind of link that the scenario allows, and whether there is any at all."""
        gbps, low, high, wanted, patched = self.groups.kinds[code].tolist()
        every = kits(self.catalogue, gbps, LinkEnd(int(low)), LinkEnd(int(high)))
        medium = self.media.wanted[int(wanted)]
        ways = [kit for kit in every if medium in (AUTO, kit.medium) and (kit.medium == PATCHED or not patched)]
        return ways, bool(every)

    def _bought(self, kit: LinkKit, run_m: np.ndarray) -> np.ndarray:
        """Lengths to buy, inf where they are too long for the kit."""
        length = bought_m(cable_of(self.catalogue, kit), column(run_m, np.float64))
        return np.where(length <= kit.reach_m + _WHOLE_M, length, np.inf)

    def _take(self, kit: LinkKit) -> int:
        if kit not in self.kits:
            self.kits.append(kit)
        return self.kits.index(kit)

    def choose_alike(self, code: int, links: np.ndarray) -> None:
        """Every group of links of one kind by itself."""
        ways, any_way = self._ways(code)
        group, of_group = np.unique(self.groups.of_link[links], return_inverse=True)
        whole = _WholeParts.of(self.media, links, of_group)
        longest = np.zeros(len(group))
        np.maximum.at(longest, of_group, self.media.run_m[links])
        best = np.full(len(group), np.inf)
        row = np.full(len(group), TOO_FAR if any_way else UNKNOWN)
        length = self.media.run_m[links].copy()
        for kit in ways:
            if kit.medium in FIBRES:
                each = self._bought(kit, self.media.run_m[links])
                total = np.bincount(of_group, each)
            else:
                total = np.where(self.groups.whole[group], self._bought(kit, longest), np.inf)
                each = total[of_group]
            cost = whole.usd(self.catalogue, kit) + _cost_of(kit, total)
            better = cost < best
            if better.any():
                best, row = np.where(better, cost, best), np.where(better, self._take(kit), row)
                length = np.where(better[of_group], each, length)
        self.kit[links], self.length_m[links] = row[of_group], length

    def choose_mixed(self, links: np.ndarray) -> None:
        """Links of several kinds whose cages hang together: fibres of one medium, alike as far as the longest."""
        kinds = np.unique(self.groups.kind[links])
        allowed = {int(code): self._ways(int(code)) for code in kinds}
        known = all(any_way for _, any_way in allowed.values())
        best: tuple[float, dict[int, tuple[LinkKit, np.ndarray]]] = (np.inf, {})
        for medium in FIBRES:
            made = self._of_medium(links, allowed, medium)
            if made and (cost := self._mixed_usd(links, made)) < best[0]:
                best = (cost, made)
        self.kit[links] = TOO_FAR if known else UNKNOWN
        for code, (kit, length) in best[1].items():
            own = links[self.groups.kind[links] == code]
            self.kit[own], self.length_m[own] = self._take(kit), length

    def _mixed_usd(self, links: np.ndarray, made: Mapping[int, tuple[LinkKit, np.ndarray]]) -> float:
        """Price of the links of a group made of one medium: an optic for every cage, a fibre for every link."""
        cost, plugs = 0.0, set()
        for code, (kit, length) in made.items():
            own = links[self.groups.kind[links] == code]
            if kit.usd is None:
                cost += _NO_PRICE * len(own)
                continue
            cost += (cable_of(self.catalogue, kit).usd or 0.0) * len(own) + kit.usd_per_m * float(length.sum())
            for end in (0, 1):
                plugs |= {(int(cage), kit.parts[1 + end][0]) for cage in self.media.cage[end][own]}
        return cost + sum(self.catalogue.optics[model].usd or 0.0 for _, model in plugs)

    def _of_medium(
        self, links: np.ndarray, allowed: dict[int, tuple[list[LinkKit], bool]], medium: str
    ) -> dict[int, tuple[LinkKit, np.ndarray]]:
        """The cheapest kit of every kind in one medium, each good for the longest run; empty where there is none."""
        longest = self.media.run_m[links].max(keepdims=True)
        made: dict[int, tuple[LinkKit, np.ndarray]] = {}
        for code, (ways, _) in allowed.items():
            own = self.media.run_m[links[self.groups.kind[links] == code]]
            fitting = [kit for kit in ways if kit.medium == medium and np.isfinite(self._bought(kit, longest)).all()]
            if not fitting:
                return {}
            kit = min(fitting, key=lambda one: _price(one, self._bought(one, own)))
            made[code] = (kit, self._bought(kit, own))
        return made


@dataclass(frozen=True, eq=False)
class _WholeParts:
    """Links and cages at both ends of groups of links alike, shape (G,) each: parts are bought whole."""

    links: np.ndarray
    cages: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, media: LinkMedia, links: np.ndarray, of_group: np.ndarray) -> _WholeParts:
        ends = []
        for end in (0, 1):
            _, first = np.unique(media.cage[end][links], return_index=True)
            ends.append(np.bincount(of_group[first], minlength=int(of_group.max(initial=-1)) + 1))
        return cls(np.bincount(of_group), (ends[0], ends[1]))

    def usd(self, catalogue: Catalogue, kit: LinkKit) -> np.ndarray:
        """Price of the parts of every group without what a metre costs; without one dearer than any."""
        if kit.usd is None:
            return self.links * _NO_PRICE
        cable = cable_of(catalogue, kit).usd or 0.0
        if kit.medium not in FIBRES:
            return np.full(len(self.links), cable)
        optics = [catalogue.optics[model].usd or 0.0 for model, _ in kit.parts[1:]]
        return self.links * cable + self.cages[0] * optics[0] + self.cages[1] * optics[1]


def _cost_of(kit: LinkKit, total_m: np.ndarray) -> np.ndarray:
    """Price of metres; inf of them is inf also where they are free."""
    return np.where(np.isfinite(total_m), kit.usd_per_m * np.where(np.isfinite(total_m), total_m, 0.0), np.inf)


def _price(kit: LinkKit, length_m: np.ndarray) -> float:
    """Price of links of some lengths; without one dearer than any."""
    return len(length_m) * (_NO_PRICE if kit.usd is None else kit.usd) + kit.usd_per_m * float(length_m.sum())


def reaches(catalogue: Catalogue, ways: Sequence[LinkKit]) -> dict[str, float]:
    """The longest cable that every medium makes, metres, the shortest first."""
    longest: dict[str, float] = {}
    for kit in ways:
        cable = cable_of(catalogue, kit)
        sold = max(cable.stock) if cable.stock and cable.medium not in FIBRES else cable.length
        longest[kit.medium] = max(longest.get(kit.medium, 0.0), min(kit.reach_m, sold))
    return dict(sorted(longest.items(), key=lambda item: item[1]))
