"""What jobs do about failures: stall, restart on spare hosts, shrink, or go on over their other NICs.

``stall`` waits for the repair and then goes on where it stopped. ``restart`` loses what it computed since its last
checkpoint, half an interval on average, then the restart and the reading of the checkpoint; with no spare host left it
waits for a repair first. ``shrink`` starts again without the replicas whose hosts are gone and goes on with the others
until the repair. ``lose-rail`` sends what a lost NIC sent over the host's others, n / (n - lost) times as slow as far
as the NICs limit it. Traffic that still has paths is slower until the repair, whatever the reaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fabric.pipeline.run import Run
from fabric.result import Assumption, JobTime
from topologies.columns import Floats, Ints, column
from topologies.units import format_seconds
from traffic.on_failure import LOSE_RAIL, RESTART, RESTART_S, SHRINK, STALL
from traffic.workload import PATTERNS, JobOnFailure, WorkloadTraffic

CHECKPOINT, RESTORE = "checkpoint", "checkpoint.restore"
_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, eq=False)
class FailingJob:
    """A job on GPUs and what a failure costs it; times in hours."""

    id: str
    reaction: str
    hosts: tuple[str, ...]
    gpus_of_host: Floats  # shape (hosts,); of a GPU that k jobs share, the k-th part
    spares: int
    restart_h: float  # from a failure until it computes again, checkpoint read
    checkpoint_h: float | None  # between checkpoints; None: nothing is lost but the time
    write_h: float | None  # of a checkpoint
    share_per_host: float  # of the job that goes with a host where it shrinks
    fabric: str = ""
    nics: int = 1
    assumptions: tuple[Assumption, ...] = ()

    @property
    def gpus(self) -> float:
        """All of them."""
        return float(self.gpus_of_host.sum())

    @cached_property
    def place_of_host(self) -> dict[str, int]:
        """Position of every host."""
        return {name: place for place, name in enumerate(self.hosts)}

    @property
    def restarts(self) -> bool:
        """Whether it begins again when a host is gone."""
        return self.reaction in (RESTART, SHRINK)

    @property
    def tolerated(self) -> int:
        """Hosts that may be gone at once without waiting for a repair."""
        return {RESTART: self.spares, SHRINK: len(self.hosts) - 1}.get(self.reaction, 0)

    @property
    def interruption_h(self) -> float:
        """What an interruption loses on average, beside waiting."""
        return self.restart_h + (self.checkpoint_h or 0.0) / 2

    def lost_share(self, hosts_gone: int) -> float:
        """Part of the job that stands still with so many hosts gone, once it has reacted."""
        if hosts_gone > self.tolerated:
            return 1.0
        return min(hosts_gone * self.share_per_host, 1.0) if self.reaction == SHRINK else 0.0


def one_failure(job: FailingJob, hosts_gone: int, stretch: float, repair_h: float) -> tuple[str, float]:
    """What a job does about one failure, in words, and the GPU-hours that it loses by it.

    Parameters
    ----------
    hosts_gone : int
        Hosts that it cannot use until the repair.
    stretch : float
        Of its steps, where it goes on; infinite where its traffic has no path.
    """
    if not hosts_gone:
        if stretch <= 1:
            return "", 0.0
        text = "waits for the repair" if np.isinf(stretch) else "slower until the repair"
        return text, job.gpus * (1 - 1 / stretch) * repair_h
    share = job.lost_share(hosts_gone)
    again = job.interruption_h if job.restarts else 0.0
    lost = job.gpus * (share * repair_h + again)
    if share >= 1:
        spare = f" ({job.spares} spare hosts, {hosts_gone} gone)" if job.reaction == RESTART else ""
        return f"waits for the repair{spare}", lost
    if job.reaction == SHRINK:
        return f"goes on without {hosts_gone} of {len(job.hosts)} hosts", lost
    return "restarts on spare hosts", lost


def failing_jobs(run: Run) -> tuple[FailingJob, ...]:
    """The jobs of a run that have GPUs, in the order of the scenario.

    Of a GPU that k jobs use, a k-th part of its time counts to each, so that all parts together are the GPUs there are.
    Jobs with a placement use their own GPUs, synthetic traffic all those of its hosts.
    """
    times = {job.id: job for job in run.result.jobs}
    placed = {workload.id: workload.on_failure for workload in run.traffic if workload.on_failure is not None}
    taken = {host for keys in placed.values() for host in keys.hosts}
    patterns: dict[str, dict[str, int]] = {}
    for workload in run.traffic:
        if workload.on_failure is None and PATTERNS.known(workload.kind):
            names, gpus = hosts_of_traffic(run, workload)
            patterns[workload.id] = dict(zip(names, gpus.tolist(), strict=True))
    own = {job: dict(zip(keys.hosts, keys.gpus.tolist(), strict=True)) for job, keys in placed.items()}
    parts = _Parts.of(own, patterns)
    jobs: list[FailingJob] = []
    for workload in run.traffic:
        if workload.on_failure is not None:
            part, shared = parts.placed(workload.id)
            job = _placed_job(run, workload, workload.on_failure, times.get(workload.id), taken)
            jobs.append(replace(job, gpus_of_host=part, assumptions=(*job.assumptions, *_sharing(workload, shared))))
        elif patterns.get(workload.id):
            part, shared = parts.pattern(workload.id)
            jobs.append(_pattern_job(workload, tuple(patterns[workload.id]), part, shared))
    return tuple(jobs)


@dataclass(frozen=True)
class _Parts:
    """What of the GPUs of every host counts to each job."""

    own: Mapping[str, Mapping[str, int]]  # GPUs that jobs have, by job and host
    patterns: Mapping[str, Mapping[str, int]]  # GPUs of the hosts that synthetic traffic uses, by job and host
    placed_on: Mapping[str, int]  # GPUs that jobs have, by host
    sharing: Mapping[str, int]  # how much synthetic traffic uses a host

    @staticmethod
    def of(own: Mapping[str, Mapping[str, int]], patterns: Mapping[str, Mapping[str, int]]) -> _Parts:
        """Sums by host."""
        placed_on: Counter[str] = Counter()
        for hosts in own.values():
            placed_on.update(hosts)
        return _Parts(own, patterns, placed_on, Counter(host for hosts in patterns.values() for host in hosts))

    def placed(self, job: str) -> tuple[Floats, int]:
        """GPUs of a job by host, and how many of them others use."""
        hosts = self.own[job]
        parts = [count / (self.sharing[host] + 1) for host, count in hosts.items()]
        return column(parts, np.float64), sum(count for host, count in hosts.items() if self.sharing[host])

    def pattern(self, job: str) -> tuple[Floats, int]:
        """GPUs of synthetic traffic by host, and how many of them others use."""
        hosts, found, shared = self.patterns[job], [], 0
        for host, count in hosts.items():
            many, others = self.sharing[host], min(self.placed_on[host], count)
            found.append(others / (many + 1) + (count - others) / many)
            shared += count if many > 1 else others
        return column(found, np.float64), shared


def _sharing(workload: WorkloadTraffic, shared: int) -> list[Assumption]:
    """What is taken for granted of GPUs that several jobs use."""
    if not shared:
        return []
    text = f"{workload.id} shares {shared:,} of its GPUs with other traffic: equal parts of their time count to each"
    return [Assumption(f"{workload.id}.on_failure.shared", text, f"workloads.{workload.id}.kind")]


def _placed_job(
    run: Run, workload: WorkloadTraffic, keys: JobOnFailure, time: JobTime | None, taken: set[str]
) -> FailingJob:
    """A job that says where it runs, with what it does not say taken from the scenario."""
    where, assumed = f"workloads.{workload.id}.on_failure", []
    spares = keys.spares
    if spares is None:
        groups = run.network.inventory.groups
        there = [host for group in keys.groups if group in groups for host in groups[group].hosts]
        spares = len(set(there) - taken) if keys.reaction == RESTART else 0
    write_h = _hours(None if time is None else time.checkpoint_time_s)
    read_h = _hours(next((phase.predicted_s for phase in time.phases if phase.name == RESTORE), None) if time else None)
    every_h = _hours(keys.checkpoint_every_s)
    restart_h = (_hours(keys.restart_s) or 0.0) + (
        (read_h if read_h is not None else write_h or 0.0) if every_h is not None else 0.0
    )

    def assume(key: str, text: str) -> None:
        assumed.append(Assumption(f"{workload.id}.on_failure.{key}", f"{workload.id} {text}", f"{where}.{key}"))

    if not keys.given:
        because = (
            "it writes checkpoints" if keys.reaction == RESTART else "nothing says how often it writes checkpoints"
        )
        assume("reaction", f"{_REACTIONS[keys.reaction]}: {because}")
    if keys.reaction == RESTART and keys.spares is None:
        assume("spares", f"has {spares:,} spare hosts: those of {', '.join(keys.groups)} that no job uses")
    if keys.reaction in (RESTART, SHRINK) and not keys.restart_given:
        assume(
            "restart_time",
            f"computes again {format_seconds(RESTART_S)} after a failure, and the reading of its checkpoint",
        )
    if every_h is not None and read_h is None and keys.reaction in (RESTART, SHRINK):
        same = "as long as writing it" if write_h else "no time: it is not routed"
        assume("restore", f"reads its checkpoint in {same} (checkpoint.restore routes it)")
    ranks = int(keys.gpus.sum())
    widest = max(int(keys.gpus.max(initial=1)), keys.replica_gpus)
    return FailingJob(
        id=workload.id,
        reaction=keys.reaction,
        hosts=keys.hosts,
        gpus_of_host=column(keys.gpus, np.float64),
        spares=spares,
        restart_h=restart_h,
        checkpoint_h=every_h,
        write_h=write_h,
        share_per_host=min(widest / max(ranks, 1), 1.0),
        fabric=keys.fabric,
        nics=keys.nics,
        assumptions=tuple(assumed),
    )


_REACTIONS: Mapping[str, str] = {
    STALL: "waits for repairs",
    RESTART: "restarts from its last checkpoint",
    SHRINK: "goes on without the replicas that it lost",
    LOSE_RAIL: "goes on over a host's other NICs",
}


def _pattern_job(workload: WorkloadTraffic, hosts: tuple[str, ...], gpus: Floats, shared: int) -> FailingJob:
    """A synthetic pattern: it runs on the GPUs of the endpoints that exchange something, and waits for repairs.

    Parameters
    ----------
    gpus : ndarray of float, shape (hosts,)
        What of each host counts to it.
    shared : int
        GPUs that others use too.
    """
    text = f"{workload.id} waits for repairs: traffic of kind {workload.kind} has no checkpoints"
    waits = Assumption(f"{workload.id}.on_failure.reaction", text, f"workloads.{workload.id}.kind")
    return FailingJob(
        id=workload.id,
        reaction=STALL,
        hosts=hosts,
        gpus_of_host=gpus,
        spares=0,
        restart_h=0.0,
        checkpoint_h=None,
        write_h=None,
        share_per_host=1.0,
        assumptions=(waits, *_sharing(workload, shared)),
    )


def hosts_of_traffic(run: Run, workload: WorkloadTraffic) -> tuple[tuple[str, ...], Ints]:
    """Hosts of the endpoints that exchange something, and GPUs of each; a host that nothing describes has one."""
    used: dict[str, np.ndarray] = {}
    for phase in workload.phases:
        if phase.fabric is not None:
            nodes = len(run.network.topologies[phase.fabric].nodes)
            sends = (phase.flows.sent(nodes) > 0) | (phase.flows.received(nodes) > 0)
            used[phase.fabric] = used.get(phase.fabric, np.zeros(nodes, np.bool_)) | sends
    inventory = run.network.inventory
    names: dict[str, int] = {}
    for fabric, sends in used.items():
        if not inventory.groups:
            topology = run.network.topologies[fabric]
            names.update({topology.nodes.name[node]: 1 for node in np.flatnonzero(sends).tolist()})
        for group in inventory.groups.values():
            if fabric in group.nics and group.gpus_per_host:
                rows = sends[inventory.host_endpoints(fabric, group.name)].any(axis=1)
                names.update({group.hosts[host]: group.gpus_per_host for host in np.flatnonzero(rows).tolist()})
    return tuple(names), column(list(names.values()), np.int32)


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / _SECONDS_PER_HOUR


def host_places(run: Run, jobs: Sequence[FailingJob]) -> dict[str, Ints]:
    """By fabric, host of every node: a number over all jobs' hosts, -1 for other nodes, shape (N,)."""
    number: dict[str, int] = {}
    for job in jobs:
        for host in job.hosts:
            number.setdefault(host, len(number))
    places: dict[str, Ints] = {}
    inventory = run.network.inventory
    for fabric, topology in run.network.topologies.items():
        place = np.full(len(topology.nodes), -1, dtype=np.int32)
        if not inventory.groups:
            for node in topology.endpoint_nodes.tolist():
                place[node] = number.get(topology.nodes.name[node], -1)
        for group in inventory.groups.values():
            if fabric in group.nics:
                ends = inventory.host_endpoints(fabric, group.name)
                own = np.array([number.get(host, -1) for host in group.hosts], dtype=np.int32)
                place[ends] = own[:, None]
        places[fabric] = column(place, np.int32)
    return places


def all_hosts(jobs: Sequence[FailingJob]) -> tuple[str, ...]:
    """Hosts of all jobs, as ``host_places`` numbers them."""
    return tuple(dict.fromkeys(host for job in jobs for host in job.hosts))


def gpus_by_host(jobs: Sequence[FailingJob]) -> Floats:
    """GPUs of any job on each host, shape (hosts,)."""
    number = {host: place for place, host in enumerate(all_hosts(jobs))}
    total = np.zeros(len(number))
    for job in jobs:
        for host, gpus in zip(job.hosts, job.gpus_of_host.tolist(), strict=True):
            total[number[host]] += gpus
    return total
