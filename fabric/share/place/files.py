"""Files that start a job where it was placed, and the keys that make the scenario say so.

A **rank file** has the GPU of every rank, as Open MPI reads it. A **host file** has the hosts in order; it can say
only placements whose ranks fill hosts one after the other. For **Slurm** a host file with a line a rank goes with
``--distribution=arbitrary``, which lets ranks go to any host, but hands out the GPUs of a host in the order of its
ranks."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from fabric.output.whole_folder import FolderKind, check_folder, whole_folder
from fabric.share.place.result import PlacementResult, in_order
from fabric.share.place.trial import Trial
from fabric.share.rank_files import host_lines, hosts_by_rank, rank_lines
from topologies.columns import Ints
from topologies.errors import OutputError
from traffic.hostlist import folded_hosts

PLACEMENT = FolderKind("a placement", OutputError, "FP9725")
RANKS = "{job}.ranks"


def check_placement_folder(folder: Path, *, force: bool) -> None:
    """Refuse, before the work, a folder that cannot be written."""
    check_folder(folder, PLACEMENT, force=force)


def rank_file(hosts: tuple[str, ...], placed: Ints) -> str:
    """Host and GPU of every rank, as Open MPI's rank files have them.

    >>> print(rank_file(("a", "b"), np.array([[1, 0], [0, 3]])), end="")
    rank 0=b slot=0
    rank 1=a slot=3
    """
    return rank_lines([hosts[host] for host in placed[:, 0].tolist()], placed[:, 1].tolist())


def host_file(hosts: tuple[str, ...], placed: Ints) -> str:
    """Hosts in order with the ranks that each has.

    Raises
    ------
    OutputError
        Where ranks do not fill the first GPUs of one host after the other (FP9724).
    """
    order = in_order(placed)
    counts = np.bincount(placed[:, 0], minlength=len(hosts))[order]
    filled = np.repeat(order, counts)
    gpus = np.concatenate([np.arange(count) for count in counts.tolist()])
    if not (np.array_equal(filled, placed[:, 0]) and np.array_equal(gpus, placed[:, 1])):
        raise OutputError(
            "a host file cannot express this placement: its ranks do not fill one host after the other",
            hint="--write rankfile",
            code="FP9724",
        )
    return host_lines(zip([hosts[host] for host in order.tolist()], counts.tolist(), strict=True))


def slurm_file(hosts: tuple[str, ...], placed: Ints) -> str:
    """A host for every rank, as ``SLURM_HOSTFILE`` has them.

    Raises
    ------
    OutputError
        Where the ranks of a host do not have its GPUs in order (FP9724).
    """
    for host in np.unique(placed[:, 0]).tolist():
        gpus = placed[placed[:, 0] == host, 1]
        if not np.array_equal(gpus, np.arange(len(gpus))):
            raise OutputError(
                f"Slurm gives the ranks of a host its GPUs in order, and those of {hosts[host]} have "
                f"{', '.join(map(str, gpus.tolist()))}",
                hint="--write rankfile",
                code="FP9724",
            )
    return hosts_by_rank([hosts[host] for host in placed[:, 0].tolist()])


def slurm_script(job: str, ranks: int, hosts: Sequence[str]) -> str:
    """The lines of a batch script that go with the host file."""
    name = shlex.quote(f"{job}.hosts")
    return (
        "#!/bin/bash\n"
        f"#SBATCH --nodes={len(hosts)}\n"
        f"#SBATCH --ntasks={ranks}\n"
        "#SBATCH --exclusive\n"
        f"#SBATCH --nodelist={folded_hosts(hosts).replace(' ', '')}\n"
        f"export SLURM_HOSTFILE={name}\n"
        'srun --distribution=arbitrary "$@"\n'
    )


def written_files(result: PlacementResult, kind: str) -> dict[str, str]:
    """Files of a kind for the chosen placement, by name; with the rank file that the scenario's keys name."""
    trial, setting = result.chosen, result.setting
    if trial is None:
        return {}
    hosts, job = setting.hosts, setting.job
    makers: dict[str, Callable[[], dict[str, str]]] = {
        "rankfile": lambda: {},
        "hostfile": lambda: {f"{job}.hosts": host_file(hosts, trial.placed)},
        "slurm": lambda: {
            f"{job}.hosts": slurm_file(hosts, trial.placed),
            f"{job}.sbatch": slurm_script(job, setting.ranks, sorted(result.hosts_of(trial))),
        },
    }
    files = makers[kind]()
    files[RANKS.format(job=job)] = rank_file(hosts, trial.placed)
    for other, placed in _later(result):
        group_hosts = _hosts_of(result, other)
        files[RANKS.format(job=other.replace(" ", "."))] = rank_file(group_hosts, placed)
    return files


def write_placement(result: PlacementResult, kind: str, folder: Path, *, force: bool) -> None:
    """Write the files of a placement, and the keys that go with them.

    Raises
    ------
    OutputError
        Where the kind of file cannot say the placement (FP9724), or it cannot be written (FP9725).
    """
    files = written_files(result, kind)
    if result.chosen is not None:
        files["scenario-keys.txt"] = "".join(f"--set={text}\n" for text in scenario_keys(result, result.chosen, folder))
    with whole_folder(folder, PLACEMENT, force=force) as beside:
        for name, text in files.items():
            (beside / name).write_text(text, encoding="utf-8")


def scenario_keys(result: PlacementResult, trial: Trial, folder: Path) -> list[str]:
    """Overrides that make the scenario place the job there, with rank files of a folder; jobs after it stay."""
    setting = result.setting
    shared = "" if setting.spec.placement.exclusive else ", exclusive: false"
    path = (folder / RANKS.format(job=setting.job)).absolute()
    found = [
        f"workloads.{setting.job}.placement={{group: {setting.group}, order: file, path: {_quoted(path)}{shared}}}"
    ]
    for other, _ in _later(result):
        path = (folder / RANKS.format(job=other.replace(" ", "."))).absolute()
        keys = f"{{group: {_group_of(result, other)}, order: file, path: {_quoted(path)}}}"
        found.append(f"workloads.{other.replace(' ', '.')}.placement={keys}")
    if trial.mfu is not None and setting.workload.compute is not None:
        found.append(f"workloads.{setting.job}.compute.{setting.workload.compute.key}={trial.mfu!r}")
    return found


def _quoted(path: Path) -> str:
    text = str(path).replace("'", "''")
    return f"'{text}'"


def _later(result: PlacementResult) -> Iterator[tuple[str, Ints]]:
    """Jobs that the scenario places after this one, from what it leaves."""
    setting = result.setting
    ids = [workload.id for workload in setting.loaded.scenario.workloads]
    for other, placed in setting.others.items():
        if ids.index(other.partition(" ")[0]) > setting.number:
            yield other, placed


def _hosts_of(result: PlacementResult, other: str) -> tuple[str, ...]:
    setting = result.setting
    group = _group_of(result, other)
    fabric = (
        next(iter(setting.network.inventory.groups[group].nics)) if setting.network.inventory.groups else setting.fabric
    )
    return setting.network.inventory.host_names(fabric, group)


def _group_of(result: PlacementResult, other: str) -> str:
    return result.setting.other_groups[other]
