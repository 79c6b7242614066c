"""What changes did: the figures of two results side by side, and the links whose load changed most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fabric.evaluation.phases import in_draw
from fabric.result import Band, JobPhase, LimitVerdict, PhaseRoute, RouteResult
from fabric.routing.utilisation import SAME, descending

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
    base_draws: Band | None = None
    now_draws: Band | None = None

    @property
    def change(self) -> float | None:
        """Now less base."""
        return None if self.base is None or self.now is None else self.now - self.base

    @property
    def mirrored(self) -> EffectRow:
        """The same figure with the sides exchanged."""
        return EffectRow(
            self.kind,
            self.metric,
            self.now,
            self.base,
            self.unit,
            self.limit,
            ok=self.was_ok,
            was_ok=self.ok,
            base_draws=self.now_draws,
            now_draws=self.base_draws,
        )

    @property
    def is_equal(self) -> bool:
        """Whether nothing changed, to nine digits."""
        if self.base is None or self.now is None:
            return self.base is self.now
        return bool(np.isclose(self.base, self.now, rtol=SAME, atol=1e-12)) or self.base == self.now


def effect(base: RouteResult, now: RouteResult) -> tuple[EffectRow, ...]:
    """Figures of both results: per fabric the worst load, links over and pairs cut; times of jobs; limits."""
    rows: list[EffectRow] = []
    fabrics = dict.fromkeys([*(entry.fabric for entry in base.routes), *(entry.fabric for entry in now.routes)])
    for fabric in fabrics:
        old, new = (fabric_figures(result, fabric) for result in (base, now))
        for (what, unit), (before, drawn), (after, drawn_anew) in zip(_FABRIC_FIGURES, old, new, strict=True):
            rows.append(
                EffectRow("load", f"{fabric}: {what}", before, after, unit, base_draws=drawn, now_draws=drawn_anew)
            )
    jobs = {job.id: job for job in now.jobs}
    for job in base.jobs:
        other = jobs.get(job.id)
        if job.step_time_ideal_s is not None or (other is not None and other.step_time_ideal_s is not None):
            step_s, drawn = (other.step_time_s, other.draws) if other else (None, None)
            rows.append(
                EffectRow(
                    "time", f"{job.id}: step time", job.step_time_s, step_s, "s", base_draws=job.draws, now_draws=drawn
                )
            )
        for phase in job.phases:
            found = next((one for one in other.phases if one.name == phase.name), None) if other else None
            if phase.fabric is not None and phase.ideal_s > 0:
                rows.append(_phase_row(f"{job.id}: {phase.name}", phase, found))
    return (*rows, *_limits(base, now))


_FABRIC_FIGURES = (("max offered", "ratio"), ("links over capacity", ""), ("unreachable pairs", ""))


def _phase_row(metric: str, phase: JobPhase, after: JobPhase | None) -> EffectRow:
    seconds, drawn = (after.predicted_s, after.draws) if after else (None, None)
    return EffectRow("time", metric, phase.predicted_s, seconds, "s", base_draws=phase.draws, now_draws=drawn)


def fabric_figures(result: RouteResult, fabric: str) -> list[tuple[float | None, Band | None]]:
    """Fullest link, links over capacity and pairs cut on a fabric, each with its draws of the hash."""
    mine = [entry for entry in result.routes if entry.fabric == fabric]
    if not mine:
        return [(None, None)] * len(_FABRIC_FIGURES)
    drawn = [entry.draws for entry in mine if entry.draws is not None]
    return [
        (max(entry.max_utilisation for entry in mine), _highest([draws.max_utilisation for draws in drawn])),
        (
            float(max(entry.links_over_capacity for entry in mine)),
            _highest([draws.links_over_capacity for draws in drawn]),
        ),
        (float(sum(entry.unreachable_pairs for entry in mine)), None),
    ]


def _highest(bands: Sequence[Band]) -> Band | None:
    """The highest of several figures in every draw."""
    return Band.of(map(max, zip(*(band.values for band in bands), strict=True))) if bands else None


def _limits(base: RouteResult, now: RouteResult) -> list[EffectRow]:
    before: dict[str, LimitVerdict] = {limit.id: limit for limit in base.limits}
    rows = []
    for limit in now.limits:
        old = before.get(limit.id)
        unit = limit.unit if limit.unit in ("ratio", "s") else ""
        was, was_ok, drawn = (old.value, old.ok, old.draws) if old is not None else (None, None, None)
        rows.append(
            EffectRow("limit", limit.text, was, limit.value, unit, limit.max, limit.ok, was_ok, drawn, limit.draws)
        )
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
    if base is now:
        return ()
    base, now = _in_one_draw(base, now)
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


def _in_one_draw(base: PhaseRoute, now: PhaseRoute) -> tuple[PhaseRoute, PhaseRoute]:
    """Both in one draw of the hash, as far as they can be drawn again: in two draws every link differs."""
    if base.draws is None or now.draws is None:
        return base, now
    drawn = in_draw(base, now.draws.shown_seed)
    if drawn.draws is not None and drawn.draws.shown_seed == now.draws.shown_seed:
        return drawn, now
    return base, in_draw(now, base.draws.shown_seed)


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
