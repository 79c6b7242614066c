"""What the cables of a built network are made of: for every class of equal cables the cheapest way, counted exactly.

A pluggable fills a whole cage: a switch needs as many as it has cages with a link in them. A cable that splits fills
the cage at its one end, and as many at the other as it has ends. Ways are compared by what they cost on this network,
odd cages counted, not by the share of a part that a link takes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

import numpy as np

from fabric.bill.ends import CableEnds
from topologies.catalogue import CableModel, Catalogue, OpticModel
from topologies.columns import Floats, Longs
from topologies.link_kits import FIBRES, LinkEnd, LinkKit, kits
from topologies.units import format_gbps

MOST_COMBINATIONS = 2_000  # of ways, where switches lack cages for the cheapest of each class
MOST_WORK = 20_000_000  # combinations times devices


@dataclass(eq=False)
class LinkParts:
    """Parts that were counted, model by model.

    Attributes
    ----------
    metres : Counter
        Length of all cables of a model together.
    optics : dict
        Links that optics of a model carry, by device, shape (N,).
    plugs : ndarray, shape (N,)
        Cages of every device that cables with their ends on fill.
    ends : dict
        Ends of cables of a model that have their ends on, by device, shape (N,).
    unmade : Counter
        Links that nothing in the catalogue makes, by the reason.
    """

    plugs: Longs
    cables: Counter[str] = field(default_factory=Counter)
    metres: dict[str, float] = field(default_factory=dict)
    optics: dict[str, Longs] = field(default_factory=dict)
    ends: dict[str, Longs] = field(default_factory=dict)
    unmade: Counter[str] = field(default_factory=Counter)

    def add(self, other: LinkParts) -> None:
        """Take in what was counted of other cables."""
        self.plugs = self.plugs + other.plugs
        self.cables.update(other.cables)
        for model, length in other.metres.items():
            self.metres[model] = self.metres.get(model, 0.0) + length
        for own, others in ((self.optics, other.optics), (self.ends, other.ends)):
            for model, count in others.items():
                own[model] = own[model] + count if model in own else count

    def modules(self, catalogue: Catalogue) -> dict[str, Longs]:
        """Modules of every model by device, shape (N,): one for each cage that has a link."""
        return {model: -(-links // catalogue.optics[model].links) for model, links in self.optics.items()}

    def cages(self, catalogue: Catalogue) -> Longs:
        """Cages of every device with something in them, shape (N,)."""
        return self.plugs + sum(self.modules(catalogue).values(), np.zeros_like(self.plugs))


@dataclass(frozen=True, eq=False)
class CableClass:
    """Cables that can be made in the same ways."""

    gbps: float
    cage_links: tuple[int, int]
    patched: bool
    rows: Longs  # of CableEnds
    metres: Floats  # of each
    ways: tuple[LinkKit, ...]


def run_lengths(ends: CableEnds, tiers: tuple[str, ...], assumed: Mapping[str, float]) -> Floats:
    """Length of every cable, metres: the topology's, else that of its tier."""
    of_tier = np.array([assumed[tier] for tier in tiers] or [0.0])
    return np.where(np.isnan(ends.length_m), of_tier[ends.tier], ends.length_m)


def cable_classes(ends: CableEnds, metres: Floats, catalogue: Catalogue) -> list[CableClass]:
    """Cables by speed, cages and the ways that reach them."""
    keys = np.stack([ends.gbps, ends.cage_links[:, 0], ends.cage_links[:, 1], ends.patched], axis=1)
    kinds, of_kind = np.unique(keys, axis=0, return_inverse=True)
    classes = []
    for number, (gbps, low, high, patched) in enumerate(kinds.tolist()):
        rows = np.flatnonzero(of_kind.ravel() == number)
        ways = kits(catalogue, gbps, LinkEnd(int(low)), LinkEnd(int(high)))
        if patched:
            ways = tuple(way for way in ways if way.medium == "smf")
        reaches = np.unique([way.reach_m for way in ways])
        bucket = np.searchsorted(reaches, metres[rows], side="left")
        for at in np.unique(bucket).tolist():
            some = rows[bucket == at]
            reach = reaches[at] if at < len(reaches) else np.inf
            reaching = tuple(way for way in ways if way.reach_m >= reach)
            classes.append(CableClass(gbps, (int(low), int(high)), bool(patched), some, metres[some], reaching))
    return classes


Option = tuple[bool, float, float, tuple[tuple[str, Fraction], ...], LinkParts]  # price missing, US$, W, of a link, all


def count_parts(ends: CableEnds, classes: Sequence[CableClass], catalogue: Catalogue) -> LinkParts:
    """Parts of all cables, each class made in its cheapest way that leaves the switches cages enough."""
    counted = LinkParts(np.zeros(len(ends.cages), np.int64))
    options: list[list[Option]] = []
    for kind in classes:
        found = sorted(_options(ends, kind, catalogue), key=lambda option: option[:4])
        if found:
            options.append(found)
        else:
            counted.unmade[_why_not(kind, catalogue)] += len(kind.rows)
    for option in _fitting(options, ends, catalogue):
        counted.add(option[4])
    return counted


def over_full(parts: LinkParts, ends: CableEnds, catalogue: Catalogue) -> Longs:
    """Cages that are filled beyond those a switch has, shape (N,)."""
    return np.where(ends.cages >= 0, np.maximum(parts.cages(catalogue) - ends.cages, 0), 0)


def _options(ends: CableEnds, kind: CableClass, catalogue: Catalogue) -> Iterator[Option]:
    """Ways to make a class of cables, with what they cost on this network."""
    for way in kind.ways:
        parts = way_parts(ends, kind, way, catalogue)
        if parts is not None:
            yield *_price(parts, catalogue), way.max_w or 0.0, way.parts, parts


