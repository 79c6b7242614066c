"""What differs between two results: network, loads, times, flows, and the keys of the scenario.

Everything is matched by name: fabrics, phases, tiers, links, jobs, limits. A row of which one side has nothing was
gained or lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fabric.bill.count import bill_of
from fabric.pipeline.run import Run
from fabric.result import Band, PhaseRoute, RouteResult
from fabric.whatif.effect import EffectRow, LinkChange, changed_links, effect
from fabric.whatif.noise import ChangeBand, change_band
from topologies.summary import summarise
from topologies.topology import Topology

Subject = Literal["topology", "load", "time", "cost", "flows", "failures"]
SUBJECTS: tuple[Subject, ...] = ("topology", "load", "time", "cost", "flows", "failures")


@dataclass(frozen=True)
class Row:
    """One figure of both sides; None where a side has none."""

    subject: Subject
    what: str
    a: float | None
    b: float | None
    unit: str  # ratio, s, Gbps, GPU-h, US$, W, m or empty for counts
    a_ok: bool | None = None
    b_ok: bool | None = None
    limit: float | None = None
    a_draws: Band | None = None
    b_draws: Band | None = None

    @property
    def band(self) -> ChangeBand | None:
        """Of the change, over draws of the hash; None where neither side was drawn."""
        return change_band(self.a, self.b, self.a_draws, self.b_draws)

    @property
    def is_noise(self) -> bool:
        """Whether another draw of the hash may well turn the change round."""
        change, band = self.change, self.band
        return change is not None and band is not None and band.is_noise(change)

    @property
    def change(self) -> float | None:
        """B less A."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def relative(self) -> float | None:
        """Change over A; None where A is nothing."""
        return None if self.change is None or not self.a else self.change / abs(self.a)

    def differs(self, tolerance: float) -> bool:
        """Whether the sides differ by more than ``tolerance`` of the larger one."""
        if self.a_ok is not self.b_ok:
            return True
        if self.a is None or self.b is None:
            return self.a is not self.b
        return abs(self.b - self.a) > tolerance * max(abs(self.a), abs(self.b)) + 1e-12


@dataclass(frozen=True)
class Comparison:
    """All rows, those that differ most first in every subject; links by phase; names only one side has."""

    rows: tuple[Row, ...]
    links: tuple[tuple[str, str, LinkChange], ...]  # fabric, phase, change
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    keys: tuple[tuple[str, Any, Any], ...]  # of the scenario, that differ
    idle: tuple[bool, bool] = (False, False)  # whether A and B send nothing

    def differs(self, tolerance: float = 0.0) -> bool:
        """Whether anything differs."""
        return bool(self.gained or self.lost) or any(row.differs(tolerance) for row in self.rows)


def compare(a: Run, b: Run, *, most: int = 20) -> Comparison:
    """Compare two results; ``most`` links per phase."""
    topologies = _topologies(a), _topologies(b)
    rows = [*_topology(*topologies), *_bills(a, b), *_loads(a.result, b.result), *_times(a.result, b.result)]
    gained, lost = _names(*topologies)
    order = {subject: at for at, subject in enumerate(SUBJECTS)}
    rows.sort(key=lambda row: (order[row.subject], not row.differs(0), -_weight(row)))
    return Comparison(
        tuple(rows),
        tuple(_links(a.result, b.result, most)),
        gained,
        lost,
        tuple(_keys(a, b)),
        (not a.result.routes, not b.result.routes),
    )


def _weight(row: Row) -> float:
    """How much a row differs; gained and lost rows most of all."""
    if row.a is None or row.b is None:
        return float("inf")
    larger = max(abs(row.a), abs(row.b))
    return abs(row.b - row.a) / larger if larger else 0.0


def _topologies(run: Run) -> dict[str, Topology]:
    """The fabrics as they were routed; those that carry nothing as they are built."""
    routed = {entry.fabric: entry.topology for entry in run.result.routes}
    fabrics = list(run.loaded.scenario.fabrics)
    if set(fabrics) <= set(routed):
        return routed
    return {name: routed.get(name) or run.network.topologies[name] for name in fabrics}


