"""What each part does to each job when it fails alone: hosts that the job cannot use, or a slower network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.failures.cases import Cases, Damage, damage_of
from fabric.failures.chunks import Ground
from fabric.failures.job_reaction import FailingJob, host_places
from fabric.failures.judge import stretch_of
from topologies.columns import Bools, Floats, Ints, column
from traffic.on_failure import LOSE_RAIL


@dataclass(frozen=True, eq=False)
class PartEffects:
    """P parts, J jobs.

    Attributes
    ----------
    stretch : ndarray, shape (P, J)
        Of the steps of a job that goes on; infinite where its traffic has no path although its hosts are there.
    in_network : ndarray of bool, shape (P, J)
        Whether a part acts on a job by the paths of its traffic: what several of them do together is routed.
    hosts : tuple of tuple of ndarray
        By job and part: hosts that it cannot use, by their position in the job.
    """

    stretch: Floats
    in_network: Bools
    hosts: tuple[tuple[Ints, ...], ...]

    def hosts_gone(self, part: int, job: int) -> int:
        """How many."""
        return len(self.hosts[job][part])


def part_effects(ground: Ground, cases: Cases, jobs: Sequence[FailingJob], stretch: Floats) -> PartEffects:
    """Effects of the parts of single cases.

    Parameters
    ----------
    stretch : ndarray, shape (P, J)
        Of the jobs in each case as routed, infinite where they stall.
    """
    number = {host: place for place, host in enumerate(dict.fromkeys(host for job in jobs for host in job.hosts))}
    places = host_places(ground.run, jobs)
    damage = {fabric: damage_of(cases, fabric) for fabric in ground.run.network.topologies}
    lost = {fabric: _lost_endpoints(ground, fabric, damage[fabric], place) for fabric, place in places.items()}
    after = np.array(stretch, dtype=np.float64)
    in_network = np.ones(after.shape, dtype=np.bool_)
    none = np.empty(0, dtype=np.int32)
    hosts: list[list[Ints]] = [[none] * len(cases) for _ in jobs]
    local = _positions(jobs, number)
    stalled = np.isinf(after)
    takes_hosts = np.array([bool(cases.parts[part].hosts) for part in cases.part.tolist()], dtype=np.bool_)
    for case in np.flatnonzero(takes_hosts | stalled.any(axis=1)).tolist():
        own = [number[host] for part in cases.parts_of(case) for host in part.hosts if host in number]
        isolated = {fabric: rows.get(case, none) for fabric, rows in lost.items()}
        nodes = _cut_hosts(ground, damage, places, case, isolated) if stalled[case].any() else none
        for at, job in enumerate(jobs):
            gone = np.array(own, dtype=np.int32)
            if stalled[case, at]:
                slower = _over_other_nics(ground, job, isolated, places, gone) if job.reaction == LOSE_RAIL else None
                if slower is not None:
                    after[case, at], in_network[case, at] = slower, False
                    continue
                gone = np.unique(np.concatenate([gone, nodes])).astype(np.int32)
            mine = local[at][gone]
            mine = mine[mine >= 0]
            if len(mine):
                hosts[at][case] = column(mine, np.int32)
                after[case, at], in_network[case, at] = 1.0, False
    return PartEffects(after, in_network, tuple(tuple(each) for each in hosts))


def _positions(jobs: Sequence[FailingJob], number: dict[str, int]) -> list[Ints]:
    """Position in each job of every host, -1 where it is not of it."""
    rows: list[Ints] = []
    for job in jobs:
        row = np.full(len(number), -1, dtype=np.int32)
        row[[number[host] for host in job.hosts]] = np.arange(len(job.hosts))
        rows.append(row)
    return rows


def _lost_endpoints(ground: Ground, fabric: str, damage: Damage, place: Ints) -> dict[int, Ints]:
    """By case, endpoints of hosts that lose all their links."""
    topology = ground.run.network.topologies[fabric]
    source = topology.links.src
    degree = np.bincount(source[topology.up], minlength=len(topology.nodes))
    case = np.repeat(np.arange(len(damage)), np.diff(damage.start))
    node = source[damage.dead]
    ours = (place[node] >= 0) & topology.up[damage.dead]
    key, count = np.unique(case[ours] * np.int64(len(topology.nodes)) + node[ours], return_counts=True)
    gone = key[count == degree[key % len(topology.nodes)]]
    cases, first = np.unique(gone // len(topology.nodes), return_index=True)
    nodes = (gone % len(topology.nodes)).astype(np.int32)
    return dict(zip(cases.tolist(), np.split(nodes, first[1:]), strict=True)) if len(gone) else {}


def _cut_hosts(
    ground: Ground, damage: dict[str, Damage], places: dict[str, Ints], case: int, isolated: dict[str, Ints]
) -> Ints:
    """Hosts of endpoints without any link; where there are none, of those cut off from most of their fabric."""
    hosts = [places[fabric][nodes] for fabric, nodes in isolated.items() if len(nodes)]
    if len(hosts) == 1 and len(hosts[0]) == 1:
        return hosts[0]
    if not hosts:
        for fabric, reach in ground.reach.items():
            dead = damage[fabric].of(case)[0]
            if len(dead):
                cut = places[fabric][reach.topology.endpoint_nodes[reach.cut(dead)]]
                hosts.append(cut[cut >= 0])
    return np.unique(np.concatenate([np.empty(0, np.int32), *hosts])).astype(np.int32)


def _over_other_nics(
    ground: Ground, job: FailingJob, isolated: dict[str, Ints], places: dict[str, Ints], gone: Ints
) -> float | None:
    """Stretch of a job whose hosts lost some of their NICs, by the closed form n / (n - lost); None where one lost all.

    What the lost NIC sent goes over the others of its host, so that their links are n / (n - lost) times as full in the
    window of a phase; the step is as long as its phases then make it.
    """
    elsewhere = any(len(nodes) for fabric, nodes in isolated.items() if fabric != job.fabric)
    nodes = isolated.get(job.fabric, np.empty(0, np.int32))
    if elsewhere or len(gone) or not len(nodes):
        return None
    place = places[job.fabric]
    hosts, lost = np.unique(place[nodes], return_counts=True)
    nics = np.bincount(place[place >= 0])[hosts]
    if (lost >= nics).any():
        return None
    return slower_by_nics(ground, job, float((nics / (nics - lost)).max()))


def slower_by_nics(ground: Ground, job: FailingJob, factor: float) -> float:
    """Stretch of a job whose fullest NICs are ``factor`` times as full as intact."""
    judge = ground.judge
    met = {
        key: (float(peak), bool(cut))
        for key, peak, cut in zip(judge.keys, *(_intact_row(ground, name) for name in ("peak", "cut")), strict=True)
    }
    peak = [
        max(value, factor) if (fabric, name) == (job.fabric, job.id) and value > 0 else value
        for (fabric, _, name, _), (value, _) in met.items()
    ]
    judged, _ = judge.unique(np.array([peak]), np.array([[cut for _, cut in met.values()]]))
    at = [workload.id for workload in judge.jobs].index(job.id)
    return max(stretch_of(judged[0][at], ground.intact_jobs[at]), 1.0)


def _intact_row(ground: Ground, name: str) -> Floats:
    return np.concatenate([getattr(each, name)[0] for each in ground.intact])
