"""Links with their load: the hottest with what loads them, and all of a phase, in one set of columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal

import numpy as np

from fabric.evaluation.hottest import all_by_heat, hottest_links, link_shares, port_name
from fabric.faces.views.row_kinds import LINKS
from fabric.output.columns import counts, loads, named, rates, ratio_text, ratios, speeds
from fabric.output.table import Column, Mark, Table
from fabric.result import HotLink, LinkGroup, PhaseRoute
from fabric.routing.utilisation import is_over
from topologies.columns import Bools, Floats
from topologies.topology import Topology

Metric = Literal["offered", "carried"]
METRICS: tuple[Metric, ...] = ("offered", "carried")
FOLDED_SHOWN = (
    "links", "utilisation", "p5", "p95", "offered_gbps", "capacity_gbps", "cause", "example", "phase", "fabric",
)  # fmt: skip
HOTTEST_SHOWN = LINKS.shown
_SCREEN = (
    "link", "utilisation", "p5", "p95", "offered_gbps", "carried_gbps", "capacity_gbps", "tier", "direction", "state",
    "a", "a_port", "b",
)  # fmt: skip
_CAUSES = 2  # named per link; the rest is counted


def metric_values(entry: PhaseRoute, metric: Metric) -> Floats:
    """Per link, shape (L,): offered over capacity, or what the link carries over capacity, which is at most 1."""
    return entry.utilisation if metric == "offered" else np.minimum(entry.utilisation, 1.0)


def links_of_part(topology: Topology, kind: str, name: str, number: int = -1) -> Bools:
    """Which links belong to a part of a network, shape (L,): those of a tier, or at an end of its nodes.

    Parameters
    ----------
    kind : str
        ``tier``, ``unit``, ``pod``, ``switch`` or ``host``; nothing belongs to another kind.
    name, number
        Of the part; units and pods go by their number.
    """
    links, nodes = topology.links, topology.nodes
    inside = np.zeros(len(nodes), np.bool_)
    if kind == "tier" and name in topology.tiers:
        return np.asarray(links.tier == topology.tiers.index(name))
    if kind in ("unit", "pod") and number >= 0:
        inside = np.asarray((nodes.unit if kind == "unit" else nodes.pod) == number)
    elif kind in ("switch", "host") and topology.has_node(name):
        inside[topology.node(name)] = True
    return np.asarray(inside[links.src] | inside[links.dst])


def link_mark(utilisation: float | None) -> Mark:
    """Bad where a link is offered more than it carries; None is load on a link without capacity.

    >>> link_mark(1.0), link_mark(1.5), link_mark(None)
    ('', 'bad', 'bad')
    """
    return "bad" if is_over(utilisation) else ""


def _columns(values: dict[str, Any], metric: Metric) -> list[Column]:
    """The columns of links that there are values for."""
    layout: dict[str, tuple[Any, str, dict[str, Any]]] = {
        "fabric": (named, "fabric", {"width": 8, "priority": 9}),
        "phase": (named, "phase", {"width": 16, "priority": 8}),
        "link": (named, "link", {"width": 24}),
        "a": (named, "from", {"width": 16, "priority": 7}),
        "a_port": (named, "port", {"width": 8, "priority": 6}),
        "b": (named, "to", {"width": 16, "priority": 7}),
        "b_port": (named, "port there", {"width": 10, "priority": 7}),
        "tier": (named, "tier", {"width": 12, "priority": 2}),
        "capacity_gbps": (speeds, "of Gb/s", {"priority": 3}),
        "offered_gbps": (rates, "Gb/s", {"priority": 2}),
        "carried_gbps": (rates, "carried Gb/s", {"width": 12, "priority": 4}),
        "utilisation": (loads, metric, {}),
        "p5": (ratios, "p5", {"priority": 3}),
        "p95": (ratios, "p95", {"priority": 3}),
        "shares": (named, "shares", {"priority": 9, "text": _causes}),
        "cause": (named, "cause", {"width": 16, "priority": 1, "flexible": True}),
        "ports": (named, "ports", {"width": 16, "priority": 6}),
        "direction": (named, "way", {"width": 5, "priority": 3}),
        "state": (named, "state", {"width": 5, "priority": 5}),
    }
    return [
        make(name, header, values[name], **kwargs) for name, (make, header, kwargs) in layout.items() if name in values
    ]


def hot_link_table(links: Sequence[HotLink]) -> Table:
    """Links in the order given, with what loads them; ``shares`` has all of it, ``cause`` the largest in words."""
    shares = [[asdict(share) for share in link.shares] for link in links]
    values: dict[str, Any] = {name: [getattr(link, name) for link in links] for name in LINKS.columns[:-1]}
    values |= {
        "shares": shares,
        "cause": [_causes(each) for each in shares],
        "ports": [f"{link.a_port} → {link.b_port}" for link in links],
        "p5": [link.p5 for link in links],
        "p95": [link.p95 for link in links],
    }
    marks = [link_mark(link.utilisation) for link in links]
    return Table.of(_columns(values, "offered"), len(links), title="hottest links", marks=marks)


def folded_link_table(groups: Sequence[LinkGroup]) -> Table:
    """The hottest links, those of equal load, tier, direction and cause as one row with an example."""
    table = hot_link_table([group.example for group in groups])
    columns = (
        named("links", "links", [group.name for group in groups], width=24),
        counts("count", "links", [group.count for group in groups], priority=9),
        named(
            "example", "for example", [group.example.link if group.count > 1 else None for group in groups], width=24
        ),
        *table.columns,
    )
    folded = Table.of(columns, len(groups), title="hottest links, equal ones as one", marks=table.marks)
    folded = folded if any(group.count > 1 for group in groups) else folded.without("example").titled(table.title)
    return folded.without_empty("p5", "p95")


def _causes(shares: Sequence[dict[str, Any]]) -> str:
    """The largest shares of a link's load, in words."""
    shown = [f"{share['job']} {share['phase']} {ratio_text(share['share'], 0)}" for share in shares[:_CAUSES]]
    more = len(shares) - _CAUSES
    return ", ".join(shown) + (f", {more} more" if more > 0 else "")