def _fitting(options: list[list[Option]], ends: CableEnds, catalogue: Catalogue) -> list[Option]:
    """An option of every class: the cheapest, or where switches lack cages for these, the cheapest that share cages."""
    cheapest = [found[0] for found in options]
    if not cheapest:
        return []
    over = over_full(_sum(cheapest), ends, catalogue)
    if not over.any():
        return cheapest
    touched = [number for number, option in enumerate(cheapest) if option[4].cages(catalogue)[over > 0].any()]
    combinations = math.prod(len(options[number]) for number in touched)
    if combinations > MOST_COMBINATIONS or combinations * len(over) > MOST_WORK:
        return cheapest

    def judged(choice: tuple[Option, ...]) -> tuple[int, bool, float, tuple[object, ...]]:
        parts = _sum(choice)
        missing, cost = _price(parts, catalogue)
        return int(over_full(parts, ends, catalogue).sum()), missing, cost, tuple(option[3] for option in choice)

    best = min(product(*(options[number] for number in touched)), key=judged)
    return [dict(zip(touched, best, strict=True)).get(number, option) for number, option in enumerate(cheapest)]


def _sum(options: Iterable[Option]) -> LinkParts:
    each = [option[4] for option in options]
    parts = LinkParts(np.zeros_like(each[0].plugs))
    for one in each:
        parts.add(one)
    return parts


def way_parts(ends: CableEnds, kind: CableClass, way: LinkKit, catalogue: Catalogue) -> LinkParts | None:
    """Parts of a class of cables made in one way; None where its cages and pairs of devices do not allow it."""
    cable = catalogue.cables[way.parts[0][0]]
    if cable.medium not in FIBRES:
        return _cabled_parts(ends, kind, cable)
    nodes = len(ends.cages)
    parts = LinkParts(np.zeros(nodes, np.int64))
    parts.cables[cable.model] = len(kind.rows) * (2 if kind.patched else 1)
    parts.metres[cable.model] = float(kind.metres.sum())
    for side, (model, _) in enumerate(way.parts[1:]):
        links: Longs = np.bincount(ends.device[kind.rows, side], minlength=nodes).astype(np.int64)
        parts.optics[model] = parts.optics[model] + links if model in parts.optics else links
    return parts


def _cabled_parts(ends: CableEnds, kind: CableClass, cable: CableModel) -> LinkParts | None:
    """Cables with their ends on: those of one cage lead to a cage of one device, or are split over several."""
    low, high = kind.cage_links
    many_side = 0 if low >= high else 1
    few = min(low, high)
    pairs, parallel = np.unique(ends.device[kind.rows], axis=0, return_counts=True)
    if few > 1 and (parallel % few).any():
        return None  # a cable would fill a cage for a part of its links
    bundles = parallel // few
    nodes = len(ends.cages)
    cables = -(-np.bincount(pairs[:, many_side], bundles, nodes).astype(np.int64) // cable.ends)  # by device
    tails = np.bincount(pairs[:, 1 - many_side], bundles, nodes).astype(np.int64)
    parts = LinkParts(cables + tails)
    parts.cables[cable.model] = int(cables.sum())
    parts.metres[cable.model] = float(kind.metres.mean()) * int(cables.sum())
    parts.ends[cable.model] = cables + tails
    return parts


def absorbed_w(parts: LinkParts, ends: CableEnds, catalogue: Catalogue) -> dict[str, float]:
    """By model: watts of all of its modules or ends that the largest power of their switches has in it."""
    plugged = {
        model: count * (catalogue.optics[model].max_w or 0.0) for model, count in parts.modules(catalogue).items()
    }
    plugged |= {model: count * (catalogue.cables[model].max_w or 0.0) for model, count in parts.ends.items()}
    together = sum(plugged.values(), np.zeros(len(ends.cages)))
    inside = np.minimum(together, ends.room_w)
    share = np.divide(inside, together, out=np.zeros_like(inside), where=together > 0)
    return {model: float((watts * share).sum()) for model, watts in plugged.items()}


def _price(parts: LinkParts, catalogue: Catalogue) -> tuple[bool, float]:
    """Whether some price is missing, and the cost of what has one."""
    rows: list[tuple[CableModel | OpticModel, int]] = [
        (catalogue.cables[model], count) for model, count in parts.cables.items()
    ]
    rows += [(catalogue.optics[model], int(count.sum())) for model, count in parts.modules(catalogue).items()]
    metres = sum(catalogue.cables[model].usd_per_m * length for model, length in parts.metres.items())
    cost = sum((row.usd or 0.0) * count for row, count in rows)
    return any(row.usd is None for row, _ in rows), round(cost + metres, 6)


def _why_not(kind: CableClass, catalogue: Catalogue) -> str:
    """Why no part of the catalogue makes a class of cables."""
    low, high = kind.cage_links
    shared = f" between cages of {low} and {high} links" if max(low, high) > 1 else ""
    what = f"{format_gbps(kind.gbps)} links{shared}"
    farthest = max((way.reach_m for way in kits(catalogue, kind.gbps, LinkEnd(low), LinkEnd(high))), default=None)
    if farthest is None:
        return f"{what}: no cable or optic of the catalogue makes them"
    longest = float(kind.metres.max())
    if longest > farthest:
        return f"{what} of {longest:g} m: nothing in the catalogue reaches farther than {farthest:g} m"
    return f"{what}: what the catalogue has for them fills cages that these links do not share"
