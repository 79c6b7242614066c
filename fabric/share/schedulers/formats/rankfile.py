"""``rankfile``: where every rank of a job runs, for Open MPI, MPICH, Intel MPI and Slurm.

``rankfile`` (Open MPI) gives every rank a host and a slot, which is a processor: the place of the rank among those of
its host. It binds ranks to processors 0, 1, ... and says nothing of sockets, which a node model does not know.
``hostfile`` has hosts with their slots, in the order of their first rank. ``ranks.hosts`` has one host a line, rank by
rank: a host file for ``mpirun --map-by seq``, and SLURM_HOSTFILE for ``srun --distribution=arbitrary``. ``machinefile``
has runs of ranks, ``host:ranks``, for MPICH and Intel MPI. ``ranks.csv`` has the GPU of every rank as well.

References
----------
Open MPI 5.0 and PRRTE 3.0, prte-map(1), "Rankfiles", and scheduling of processes ("Using a hostfile").
MPICH, hydra "Using the Hydra process manager": machine files. Slurm 22.05, srun(1), ``--distribution=arbitrary``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fabric.rules.manifest import to_csv
from fabric.rules.own_files import read_rows
from fabric.share.schedulers.format import Facts, JobSeats, SchedulerFormat, SchedulerPlan, TextFile
from fabric.share.schedulers.names import HOST, Mapped, fit_names, mapped
from topologies.errors import FormatError
from topologies.reading.text_input import read_text

SUMMARY = "rank and host files of jobs, for Open MPI, MPICH, Intel MPI and Slurm"
ORDER = 60
_RANK = re.compile(r"rank (\d+)=(\S+) slot=(\d+)")
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
        places = zip(hosts, local, strict=True)
        yield TextFile(
            f"{folder}rankfile", "".join(f"rank {rank}={h} slot={slot}\n" for rank, (h, slot) in enumerate(places))
        )
        yield TextFile(f"{folder}hostfile", "".join(f"{h} slots={n}\n" for h, n in Counter(hosts).items()))
        yield TextFile(f"{folder}ranks.hosts", "".join(f"{host}\n" for host in hosts))
        yield TextFile(f"{folder}machinefile", "".join(f"{host}:{count}\n" for host, count in _runs(hosts)))
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
        found[f"{job.id} rankfile"] = tuple(f"{host} {slot}" for host, slot in zip(hosts, local, strict=True))
        found[f"{job.id} hostfile"] = tuple(sorted(f"{host} {count}" for host, count in Counter(hosts).items()))
        found[f"{job.id} ranks.hosts"] = found[f"{job.id} machinefile"] = tuple(hosts)
        rows = zip(hosts, job.gpus.tolist(), local, strict=True)
        found[f"{job.id} ranks.csv"] = tuple(" ".join(map(str, row)) for row in rows)
    return found


def _read(plan: SchedulerPlan, folder: Path) -> Facts:
    found: dict[str, tuple[str, ...]] = {}
    for job in plan.jobs:
        inside = folder / _folder(plan, job)
        found[f"{job.id} rankfile"] = _ranks(inside / "rankfile")
        found[f"{job.id} hostfile"] = tuple(
            sorted(f"{host} {slots}" for host, slots in _pairs(inside / "hostfile", r"(\S+) slots=(\d+)"))
        )
        found[f"{job.id} ranks.hosts"] = tuple(read_text(inside / "ranks.hosts").split())
        runs = _pairs(inside / "machinefile", r"([^\s:]+):(\d+)")
        found[f"{job.id} machinefile"] = tuple(host for host, count in runs for _ in range(int(count)))
        rows = read_rows(inside / "ranks.csv", _COLUMNS)
        found[f"{job.id} ranks.csv"] = tuple(" ".join(row.text(name) for name in _COLUMNS[1:]) for row in rows)
    return found


def _ranks(path: Path) -> tuple[str, ...]:
    """Host and slot of every rank, in the order of ranks."""
    places: dict[int, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        match = _RANK.fullmatch(line)
        if match is None or int(match[1]) in places:
            raise FormatError(
                "a line of a rank file is rank N=HOST slot=N, each rank once",
                file=str(path), line=number, hint="export again", code="FP8075",
            )  # fmt: skip
        places[int(match[1])] = f"{match[2]} {match[3]}"
    return tuple(places[rank] for rank in sorted(places))


def _pairs(path: Path, form: str) -> list[tuple[str, str]]:
    found = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        match = re.fullmatch(form, line)
        if match is None:
            raise FormatError(
                "this is not a host and its ranks", file=str(path), line=number, hint="export again", code="FP8075"
            )
        found.append((match[1], match[2]))
    return found


def _names(plan: SchedulerPlan) -> Iterator[Mapped]:
    yield from mapped("host", "", _hosts(plan))


def _notes(plan: SchedulerPlan) -> Iterator[str]:
    for job in plan.jobs:
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