def hottest_table(entry: PhaseRoute, count: int = 200) -> Table:
    """The hottest links of a phase with what loads them most."""
    table = hot_link_table(hottest_links(entry, count)).only(*HOTTEST_SHOWN)
    return table.without("phase", "fabric", *_without_bands([entry]))


class _LinkNames:
    """Names of links, made when asked for."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology

    def __getitem__(self, link: int) -> str:
        return self._topology.link_name(link)


class _NodeNames:
    """Names of the nodes at one end of links."""

    def __init__(self, topology: Topology, ends: Any) -> None:
        self._names, self._ends = topology.nodes.name, ends

    def __getitem__(self, link: int) -> str:
        return str(self._names[self._ends[link]])


class _Codes:
    """Texts by code per row."""

    def __init__(self, texts: tuple[str, ...], codes: Any) -> None:
        self._texts, self._codes = texts, codes

    def __getitem__(self, row: int) -> str:
        return str(self._texts[self._codes[row]])


class _Ports:
    """Port names at the source of links."""

    def __init__(self, topology: Topology) -> None:
        self._port = topology.src_port

    def __getitem__(self, link: int) -> str:
        return port_name(int(self._port[link]))


class _Marks:
    """Marks of links by their utilisation."""

    def __init__(self, utilisation: Floats) -> None:
        self._utilisation = utilisation

    def __getitem__(self, link: int) -> Mark:
        return link_mark(float(self._utilisation[link]))


def link_table(entry: PhaseRoute, metric: Metric = "offered") -> Table:
    """All directed links of the fabric in a phase, hottest first; nothing is made per row before it is looked at."""
    topology = entry.topology
    links = topology.links
    offered = entry.link_gbps.sum(axis=1)
    level = topology.nodes.level
    way = np.sign(level[links.dst] - level[links.src]) + 1
    values: dict[str, Any] = {
        "link": _LinkNames(topology),
        "a": _NodeNames(topology, links.src),
        "a_port": _Ports(topology),
        "b": _NodeNames(topology, links.dst),
        "tier": _Codes(topology.tiers, links.tier),
        "capacity_gbps": topology.capacity_gbps,
        "offered_gbps": offered,
        "carried_gbps": np.minimum(offered, topology.capacity_gbps),
        "utilisation": metric_values(entry, metric),
        "p5": _bands(entry, "p5"),
        "p95": _bands(entry, "p95"),
        "direction": _Codes(("down", "same", "up"), way),
        "state": _Codes(("down", "up"), topology.up.astype(np.int64)),
    }
    title = f"links of {entry.fabric} in {entry.phase}"
    table = Table.of(_columns(values, metric), len(links), title=title, marks=_Marks(entry.utilisation))
    return table.only(*_SCREEN).without(*_without_bands([entry])).sorted_by("utilisation", reverse=True)


def _bands(entry: PhaseRoute, name: Literal["p5", "p95"]) -> Floats:
    """What a link has in one draw of twenty less or more, shape (L,); nan where there is one draw at most."""
    bands = entry.link_bands
    return np.full(len(entry.topology.links), np.nan) if bands is None else np.asarray(getattr(bands, name))


def _without_bands(routes: Sequence[PhaseRoute]) -> tuple[str, ...]:
    """Columns of bands that are empty."""
    return () if any(entry.link_bands is not None for entry in routes) else ("p5", "p95")


# ---- all links of an answer ------------------------------------------------------------------------------------------


class _OfLinks:
    """Something of the link in every row, made when it is looked at; links of one name in several phases are alike."""

    def __init__(self, rows: _LinkRows, make: Callable[[PhaseRoute, int], Any]) -> None:
        self._rows, self._make = rows, make

    def __getitem__(self, row: int) -> Any:
        return self._make(self._rows.routes[self._rows.route[row]], int(self._rows.link[row]))


class _LinkRows:
    """Which link of which phase a row is; the fullest of the first phase come first."""

    def __init__(self, routes: Sequence[PhaseRoute]) -> None:
        orders = [all_by_heat(entry) for entry in routes]
        self.routes = routes
        self.link = np.concatenate([np.zeros(0, np.int64), *orders])
        self.route = np.repeat(np.arange(len(routes)), [len(order) for order in orders])

    def values(self, of_route: Callable[[PhaseRoute], Any]) -> Any:
        """An array over the rows from one over the links of every phase."""
        parts = [of_route(entry) for entry in self.routes]
        picked = [part[self.link[self.route == place]] for place, part in enumerate(parts)]
        return np.concatenate([np.zeros(0), *picked])

    def names(self, make: Callable[[PhaseRoute, int], Any]) -> _OfLinks:
        """A text or a list over the rows."""
        return _OfLinks(self, make)


def link_rows(routes: Sequence[PhaseRoute]) -> Table:
    """All directed links of phases, phase by phase, the fullest first, idle ones last.

    Rates are arrays; names and shares are made for the rows that are looked at, so that 400,000 links cost nothing
    until they are printed.
    """
    rows = _LinkRows(routes)
    shares = rows.names(lambda entry, link: [dict(vars(share)) for share in link_shares(entry, link)])
    offered = rows.values(lambda entry: entry.link_gbps.sum(axis=1))
    capacity = rows.values(lambda entry: entry.topology.capacity_gbps)
    utilisation = rows.values(lambda entry: entry.utilisation)
    values: dict[str, Any] = {
        "fabric": rows.names(lambda entry, _: entry.fabric),
        "phase": rows.names(lambda entry, _: entry.phase),
        "link": rows.names(lambda entry, link: entry.topology.link_name(link)),
        "a": rows.names(lambda entry, link: entry.topology.nodes.name[entry.topology.links.src[link]]),
        "a_port": rows.names(lambda entry, link: port_name(int(entry.topology.src_port[link]))),
        "b": rows.names(lambda entry, link: entry.topology.nodes.name[entry.topology.links.dst[link]]),
        "b_port": rows.names(_port_there),
        "tier": rows.names(lambda entry, link: entry.topology.tiers[entry.topology.links.tier[link]]),
        "capacity_gbps": capacity,
        "offered_gbps": offered,
        "carried_gbps": np.minimum(offered, capacity),
        "utilisation": utilisation,
        "p5": rows.values(lambda entry: _bands(entry, "p5")),
        "p95": rows.values(lambda entry: _bands(entry, "p95")),
        "shares": shares,
        "cause": _Causes(shares),
        "direction": rows.names(_direction),
        "state": rows.names(lambda entry, link: "up" if entry.topology.up[link] else "down"),
    }
    return Table.of(_columns(values, "offered"), len(rows.link), title="links", marks=_Marks(utilisation))


class _Causes:
    """The largest shares of every row, in words."""

    def __init__(self, shares: _OfLinks) -> None:
        self._shares = shares

    def __getitem__(self, row: int) -> str:
        return _causes(self._shares[row])


def _port_there(entry: PhaseRoute, link: int) -> str:
    back = int(entry.topology.links.reverse[link])
    return port_name(int(entry.topology.src_port[back])) if back >= 0 else ""


def _direction(entry: PhaseRoute, link: int) -> str:
    level, links = entry.topology.nodes.level, entry.topology.links
    return ("down", "same", "up")[int(np.sign(int(level[links.dst[link]]) - int(level[links.src[link]]))) + 1]