def _topology(one: dict[str, Topology], other: dict[str, Topology]) -> Iterator[Row]:
    for fabric in dict.fromkeys([*one, *other]):
        sides = [_figures(topologies[fabric]) if fabric in topologies else {} for topologies in (one, other)]
        for subject, what, unit in dict.fromkeys([*sides[0], *sides[1]]):
            key = (subject, what, unit)
            yield Row(subject, f"{fabric}: {what}", sides[0].get(key), sides[1].get(key), unit)


def _figures(topology: Topology) -> dict[tuple[Subject, str, str], float]:
    found: dict[tuple[Subject, str, str], float] = {}
    summary = summarise(topology)
    for role, count in summary.nodes_by_role.items():
        found["topology", f"{role} nodes", ""] = count
        is_switch = topology.is_switch & (topology.nodes.role == topology.roles.index(role))
        if is_switch.any():
            found["cost", f"{role} switches to buy", ""] = int(is_switch.sum())
    for tier, count in summary.cables_by_tier.items():
        found["topology", f"{tier} cables", ""] = count
        found["cost", f"{tier} cables to buy", ""] = count
        found["topology", f"{tier} capacity one way", "Gbps"] = summary.capacity_gbps_by_tier[tier]
    found["topology", "cables down", ""] = int((~topology.up & topology.is_cable).sum())
    return found


def _bills(a: Run, b: Run) -> Iterator[Row]:
    """What both sides cost, draw and weigh; nothing where neither has the figure."""
    sides = [_bill_figures(run) for run in (a, b)]
    for what, unit in dict.fromkeys([*sides[0], *sides[1]]):
        yield Row("cost", what, sides[0].get((what, unit)), sides[1].get((what, unit)), unit)


def _bill_figures(run: Run) -> dict[tuple[str, str], float]:
    """Sums that are whole: one without the figure of something compares with nothing."""
    bill = bill_of(run.loaded, run.network.topologies)
    rows = [row for row in bill.rows if row.item not in ("nic", "node")]
    figures: dict[tuple[str, str], float | None] = {
        ("price of switches, optics and cables", "US$"): _whole([row.cost_usd for row in rows]),
        ("largest power of them", "W"): _whole(
            [row.max_power_w for row in rows if row.item != "cable" or row.max_w is not None]
        ),
        ("cable length", "m"): bill.totals.cable_m or None,
    }
    return {key: value for key, value in figures.items() if value is not None}


