"""Hosts in the order of a file, such as a scheduler's or MPI's host list."""

from __future__ import annotations

import numpy as np

from topologies.columns import Ints, column
from topologies.errors import FormatError, Problem, TrafficError, nearest
from topologies.registry import Injected
from traffic.placement import PlacementSite
from traffic.workload import PLACEMENTS


@PLACEMENTS.register("file", example={"path": "hosts.txt"})
def from_file(path: str, site: Injected[PlacementSite]) -> Ints:
    """Ranks fill the hosts a file lists, one ``host`` or ``host slots=n`` per line, in rank order.

    Parameters
    ----------
    path : str
        Host list, relative to the scenario. ``#`` starts a comment. Without ``slots`` all GPUs of the host are used.

    Returns
    -------
    ndarray of int, shape (ranks, 2)
        Host index and GPU index of every rank.

    Raises
    ------
    FormatError
        With file and line: an unknown or repeated host, or wrong slots (FP6210).
    TrafficError
        When the file cannot be read or has too few slots (FP4025).
    """
    try:
        lines = (site.directory / path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise TrafficError(
            f"cannot read {path}: {error.strerror}",
            where="placement.path",
            hint="paths are relative to the scenario",
            code="FP4025",
        ) from error
    index = {name: number for number, name in enumerate(site.hosts)}
    taken: dict[int, int] = {}
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        words = line.split("#", 1)[0].split()
        if words:
            problem = _take(words, index, taken, site.gpus_per_host)
            if problem:
                problems.append(Problem(problem[0], code="FP6210", file=path, line=number, hint=problem[1]))
    if problems:
        raise FormatError(problems)
    slots = sum(taken.values())
    if slots < site.ranks:
        raise TrafficError(
            f"{path} has {slots:,} slots on {len(taken):,} hosts, but there are {site.ranks:,} ranks",
            where="placement.path",
            hint=f"list more hosts, or say gpus: {slots}",
            code="FP4025",
        )
    host = np.repeat(list(taken), list(taken.values()))
    gpu = np.concatenate([np.arange(count) for count in taken.values()])
    return column(np.stack([host, gpu], axis=1)[: site.ranks], np.int32)


def _take(words: list[str], index: dict[str, int], taken: dict[int, int], gpus: int) -> tuple[str, str] | None:
    """Note one line's slots in ``taken``, or say what is wrong and what would help."""
    name, slots = words[0], gpus
    if name not in index:
        close = nearest(name, index)
        return (
            f"unknown host {name!r}",
            f"did you mean {close!r}?" if close else f"hosts are named like {next(iter(index))}",
        )
    if index[name] in taken:
        return f"host {name!r} is listed twice", "give it one line with slots=n"
    if len(words) > 1:
        key, _, value = words[1].partition("=")
        if len(words) > 2 or key != "slots" or not value.isdigit():
            return f"{' '.join(words[1:])!r} is not understood", f"write: {name} slots={gpus}"
        slots = int(value)
        if not 1 <= slots <= gpus:
            return f"{slots} slots on {name!r}, which has {gpus} GPUs", f"slots is 1 to {gpus}"
    taken[index[name]] = slots
    return None
