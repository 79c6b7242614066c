"""Hosts in the order of a file, such as a scheduler's or MPI's host list; or ranks as MPI's rank file places them."""

from __future__ import annotations

import re

import numpy as np

from topologies.columns import Ints, column
from topologies.errors import TrafficError
from topologies.registry import Injected
from traffic.files import read_beside
from traffic.hostlist import expand_hosts
from traffic.placement import PlacementSite
from traffic.slots import Slots
from traffic.workload import PLACEMENTS

_RANK = re.compile(r"rank\s+(\d+)\s*=\s*(\S+)\s+slots?\s*=\s*(\d+)\s*$")


@PLACEMENTS.register("file", example={"path": "hosts.txt"})
def from_file(path: str, site: Injected[PlacementSite]) -> Ints:
    """Ranks fill the hosts a file lists in order, or run where a rank file says.

    Parameters
    ----------
    path : str
        Relative to the scenario; ``#`` starts a comment. A host list has one ``host``, ``host slots=n`` or Slurm range
        (``n[001-032]``) per line; without ``slots`` all free GPUs of the host are used. A rank file has lines
        ``rank 0=host slot=3``, with the GPU as slot.

    Returns
    -------
    ndarray of int, shape (ranks, 2)
        Host index and GPU index of every rank.

    Raises
    ------
    FormatError
        With file and line: an unknown or repeated host, wrong slots or ranks (FP6210).
    TrafficError
        When the file cannot be read or has too few slots (FP4025).
    """
    lines = [
        (number, line.split("#", 1)[0].strip())
        for number, line in enumerate(read_beside(site.directory, path, "placement.path").splitlines(), start=1)
    ]
    used = [(number, line) for number, line in lines if line]
    if used and all(re.match(r"rank\s+\d", line) for _, line in used):
        return _rank_file(path, used, site)
    slots = Slots(site, path)
    for number, line in used:
        _take(slots, number, line, site.gpus_per_host)
    return slots.places()


def _take(slots: Slots, number: int, line: str, gpus: int) -> None:
    """Note one line of a host list."""
    words = line.split()
    try:
        names = expand_hosts(words[0])
    except ValueError as error:
        slots.problem(number, str(error), "Slurm writes ranges like n[001-032,040]")
        return
    count: int | None = None
    if len(words) > 1:
        key, _, value = words[1].partition("=")
        if len(words) > 2 or key != "slots" or not value.isdigit():
            slots.problem(number, f"{' '.join(words[1:])!r} is not understood", f"write: {words[0]} slots={gpus}")
            return
        count = int(value)
    for name in names:
        slots.add(number, name, count)


def _rank_file(path: str, lines: list[tuple[int, str]], site: PlacementSite) -> Ints:
    """Places from ``rank R=HOST slot=GPU`` lines, each rank once."""
    slots = Slots(site, path)
    places = np.full((site.ranks, 2), -1, dtype=np.int64)
    for number, line in lines:
        found = _RANK.match(line)
        if not found:
            slots.problem(number, f"{line!r} is not understood", "write: rank 0=host slot=0")
            continue
        rank, gpu, host = int(found[1]), int(found[3]), slots.host(number, found[2])
        if rank >= site.ranks or gpu >= site.gpus_per_host:
            what = f"rank {rank}" if rank >= site.ranks else f"slot {gpu}"
            last = site.ranks - 1 if rank >= site.ranks else site.gpus_per_host - 1
            slots.problem(number, f"{what} does not exist; the last is {last}", "ranks and GPUs are counted from 0")
        elif places[rank, 0] >= 0:
            slots.problem(number, f"rank {rank} is listed twice", "give every rank one line")
        elif host is not None:
            places[rank] = (host, gpu)
    slots.check()
    missing = np.flatnonzero(places[:, 0] < 0)
    if len(missing):
        raise TrafficError(
            f"{path} lacks {len(missing):,} of {site.ranks:,} ranks, the first is {int(missing[0])}",
            where="placement.path",
            hint="give every rank one line, or say gpus: with the ranks listed",
            code="FP4025",
        )
    return column(places, np.int32)
