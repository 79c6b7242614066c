"""Heat maps: the worst offered load of the links between two sets of places, as a matrix.

Rows and columns are in physical order. A cell is the worst of its links, never their mean: a mean hides the hot link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np

from fabric.output.columns import named, ratios
from fabric.output.table import Table
from fabric.result import PhaseRoute
from fabric.routing.utilisation import SAME, highest, is_over
from topologies.columns import Bools, Floats, Ints, Longs
from topologies.topology import Topology

Direction = Literal["up", "down"]
OVERVIEW = "overview"
_MOST_CELLS = 8_000_000  # of a map whose rows and columns are single switches
_SIDE = 1_024  # rows, and columns, of a larger map
_KINDS: WeakKeyDictionary[Topology, tuple[str, ...]] = WeakKeyDictionary()  # every key of a screen asks


@dataclass(frozen=True, eq=False)
class HeatMap:
    """A matrix of the worst offered load of the links of every cell.

    Attributes
    ----------
    value : ndarray, shape (R, C)
        Highest utilisation of the cell's live links; nan where there is no link, or none that lives and is offered.
    total, down : ndarray, shape (R, C)
        Links of the cell, and those of them that are down.
    row_members, column_members : tuple of node ids or empty
        The nodes a row or column stands for.
    hottest : (row, column) or None
        The cell with the hottest link, the first link of equals; None where no link lives or is offered.
    """

    title: str
    row_title: str
    column_title: str
    row_names: tuple[str, ...]
    column_names: tuple[str, ...]
    value: Floats
    total: Longs
    down: Longs
    row_members: tuple[Ints, ...]
    column_members: tuple[Ints, ...]
    hottest: tuple[int, int] | None
    _link: Longs = field(repr=False)  # links of all cells, by cell
    _cell: Longs = field(repr=False)  # cell of each of them, ascending

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.row_names), len(self.column_names)

    def links(self, row: int, column: int) -> Longs:
        """Ids of the links of a cell, in order."""
        cell = row * len(self.column_names) + column
        first, last = np.searchsorted(self._cell, [cell, cell + 1])
        return self._link[first:last]

    @cached_property
    def row_max(self) -> Floats:
        """Worst of every row, nan for one without links, shape (R,)."""
        return _nanmax(self.value, axis=1)

    @cached_property
    def column_max(self) -> Floats:
        """Worst of every column, shape (C,)."""
        return _nanmax(self.value, axis=0)

    def is_down(self, row: int, column: int) -> bool:
        """Whether a cell has links and all of them are down."""
        return bool(self.total[row, column] and self.down[row, column] == self.total[row, column])

    def row_of(self, node: int) -> int | None:
        """The row that stands for a node; None where none does."""
        return _standing_for(self.row_members, node)

    def column_of(self, node: int) -> int | None:
        """The column that stands for a node; None where none does."""
        return _standing_for(self.column_members, node)

    def folded(self, most: int = 512) -> HeatMap:
        """At most ``most`` rows and columns: neighbours share one, which is their worst."""
        rows, columns = (-(-size // most) for size in self.shape)
        if rows <= 1 and columns <= 1:
            return self
        row_of = np.arange(self.shape[0]) // max(rows, 1)
        column_of = np.arange(self.shape[1]) // max(columns, 1)
        names = [_folded_names(self.row_names, row_of), _folded_names(self.column_names, column_of)]
        members = [_folded_members(self.row_members, row_of), _folded_members(self.column_members, column_of)]
        place = row_of[self._cell // self.shape[1]] * len(names[1]) + column_of[self._cell % self.shape[1]]
        value = np.full((len(names[0]), len(names[1])), -np.inf)
        total, down = np.zeros(value.shape, np.int64), np.zeros(value.shape, np.int64)
        target = np.ix_(row_of, column_of)
        np.maximum.at(value, (target[0], target[1]), np.where(np.isnan(self.value), -np.inf, self.value))
        np.add.at(total, (target[0], target[1]), self.total)
        np.add.at(down, (target[0], target[1]), self.down)
        order = np.argsort(place, kind="stable")
        return HeatMap(
            self.title, self.row_title, self.column_title, names[0], names[1],
            np.where(np.isneginf(value), np.nan, value), total, down, members[0], members[1],
            None if self.hottest is None else (int(row_of[self.hottest[0]]), int(column_of[self.hottest[1]])),
            self._link[order], place[order],
        )  # fmt: skip


def map_kinds(topology: Topology) -> tuple[str, ...]:
    """Maps that a network has: the overview, then its tiers between switches, the highest last."""
    known = _KINDS.get(topology)
    if known is None:
        between = topology.nodes.forwards[topology.links.src] & topology.nodes.forwards[topology.links.dst]
        codes = np.flatnonzero(np.bincount(topology.links.tier[between], minlength=len(topology.tiers))).tolist()
        known = _KINDS[topology] = (OVERVIEW, *(topology.tiers[code] for code in codes))
    return known


def shown_tiers(route: PhaseRoute) -> tuple[str, ...]:
    """Tiers that are worth a map: those between switches, and access where it is over capacity and fullest of all."""
    between = map_kinds(route.topology)[1:]
    access = [load for load in route.tiers if load.tier not in between and is_over(load.max)]
    most = max((load.max for load in route.tiers if load.tier in between), default=0.0)
    return (*between, *dict.fromkeys(load.tier for load in access if load.max > most * (1 + SAME)))


def hottest_tier(route: PhaseRoute) -> str:
    """The tier with the hottest link, the first of equals, as ``shown_tiers``; empty where there is none."""
    kinds = shown_tiers(route)
    peaks = [max((load.max for load in route.tiers if load.tier == kind), default=0.0) for kind in kinds]
    return kinds[highest(np.array(peaks))] if kinds else ""


def heat_map(topology: Topology, utilisation: Floats, kind: str = OVERVIEW, direction: Direction = "up") -> HeatMap:
    """A heat map of a network.

    Parameters
    ----------
    utilisation : ndarray, shape (L,)
        Offered over capacity of every directed link.
    kind : str
        ``overview`` (units or pods by rails, leaves or roles), or a tier (its lower switches by its upper ones).
    direction : {"up", "down"}
        Links away from the hosts, or towards them. Between switches of one level ``up`` is towards the higher id.

    Raises
    ------
    KeyError
        When the network has no such map.
    """
    if kind == OVERVIEW:
        return _overview(topology, utilisation, direction)
    if kind not in topology.tiers:
        raise KeyError(kind)
    return _tier(topology, utilisation, kind, direction)


def rising(topology: Topology) -> Bools:
    """Whether a link goes up, shape (L,); between switches of one level, towards the higher id."""
    links, direction = topology.links, topology.direction
    return np.asarray(np.where(direction == 0, links.dst > links.src, direction > 0))


def _tier(topology: Topology, utilisation: Floats, tier: str, direction: Direction) -> HeatMap:
    links = topology.links
    upward = rising(topology)
    chosen = np.flatnonzero((links.tier == topology.tiers.index(tier)) & (upward == (direction == "up")))
    lower = np.where(upward[chosen], links.src[chosen], links.dst[chosen])
    upper = np.where(upward[chosen], links.dst[chosen], links.src[chosen])
    rows, row = np.unique(lower, return_inverse=True)
    columns, column = np.unique(upper, return_inverse=True)
    names = topology.nodes.name
    ends = [_roles(topology, rows), _roles(topology, columns)]
    return _assembled(
        topology,
        utilisation,
        f"{ends[0]} → {ends[1]}" if direction == "up" else f"{ends[1]} → {ends[0]}",
        (ends[0], ends[1]),
        (tuple(names[node] for node in rows.tolist()), tuple(names[node] for node in columns.tolist())),
        (tuple(rows[i : i + 1] for i in range(len(rows))), tuple(columns[i : i + 1] for i in range(len(columns)))),
        (chosen, row, column),
    )


def _roles(topology: Topology, nodes: Ints) -> str:
    codes = list(dict.fromkeys(topology.nodes.role[nodes].tolist()))
    return "/".join(topology.roles[code] for code in codes) or "-"


def _overview(topology: Topology, utilisation: Floats, direction: Direction) -> HeatMap:
    """Leaf up-links by place: units by rails, pods by leaves, or leaves by the roles above them."""
    links, nodes = topology.links, topology.nodes
    upward = rising(topology)
    between = nodes.forwards[links.src] & nodes.forwards[links.dst]
    chosen = np.flatnonzero(between & (upward == (direction == "up")))
    lower = np.where(upward[chosen], links.src[chosen], links.dst[chosen])
    upper = np.where(upward[chosen], links.dst[chosen], links.src[chosen])
    lowest = nodes.level[lower].min(initial=np.iinfo(np.int32).max)
    for family, word in ((nodes.unit, "unit"), (nodes.pod, "pod")):
        inside = family[lower] >= 0
        if inside.any():
            keep = inside & (nodes.level[lower] == lowest)
            chosen, lower = chosen[keep], lower[keep]
            rows, row = np.unique(family[lower], return_inverse=True)
            place, column_word = _column_of(topology, lower, word)
            columns, column = np.unique(place, return_inverse=True)
            short = {"unit": "SU", "pod": "pod"}[word]
            return _assembled(
                topology, utilisation, f"{word} × {column_word}, {_roles(topology, lower)} {direction}-links",
                (word, column_word),
                (tuple(f"{short}{value}" for value in rows.tolist()), tuple(str(value) for value in columns.tolist())),
                (_members(lower, row, len(rows)), _members(lower, column, len(columns))),
                (chosen, row, column),
            )  # fmt: skip
    rows, row = np.unique(lower, return_inverse=True)
    columns, column = np.unique(nodes.role[upper], return_inverse=True)
    return _assembled(
        topology, utilisation, f"{_roles(topology, rows)} × role above, {direction}-links", ("switch", "to"),
        (tuple(nodes.name[node] for node in rows.tolist()), tuple(topology.roles[code] for code in columns.tolist())),
        (tuple(rows[i : i + 1] for i in range(len(rows))), _members(upper, column, len(columns))),
        (chosen, row, column),
    )  # fmt: skip


def _column_of(topology: Topology, lower: Ints, word: str) -> tuple[Longs, str]:
    """Column of every link in the overview: the rail of its switch, or the switch's place in its unit or pod."""
    nodes = topology.nodes
    if (nodes.rail[lower] >= 0).all():
        return nodes.rail[lower].astype(np.int64), "rail"
    family = nodes.unit if word == "unit" else nodes.pod
    switches = np.unique(lower)
    rank = np.zeros(len(nodes), np.int64)
    seen: dict[int, int] = {}
    for node in switches.tolist():
        place = int(family[node])
        rank[node] = seen.get(place, 0)
        seen[place] = rank[node] + 1
    return rank[lower], _roles(topology, switches)


