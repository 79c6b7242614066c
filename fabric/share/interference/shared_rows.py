"""What jobs put on the links that several of them use: one column per job and phase, one row per kind of link.

A *column* is the traffic of one phase of one job, or of all its steady traffic, on one fabric; its value on a link is
the part of the capacity that it fills at full pace. Full pace of a phase is the pace of its ideal window, at which its
busiest endpoint sends or receives at line rate; of steady traffic it is the rate that is asked for.

A link is kept where at least two jobs meet and what they ask for in their fullest phases, each no faster than alone, is
more than the link carries: no other link can hold a job that has it to itself. Links of equal columns are one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fabric.evaluation.phases import nominal_gbps, usable_part
from fabric.result import PhaseRoute
from fabric.routing.utilisation import OVER
from fabric.share.interference.fair_pace import fair_paces
from topologies.columns import Floats, Longs
from topologies.errors import NoAnswerError, RoutingError

STEADY = ""  # name of the phase of a job's steady traffic among its columns


@dataclass(frozen=True, order=True)
class ColumnName:
    """Whose traffic a column is."""

    job: str
    fabric: str
    phase: str  # STEADY: all steady traffic of the job there


@dataclass(frozen=True)
class ColumnFigures:
    """What a column is by itself."""

    rise: float  # pace per unit of the common level: 1 / the part of its busiest NIC that it uses at full pace
    pace: float  # at most 1: what it reaches beside its own steady traffic alone
    link: str  # that holds it below 1; empty where none does
    packet_slowdown: float


@dataclass(frozen=True, eq=False)
class SharedRows:
    """Links on which jobs can hold each other.

    Attributes
    ----------
    columns : mapping of ColumnName to int
        Position of every column, of all jobs.
    figures : sequence of ColumnFigures
        By position.
    values : ndarray, shape (R, C)
        Part of a link's capacity that a column fills at full pace.
    links : sequence of str
        The first link of every row, with its fabric where there are several.
    count : ndarray, shape (R,)
        Links that a row stands for.
    met : mapping of (str, str) to int
        Links that two jobs both use, whether they can hold each other there or not; pairs that meet on none are absent.
    """

    columns: Mapping[ColumnName, int]
    figures: tuple[ColumnFigures, ...]
    values: Floats
    links: tuple[str, ...]
    count: Longs
    met: Mapping[tuple[str, str], int]
    crowded: Mapping[str, int]  # links of a job that any other uses


@dataclass(frozen=True, eq=False)
class _FabricColumns:
    """The columns of one fabric, all links."""

    fabric: str
    names: list[ColumnName]
    loads: list[Floats]  # shape (L,) each
    figures: list[ColumnFigures]
    routes: list[PhaseRoute]


def shared_rows(routes: Sequence[PhaseRoute], jobs: Sequence[str]) -> SharedRows:
    """Columns of all routed phases, and the links on which they can hold each other.

    Raises
    ------
    NoAnswerError
        Where demand has no path (FP9742): there is no step to compare with.
    RoutingError
        Where it is admitted in part (FP9743).
    """
    fabrics = list(dict.fromkeys(route.fabric for route in routes))
    parts = [_columns([route for route in routes if route.fabric == name], jobs) for name in fabrics]
    columns = {name: at for at, name in enumerate(name for part in parts for name in part.names)}
    figures = tuple(each for part in parts for each in part.figures)
    met: dict[tuple[str, str], int] = {}
    crowded = dict.fromkeys(jobs, 0)
    blocks, links, counts, first = [], [], [], 0
    for part in parts:
        rows, number, count = _kept(part, jobs, met, crowded)
        block = np.zeros((len(rows), len(columns)))
        block[:, first : first + len(part.names)] = rows
        first += len(part.names)
        blocks.append(block)
        counts.append(count)
        topology = part.routes[0].topology
        suffix = f" ({part.fabric})" if len(fabrics) > 1 else ""
        links += [topology.link_name(int(link)) + suffix for link in number]
    values = np.concatenate(blocks) if blocks else np.zeros((0, 0))
    count = np.concatenate(counts) if counts else np.zeros(0, np.int64)
    return SharedRows(columns, figures, values, tuple(links), count, met, crowded)


def _columns(routes: list[PhaseRoute], jobs: Sequence[str]) -> _FabricColumns:
    """The columns of one fabric."""
    found = _FabricColumns(routes[0].fabric, [], [], [], routes)
    steady: dict[str, tuple[Floats, float]] = {}
    for job in jobs:
        for route in routes:
            mine = [code for code, entry in enumerate(route.classes) if entry.job == job and entry.steady]
            if mine and job not in steady:  # on the wire in every phase, the same each time
                steady[job] = _load(route, mine), _nic_part(route, mine)
                _add(found, ColumnName(job, route.fabric, STEADY), route, *steady[job], steady[job][0])
    for route in routes:
        _check(route)
        for job in jobs:
            mine = [code for code, entry in enumerate(route.classes) if entry.job == job and not entry.steady]
            if mine:
                load = _load(route, mine)
                own, own_part = steady.get(job, (np.zeros_like(load), 0.0))
                _add(found, ColumnName(job, route.fabric, route.phase), route, load, 1.0, own, own_part)
    return found


def _check(route: PhaseRoute) -> None:
    """Refuse a phase in which a job cannot have all it asks for, however long it takes."""
    if route.unreachable_pairs:
        lost = route.unreachable[0]
        raise NoAnswerError(
            f"{route.fabric} {route.phase}: {', '.join(route.jobs_cut)} cannot finish, alone or beside others: no path "
            f"from {lost.src} to {lost.dst}",
            code="FP9742",
            hint="bring up what is down between them, or leave the workload out (--without)",
        )
    if route.is_cut:
        raise RoutingError(
            f"{route.fabric} {route.phase}: the objective of the router admits demand only in part",
            code="FP9743",
            hint="an objective that carries all demand, such as min-max-utilisation, or --router ecmp",
        )


def _load(route: PhaseRoute, mine: list[int]) -> Floats:
    """Part of every link that some classes fill, shape (L,)."""
    routed = route.routed
    assert routed is not None, "routed in this run"
    capacity = route.topology.capacity_gbps * usable_part(routed.graph, routed.routing)
    offered = route.link_gbps[:, mine].sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(offered > 0, offered / capacity, 0.0)


def _nic_part(route: PhaseRoute, mine: list[int]) -> float:
    """Part of its busiest endpoint's line rate that some classes use."""
    routed = route.routed
    assert routed is not None, "routed in this run"
    sent = np.maximum(routed.demand.sent_gbps[:, mine].sum(axis=1), routed.demand.received_gbps[:, mine].sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(sent > 0, sent / nominal_gbps(route.topology), 0.0)
    return float(part.max(initial=0.0)) or 1.0


def _add(
    found: _FabricColumns,
    name: ColumnName,
    route: PhaseRoute,
    load: Floats,
    nic_part: float,
    own: Floats,
    own_part: float = 0.0,
) -> None:
    """Add a column with its pace alone: beside the job's own steady traffic and nothing else."""
    steady = not own_part
    together = np.stack([load, own], axis=1)[:, : 1 if steady else 2]
    full = np.flatnonzero(together.sum(axis=1) > OVER)
    rise = np.array([1 / nic_part] if steady else [1.0, 1 / own_part])
    paces, held = fair_paces(together[full], np.ones(len(rise)), rise)
    link = "" if held[0] < 0 else route.topology.link_name(int(full[held[0]]))
    found.names.append(name)
    found.loads.append(load)
    found.figures.append(ColumnFigures(float(rise[0]), float(paces[0]), link, route.packet_slowdown))


def _kept(
    part: _FabricColumns, jobs: Sequence[str], met: dict[tuple[str, str], int], crowded: dict[str, int]
) -> tuple[Floats, Longs, Longs]:
    """Rows, the first link of each and how many it stands for; counts links that jobs share (``met``, ``crowded``)."""
    links = len(part.routes[0].topology.links)
    most = np.zeros((len(jobs), links))
    place = {job: at for at, job in enumerate(jobs)}
    for steady in (False, True):
        for name, load, figures in zip(part.names, part.loads, part.figures, strict=True):
            row = place[name.job]
            if (name.phase == STEADY) is steady:
                most[row] = most[row] + load * figures.pace if steady else np.maximum(most[row], load * figures.pace)
    uses = most > 0
    shared = (uses.astype(np.float32) @ uses.T.astype(np.float32)).astype(np.int64)
    for i, j in zip(*np.nonzero(np.triu(shared, 1)), strict=True):
        pair = (jobs[int(i)], jobs[int(j)])
        met[pair] = met.get(pair, 0) + int(shared[i, j])
    several = uses.sum(axis=0) > 1
    for job, mine in zip(jobs, uses, strict=True):
        crowded[job] += int((mine & several).sum())
    kept = np.flatnonzero(several & (most.sum(axis=0) > OVER))
    if not len(kept):
        return np.zeros((0, len(part.names))), np.zeros(0, np.int64), np.zeros(0, np.int64)
    rows = np.stack([load[kept] for load in part.loads], axis=1)
    _, first, count = np.unique(np.round(rows, 9), axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    return rows[first[order]], kept[first[order]], count[order]


def joined(shared: SharedRows, jobs: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of jobs that make every two jobs that meet on a row meet, directly or through others."""
    place = {job: at for at, job in enumerate(jobs)}
    used = np.zeros((len(shared.values), len(jobs)), np.bool_)
    for name, column in shared.columns.items():
        if name.job in place:
            used[:, place[name.job]] |= shared.values[:, column] > 0
    pairs: set[tuple[int, int]] = set()
    for row in np.unique(used, axis=0):
        mine = np.flatnonzero(row).tolist()
        pairs |= set(pairwise(mine))
    return [(jobs[one], jobs[other]) for one, other in sorted(pairs)]
