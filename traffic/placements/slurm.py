"""Hosts as Slurm knows them: the output of ``scontrol show nodes``."""

from __future__ import annotations

import re

from topologies.columns import Ints
from topologies.registry import Injected
from traffic.files import read_beside
from traffic.hostlist import expand_hosts
from traffic.placement import PlacementSite
from traffic.slots import Slots
from traffic.workload import PLACEMENTS

_WORD = re.compile(r"(\w+)=(\S*)")
_GPUS = re.compile(r"gpu(?::[^:,()]+)?:(\d+)")
_UNUSABLE = ("DOWN", "DRAIN", "FAIL", "MAINT", "NOT_RESPONDING", "POWERED_DOWN", "RESERVED", "UNKNOWN")


@PLACEMENTS.register("slurm", example={"path": "nodes.txt"})
def slurm(path: str, nodes: str | None = None, *, site: Injected[PlacementSite]) -> Ints:
    """Ranks fill the usable nodes of ``scontrol show nodes`` in its order, or in that of a node list.

    Parameters
    ----------
    path : str
        What ``scontrol show nodes`` printed (``-o`` too), relative to the scenario. Nodes that are down or drained are
        passed over; of ``Gres=gpu:8`` what ``GresUsed=`` or ``AllocTRES=`` takes is not used.
    nodes : str, optional
        Host ranges, such as ``SLURM_JOB_NODELIST``; all usable nodes if absent.

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
    slots = Slots(site, path)
    found: dict[str, tuple[int, int | None]] = {}
    for line, record in _records(read_beside(site.directory, path, "placement.path").splitlines()):
        free = _free_gpus(record)
        if any(word in record.get("State", "") for word in _UNUSABLE) or free == 0:
            slots.pass_over()
        else:
            found[record["NodeName"]] = (line, free)
    if not found:
        slots.problem(1, "no usable node", "the file is what scontrol show nodes prints: NodeName=... State=...")
    try:
        chosen = list(found) if nodes is None else expand_hosts(nodes)
    except ValueError as error:
        slots.problem(1, f"nodes: {error}", "Slurm writes ranges like n[001-032,040]")
        chosen = []
    for name in chosen:
        if name in found:
            slots.add(found[name][0], name, found[name][1], short=True)
        else:
            slots.problem(1, f"node {name!r} is not in the file, or not usable", "leave it out of nodes")
    return slots.places()


def _records(lines: list[str]) -> list[tuple[int, dict[str, str]]]:
    """Keys and values of every node, with the line it starts at."""
    records: list[tuple[int, dict[str, str]]] = []
    for number, line in enumerate(lines, start=1):
        words = dict(_WORD.findall(line))
        if "NodeName" in words:
            records.append((number, words))
        elif records:
            records[-1][1].update(words)
    return records


def _free_gpus(record: dict[str, str]) -> int | None:
    """GPUs nobody has; None where the node does not say how many it has."""
    total = _GPUS.search(record.get("Gres", ""))
    if total is None:
        return None
    used = _GPUS.search(record.get("GresUsed", "")) or re.search(r"gres/gpu=(\d+)", record.get("AllocTRES", ""))
    return int(total[1]) - (int(used[1]) if used else 0)
