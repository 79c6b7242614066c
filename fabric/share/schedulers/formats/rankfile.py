"""``rankfile``: where every rank of a job runs, for Open MPI, MPICH, Intel MPI and Slurm.

``rankfile`` (Open MPI) gives every rank a host and a slot, which is a processor: the one with the number of its GPU, so
that jobs on one host are bound to different ones. It says nothing of sockets, which a node model does not know.
``hostfile`` has hosts with their slots, in the order of their first rank. ``ranks.hosts`` has one host a line, rank by
rank: a host file for ``mpirun --map-by seq``, and SLURM_HOSTFILE for ``srun --distribution=arbitrary``. ``machinefile``
has runs of ranks, ``host:ranks``, for MPICH and Intel MPI. ``ranks.csv`` has the GPU of every rank as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fabric.rules.manifest import to_csv
from fabric.rules.own_files import read_rows
from fabric.share.rank_files import (
    host_lines,
    hosts_by_rank,
    machine_lines,
    rank_lines,
    read_hosts,
    read_machines,
    read_ranks,
)
from fabric.share.schedulers.format import Facts, JobSeats, SchedulerFormat, SchedulerPlan, TextFile
from fabric.share.schedulers.names import HOST, Mapped, fit_names, mapped
from topologies.budget import counted
from topologies.reading.text_input import read_text
from traffic.slots import listed

SUMMARY = "rank and host files of jobs, for Open MPI, MPICH, Intel MPI and Slurm"
ORDER = 60
_COLUMNS = ("rank", "host", "gpu", "local_rank")


def _hosts(plan: SchedulerPlan) -> dict[str, str]:
    return fit_names((host for job in plan.jobs for host in job.hosts), HOST)


def _jobs(plan: SchedulerPlan) -> dict[str, str]:
    return fit_names((job.id for job in plan.jobs), HOST)


def _folder(plan: SchedulerPlan, job: JobSeats) -> str:
    return f"{_jobs(plan)[job.id]}/" if len(plan.jobs) > 1 else ""


def _local_ranks(job: JobSeats) -> list[int]:
    seen: Counter[str] = Counter()
    found = []
    for host in job.hosts:
        found.append(seen[host])
        seen[host] += 1
    return found


def _write(plan: SchedulerPlan) -> Iterator[TextFile]:
    names = _hosts(plan)
    for job in plan.jobs:
        folder, hosts, local = _folder(plan, job), [names[host] for host in job.hosts], _local_ranks(job)
        yield TextFile(f"{folder}rankfile", rank_lines(hosts, job.gpus.tolist()))
        yield TextFile(f"{folder}hostfile", host_lines(Counter(hosts).items()))
        yield TextFile(f"{folder}ranks.hosts", hosts_by_rank(hosts))
        yield TextFile(f"{folder}machinefile", machine_lines(_runs(hosts)))
        rows = zip(range(len(hosts)), hosts, job.gpus.tolist(), local, strict=True)
        yield TextFile(f"{folder}ranks.csv", to_csv(_COLUMNS, rows))


def _runs(hosts: list[str]) -> Iterator[tuple[str, int]]:
    start = 0
    for place in range(1, len(hosts) + 1):
        if place == len(hosts) or hosts[place] != hosts[start]:
            yield hosts[start], place - start
            start = place


def _facts(plan: SchedulerPlan) -> Facts:
    names, found = _hosts(plan), dict[str, tuple[str, ...]]()
    for job in plan.jobs:
        hosts, local = [names[host] for host in job.hosts], _local_ranks(job)
        slots = zip(hosts, job.gpus.tolist(), strict=True)
        found[f"{job.id} rankfile"] = tuple(f"{host} {slot}" for host, slot in slots)
        found[f"{job.id} hostfile"] = tuple(sorted(f"{host} {count}" for host, count in Counter(hosts).items()))
        found[f"{job.id} ranks.hosts"] = found[f"{job.id} machinefile"] = tuple(hosts)
        rows = zip(hosts, job.gpus.tolist(), local, strict=True)
        found[f"{job.id} ranks.csv"] = tuple(" ".join(map(str, row)) for row in rows)
    return found


def _read(plan: SchedulerPlan, folder: Path) -> Facts:
    found: dict[str, tuple[str, ...]] = {}
    for job in plan.jobs:
        inside = folder / _folder(plan, job)
        found[f"{job.id} rankfile"] = tuple(f"{host} {slot}" for host, slot in read_ranks(inside / "rankfile"))
        found[f"{job.id} hostfile"] = tuple(
            sorted(f"{host} {slots}" for host, slots in read_hosts(inside / "hostfile"))
        )
        found[f"{job.id} ranks.hosts"] = tuple(read_text(inside / "ranks.hosts").split())
        runs = read_machines(inside / "machinefile")
        found[f"{job.id} machinefile"] = tuple(host for host, count in runs for _ in range(count))
        rows = read_rows(inside / "ranks.csv", _COLUMNS)
        found[f"{job.id} ranks.csv"] = tuple(" ".join(row.text(name) for name in _COLUMNS[1:]) for row in rows)
    return found


def _names(plan: SchedulerPlan) -> Iterator[Mapped]:
    yield from mapped("host", "", _hosts(plan))


def _notes(plan: SchedulerPlan) -> Iterator[str]:
    down = {tree.hosts[host] for tree in plan.trees.values() for host in np.flatnonzero(tree.down).tolist()}
    for job in plan.jobs:
        gone = [host for host in dict.fromkeys(job.hosts) if host in down]
        if gone:
            hosts = f"{counted(len(gone), 'hosts')} that {'is' if len(gone) == 1 else 'are'} down"
            yield (
                f"{job.id} has ranks on {hosts}, and cannot start so: {listed(gone)}; "
                "placement: {order: file} names those that are up"
            )
        if job.gpus.tolist() != _local_ranks(job):
            yield (
                f"ranks of {job.id} do not use the GPUs of their hosts in order: a launcher that gives GPU n to local "
                "rank n gives others than the plan; ranks.csv has the GPU of every rank"
            )


FORMAT = SchedulerFormat(
    write=_write,
    facts=_facts,
    read=_read,
    names=_names,
    read_by="Open MPI 4 and 5, MPICH, Intel MPI; srun",
    of="job",
    takes=("job",),
    notes=_notes,
)
