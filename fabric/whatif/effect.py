"""What changes did: the figures of two results side by side, and the links whose load changed most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fabric.evaluation.limits import limit_text
from fabric.result import LimitVerdict, PhaseRoute, RouteResult
from fabric.routing.utilisation import SAME, descending
from topologies.units import format_seconds, percent, points

Kind = Literal["load", "time", "limit"]


@dataclass(frozen=True)
class EffectRow:
    """One figure before and now: a load, a time of a job, or what a limit measures.

    ``base`` and ``now`` are None where there is no figure (a phase that cannot finish); ``unit`` is ``ratio``, ``s`` or
    empty for counts. ``limit`` is what is allowed, ``ok`` whether ``now`` keeps it, None without a limit.
    """

    kind: Kind
    metric: str
    base: float | None
    now: float | None
    unit: str
    limit: float | None = None
    ok: bool | None = None
    was_ok: bool | None = None

    @property
    def change(self) -> float | None:
        """Now less base."""
        return None if self.base is None or self.now is None else self.now - self.base

    @property
    def mirrored(self) -> EffectRow:
        """The same figure with the sides exchanged."""
        return EffectRow(
            self.kind, self.metric, self.now, self.base, self.unit, self.limit, ok=self.was_ok, was_ok=self.ok
        )

    @property
    def is_equal(self) -> bool:
        """Whether nothing changed, to nine digits."""
        if self.base is None or self.now is None:
            return self.base is self.now
        return bool(np.isclose(self.base, self.now, rtol=SAME, atol=1e-12)) or self.base == self.now

    @property
    def texts(self) -> tuple[str, str, str, str, str]:
        """Base, now, difference, allowed, verdict."""
        change = self.change
        if self.is_equal:
            delta = "="
        elif change is None:
            delta = "lost" if self.now is None else "regained"
        elif self.unit == "ratio":
            delta = points(change)
        elif self.unit == "s":
            delta = ("+" if change > 0 else "-") + format_seconds(abs(change))
        else:
            delta = f"{change:+,.0f}"
        words = {True: "ok", False: "FAIL", None: ""}[self.ok]
        allowed = "" if self.limit is None else limit_text(self.limit, self.unit)
        return self._text(self.base), self._text(self.now), delta, allowed, words

    def _text(self, value: float | None) -> str:
        if value is None:
            return "-"
        if self.unit == "ratio":
            return percent(value)
        return format_seconds(value) if self.unit == "s" else f"{value:,.0f}"


def effect(base: RouteResult, now: RouteResult) -> tuple[EffectRow, ...]:
    """Figures of both results: per fabric the worst load, links over and pairs cut; times of jobs; limits."""
    rows: list[EffectRow] = []
    fabrics = dict.fromkeys([*(entry.fabric for entry in base.routes), *(entry.fabric for entry in now.routes)])
    for fabric in fabrics:
        old, new = (_of_fabric(result, fabric) for result in (base, now))
        rows.append(EffectRow("load", f"{fabric}: max offered", old[0], new[0], "ratio"))
        rows.append(EffectRow("load", f"{fabric}: links over capacity", old[1], new[1], ""))
        rows.append(EffectRow("load", f"{fabric}: unreachable pairs", old[2], new[2], ""))
    jobs = {job.id: job for job in now.jobs}
    for job in base.jobs:
        other = jobs.get(job.id)
        if job.step_time_ideal_s is not None or (other is not None and other.step_time_ideal_s is not None):
            step_s = other.step_time_s if other else None
            rows.append(EffectRow("time", f"{job.id}: step time", job.step_time_s, step_s, "s"))
        for phase in job.phases:
            found = next((one for one in other.phases if one.name == phase.name), None) if other else None
            if phase.fabric is not None and phase.ideal_s > 0:
                after = found.predicted_s if found else None
                rows.append(EffectRow("time", f"{job.id}: {phase.name}", phase.predicted_s, after, "s"))
    return (*rows, *_limits(base, now))


def _of_fabric(result: RouteResult, fabric: str) -> tuple[float | None, float | None, float | None]:
    mine = [entry for entry in result.routes if entry.fabric == fabric]
    if not mine:
        return None, None, None
    return (
        max(entry.max_utilisation for entry in mine),
        float(max(entry.links_over_capacity for entry in mine)),
        float(sum(entry.unreachable_pairs for entry in mine)),
    )


def _limits(base: RouteResult, now: RouteResult) -> list[EffectRow]:
    before: dict[str, LimitVerdict] = {limit.id: limit for limit in base.limits}
    rows = []
    for limit in now.limits:
        old = before.get(limit.id)
        unit = limit.unit if limit.unit in ("ratio", "s") else ""
        was, was_ok = (old.value, old.ok) if old is not None else (None, None)
        rows.append(EffectRow("limit", limit.text, was, limit.value, unit, limit.max, limit.ok, was_ok))
    return rows


@dataclass(frozen=True)
class LinkChange:
    """A link before and now; None where it is not there or down without load."""

    link: str
    base: float | None
    now: float | None
    base_gbps: float
    now_gbps: float

    @property
    def change(self) -> float:
        """Utilisation now less before; a link that is gone counts as idle."""
        return (self.now or 0.0) - (self.base or 0.0)


def changed_links(base: PhaseRoute, now: PhaseRoute, most: int = 200) -> tuple[LinkChange, ...]:
    """Links of one phase whose utilisation changed most, largest change first; by name where the networks differ."""
    one, other = base.topology, now.topology
    same = len(one.links) == len(other.links) and one.nodes.name == other.nodes.name
    if same and np.array_equal(one.links.src, other.links.src) and np.array_equal(one.links.dst, other.links.dst):
        before, after = _plain(base), _plain(now)
        change = np.abs(after - before)
        order = descending(change)[:most]
        order = order[change[order] > SAME]
        gbps = base.link_gbps.sum(axis=1), now.link_gbps.sum(axis=1)
        return tuple(
            LinkChange(
                one.link_name(link),
                float(base.utilisation[link]) if one.up[link] else None,
                float(now.utilisation[link]) if other.up[link] else None,
                float(gbps[0][link]),
                float(gbps[1][link]),
            )
            for link in order.tolist()
        )
    return _by_name(base, now, most)


def _plain(entry: PhaseRoute) -> np.ndarray:
    """Utilisation with large numbers for infinity, so that differences are numbers."""
    return np.where(np.isinf(entry.utilisation), 1e9, entry.utilisation)


def _by_name(base: PhaseRoute, now: PhaseRoute, most: int) -> tuple[LinkChange, ...]:
    sides = []
    for entry in (base, now):
        load = entry.link_gbps.sum(axis=1)
        names = [entry.topology.link_name(link) for link in range(len(load))]
        sides.append({name: (float(entry.utilisation[at]), float(load[at])) for at, name in enumerate(names)})
    found = []
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        before, after = sides[0].get(name), sides[1].get(name)
        change = LinkChange(
            name,
            before[0] if before else None,
            after[0] if after else None,
            before[1] if before else 0.0,
            after[1] if after else 0.0,
        )
        if abs(change.change) > SAME:
            found.append(change)
    order = descending(np.array([abs(change.change) for change in found]))
    return tuple(found[at] for at in order[:most].tolist())