def _members(nodes: Ints, group: Longs, count: int) -> tuple[Ints, ...]:
    order = np.argsort(group, kind="stable")
    start = np.searchsorted(group[order], np.arange(count + 1))
    return tuple(np.unique(nodes[order[start[i] : start[i + 1]]]) for i in range(count))


def _assembled(
    topology: Topology,
    utilisation: Floats,
    title: str,
    titles: tuple[str, str],
    names: tuple[tuple[str, ...], tuple[str, ...]],
    members: tuple[tuple[Ints, ...], tuple[Ints, ...]],
    cells: tuple[Longs, Longs, Longs],
) -> HeatMap:
    """The matrix of links by (row, column); where it is large, neighbours share a row or column, as in ``folded``."""
    chosen, row, column = cells
    if len(names[0]) * len(names[1]) > _MOST_CELLS:
        groups = [np.arange(len(side)) // -(-len(side) // _SIDE) for side in names]
        names = (_folded_names(names[0], groups[0]), _folded_names(names[1], groups[1]))
        members = (_folded_members(members[0], groups[0]), _folded_members(members[1], groups[1]))
        row, column = groups[0][row], groups[1][column]
    size = (len(names[0]), len(names[1]))
    cell = row * max(size[1], 1) + column
    live = topology.up[chosen]
    value = np.full(size[0] * size[1], -np.inf)
    offered = live | (utilisation[chosen] > 0)
    np.maximum.at(value, cell[offered], utilisation[chosen][offered])
    hottest = int(cell[offered][highest(utilisation[chosen][offered])]) if offered.any() else None
    total = np.bincount(cell, minlength=value.size)
    down = np.bincount(cell[~live], minlength=value.size)
    order = np.argsort(cell, kind="stable")
    value = np.where(np.isneginf(value), np.nan, value)
    return HeatMap(
        title, titles[0], titles[1], names[0], names[1], value.reshape(size), total.reshape(size), down.reshape(size),
        members[0], members[1], None if hottest is None else divmod(hottest, size[1]), chosen[order], cell[order],
    )  # fmt: skip


def _nanmax(value: Floats, *, axis: int) -> Floats:
    highest = np.where(np.isnan(value), -np.inf, value).max(axis=axis, initial=-np.inf)
    return np.where(np.isneginf(highest), np.nan, highest)


def _folded_names(names: Sequence[str], group: Longs) -> tuple[str, ...]:
    found: list[str] = []
    for start in np.flatnonzero(np.r_[True, np.diff(group) > 0]).tolist() if len(group) else []:
        last = int(np.searchsorted(group, group[start], side="right")) - 1
        found.append(names[start] if last == start else f"{names[start]}…{names[last]}")
    return tuple(found)


def _folded_members(members: Sequence[Ints], group: Longs) -> tuple[Ints, ...]:
    if not members:
        return ()
    bounds = np.searchsorted(group, np.arange(int(group[-1]) + 2)).tolist()
    return tuple(np.concatenate(members[first:last]) for first, last in pairwise(bounds))


def _standing_for(members: Sequence[Ints], node: int) -> int | None:
    return next((at for at, nodes in enumerate(members) if node in nodes), None)


def worst_row_table(row_title: str, names: Sequence[str], worst: Mapping[str, Sequence[float]]) -> Table:
    """The worst cell of every row of a map, a column per phase."""
    columns = [named("row", row_title, list(names), width=16), *(ratios(name, name, worst[name]) for name in worst)]
    return Table.of(columns, len(names), title="worst cell of every row")
