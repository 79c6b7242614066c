"""Lines of the files by which launchers place ranks: one grammar for all that write or read them.

``rank N=HOST slot=N`` is a line of a rank file of Open MPI; the slot is the number of the rank's GPU on its host.
``HOST slots=N`` is one of a host file, and ``HOST:N`` one of a machine file of MPICH and Intel MPI. A file
with one host a line, rank by rank, is what ``mpirun --map-by seq`` and ``SLURM_HOSTFILE`` take.

References
----------
Open MPI 5.0 and PRRTE 3.0, prte-map(1), "Rankfiles". MPICH, "Using the Hydra process manager". Slurm 22.05, srun(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from topologies.errors import FormatError, OutputError
from topologies.reading.text_input import read_text

_RANK = re.compile(r"rank (\d+)=(\S+) slot=(\d+)")
_HOST_SLOTS = re.compile(r"(\S+) slots=(\d+)")
_HOST_RANKS = re.compile(r"([^\s:]+):(\d+)")
_NOT_IN_A_NAME = re.compile(r"[\s#]|^\+")


def rank_lines(hosts: Sequence[str], slots: Iterable[int]) -> str:
    """A rank file: host and slot of every rank, in the order of ranks.

    Raises
    ------
    OutputError
        Where a host's name would end before its end there (FP9724).

    Examples
    --------
    >>> print(rank_lines(["b", "a"], [0, 3]), end="")
    rank 0=b slot=0
    rank 1=a slot=3
    """
    _check_names(hosts)
    seats = enumerate(zip(hosts, slots, strict=True))
    return "".join(f"rank {rank}={host} slot={slot}\n" for rank, (host, slot) in seats)


def host_lines(slots: Iterable[tuple[str, int]]) -> str:
    """A host file: hosts with the ranks that each has; refused as by ``rank_lines``."""
    pairs = list(slots)
    _check_names(host for host, _ in pairs)
    return "".join(f"{host} slots={count}\n" for host, count in pairs)


def hosts_by_rank(hosts: Sequence[str]) -> str:
    """A host a line, rank by rank; refused as by ``rank_lines``."""
    _check_names(hosts)
    return "".join(f"{host}\n" for host in hosts)


def machine_lines(runs: Iterable[tuple[str, int]]) -> str:
    """A machine file: runs of ranks on one host."""
    return "".join(f"{host}:{count}\n" for host, count in runs)


def _check_names(hosts: Iterable[str]) -> None:
    wrong = next((host for host in dict.fromkeys(hosts) if _NOT_IN_A_NAME.search(host)), None)
    if wrong is not None:
        raise OutputError(
            f"a rank or host file cannot have the host {wrong!r}: blanks and # end a name there, and + starts a number",
            hint="name: of the node group, without them",
            code="FP9724",
        )


def read_ranks(path: Path) -> list[tuple[str, int]]:
    """Host and slot of every rank, in the order of ranks.

    Raises
    ------
    FormatError
        FP8075, with the line, for what is not such a line, or a rank for the second time.
    """
    seats: dict[int, tuple[str, int]] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        match = _RANK.fullmatch(line)
        if match is None or int(match[1]) in seats:
            raise _wrong(path, number, "a line of a rank file is rank N=HOST slot=N, each rank once")
        seats[int(match[1])] = (match[2], int(match[3]))
    return [seats[rank] for rank in sorted(seats)]


def read_hosts(path: Path) -> list[tuple[str, int]]:
    """Hosts of a host file with their slots, in order; refused as by ``read_ranks``."""
    return _pairs(path, _HOST_SLOTS)


def read_machines(path: Path) -> list[tuple[str, int]]:
    """Runs of ranks of a machine file, in order; refused as by ``read_ranks``."""
    return _pairs(path, _HOST_RANKS)


def _pairs(path: Path, form: re.Pattern[str]) -> list[tuple[str, int]]:
    pairs = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        match = form.fullmatch(line)
        if match is None:
            raise _wrong(path, number, "this is not a host and its ranks")
        pairs.append((match[1], int(match[2])))
    return pairs


def _wrong(path: Path, number: int, message: str) -> FormatError:
    return FormatError(message, file=str(path), line=number, hint="export again", code="FP8075")