def _whole(values: list[float | None]) -> float | None:
    """The sum, where nothing is missing."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _loads(a: RouteResult, b: RouteResult) -> Iterator[Row]:
    entries = [{(entry.fabric, entry.phase): entry for entry in result.routes} for result in (a, b)]
    for key in dict.fromkeys([*entries[0], *entries[1]]):
        one, other = (side.get(key) for side in entries)
        name = f"{key[0]} {key[1]}"
        drawn = [None if entry is None else entry.draws for entry in (one, other)]
        peak, over = (
            [None if draws is None else getattr(draws, figure) for draws in drawn]
            for figure in ("max_utilisation", "links_over_capacity")
        )
        yield Row("load", f"{name}: max offered", *_pair(one, other, _max), "ratio", a_draws=peak[0], b_draws=peak[1])
        yield Row(
            "load", f"{name}: links over capacity", *_pair(one, other, _over), "", a_draws=over[0], b_draws=over[1]
        )
        yield Row("load", f"{name}: unreachable pairs", *_pair(one, other, _cut), "")
        yield Row("load", f"{name}: best possible", *_pair(one, other, _best), "ratio")
        tiers = [{(t.tier, t.direction): t for t in entry.tiers} if entry else {} for entry in (one, other)]
        means = [_means(entry) if entry else {} for entry in (one, other)]
        for tier in dict.fromkeys([*tiers[0], *tiers[1]]):
            words = f"{name}: {tier[0]} {tier[1]}"
            left, right = (side.get(tier) for side in tiers)
            yield Row("load", f"{words} max", left.max if left else None, right.max if right else None, "ratio")
            yield Row("load", f"{words} mean", means[0].get(tier), means[1].get(tier), "ratio")
        for tier_name in dict.fromkeys([*(t for t, _ in means[0]), *(t for t, _ in means[1])]):
            crossing = [_crossing(entry, tier_name) if entry else None for entry in (one, other)]
            yield Row("flows", f"{name}: load crossing {tier_name}, both ways", crossing[0], crossing[1], "Gbps")


def _pair(one: PhaseRoute | None, other: PhaseRoute | None, figure: Any) -> tuple[float | None, float | None]:
    return (None if one is None else figure(one)), (None if other is None else figure(other))


def _max(entry: PhaseRoute) -> float:
    return entry.max_utilisation


def _over(entry: PhaseRoute) -> float:
    return float(entry.links_over_capacity)


def _cut(entry: PhaseRoute) -> float:
    return float(entry.unreachable_pairs)


def _best(entry: PhaseRoute) -> float:
    return entry.best_possible.lower_bound


def _means(entry: PhaseRoute) -> dict[tuple[str, str], float]:
    topology = entry.topology
    found = {}
    for code, tier in enumerate(topology.tiers):
        for direction, sign in (("up", 1), ("down", -1), ("both", 0)):
            mine = (topology.links.tier == code) & (topology.direction == sign) & topology.up
            if mine.any():
                found[tier, direction] = float(entry.utilisation[mine].mean())
    return found


def _crossing(entry: PhaseRoute, tier: str) -> float | None:
    topology = entry.topology
    if tier not in topology.tiers:
        return None
    return float(entry.link_gbps[topology.links.tier == topology.tiers.index(tier)].sum())


def _times(a: RouteResult, b: RouteResult) -> Iterator[Row]:
    """Rows of ``effect`` that are times or limits, without those of the loads above; jobs of B alone as well."""
    rows = {(row.kind, row.metric): row for row in effect(a, b)}
    for row in effect(b, a):
        rows.setdefault((row.kind, row.metric), row.mirrored)
    for row in rows.values():
        if row.kind == "limit":
            yield figure_row(row, "time", f"limit: {row.metric}")
        elif row.kind == "time":
            yield figure_row(row, "time", row.metric)


def figure_row(row: EffectRow, subject: Subject, what: str) -> Row:
    """What changes did to one figure, as a row of a comparison."""
    return Row(subject, what, row.base, row.now, row.unit, row.was_ok, row.ok, row.limit, row.base_draws, row.now_draws)


def _names(a: dict[str, Topology], b: dict[str, Topology]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Nodes and cables that only B has, and only A."""
    sides = []
    for topologies in (a, b):
        found: dict[str, None] = {}
        for fabric, topology in topologies.items():
            found |= {f"{fabric}: {name}": None for name in topology.nodes.name}
            cables = np.flatnonzero(topology.is_cable).tolist()
            found |= {f"{fabric}: {topology.link_name(link)}": None for link in cables}
        sides.append(found)
    gained = tuple(name for name in sides[1] if name not in sides[0])
    return gained, tuple(name for name in sides[0] if name not in sides[1])


def _links(a: RouteResult, b: RouteResult, most: int) -> Iterator[tuple[str, str, LinkChange]]:
    others = {(entry.fabric, entry.phase): entry for entry in b.routes}
    for entry in a.routes:
        other = others.get((entry.fabric, entry.phase))
        if other is not None:
            for change in changed_links(entry, other, most):
                yield entry.fabric, entry.phase, change


def _keys(a: Run, b: Run) -> Iterator[tuple[str, Any, Any]]:
    """Keys of the scenarios and of what was asked that differ."""
    sides = []
    for run in (a, b):
        flat = dict(_flat(run.loaded.tree.plain(), ""))
        asked = run.request
        flat |= {"--down": " ".join(asked.down), "--up": " ".join(asked.up), "--router": asked.router or ""}
        flat |= {"--slow": " ".join(asked.slow), "--scale": asked.scale}
        sides.append(flat)
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        if sides[0].get(key) != sides[1].get(key) and key not in ("name", "description"):
            yield key, sides[0].get(key), sides[1].get(key)


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _flat(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(entry, dict | list) for entry in value):
        for at, entry in enumerate(value):
            name = next(
                (str(entry[key]) for key in ("id", "group", "name") if isinstance(entry, dict) and key in entry), at
            )
            yield from _flat(entry, f"{path}.{name}")
    else:
        yield path, value
