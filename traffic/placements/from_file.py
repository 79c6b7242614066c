"""Hosts in the order of a file, such as a scheduler's or MPI's host list; or ranks as MPI's rank file places them."""

from __future__ import annotations

import re

import numpy as np

from topologies.columns import Ints, column
from topologies.errors import TrafficError
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, DeclaredFields, Field
from topologies.registry import Injected
from traffic.files import read_beside
from traffic.hostlist import expand_hosts
from traffic.placement import PlacementSite
from traffic.slots import Slots
from traffic.workload import PLACEMENTS

FIELDS = DeclaredFields(
    "placement",
    "file",
    "hostfiles and rank files of Open MPI, host files of MPICH's Hydra and of DeepSpeed, Slurm's host ranges",
    [
        Field("host", MODELLED, "a host, or a Slurm range of them, in the order of the ranks"),
        Field("slots", MODELLED, "GPUs of the host that are used, the first free ones; all of them if absent"),
        Field("max_slots", MODELLED, "at most so many GPUs, where slots is absent; never fewer than slots"),
        Field("max-slots", MODELLED, "as max_slots"),
        Field("host:n", MODELLED, "as slots=n, the spelling of MPICH and Intel MPI"),
        Field("rank", MODELLED, "rank R=HOST slot=GPU of a rank file; every rank has one line"),
        Field("slot", MODELLED, "the GPU of a rank, from 0"),
        Field("#", HARMLESS, "starts a comment"),
        Field("slot=socket:core", REFUSED, "a socket and its cores, or several; slot is one GPU"),
        Field("rank=+n", REFUSED, "a host by its number in another file; write its name"),
        Field("binding", REFUSED, "binding of ranks to cores; write a rank file with the GPU of every rank"),
        Field("sockets", REFUSED, "ranks by socket; write slots=n"),
        Field("cpu", REFUSED, "slots of LAM; write slots=n"),
        Field("port", REFUSED, "no part of a placement"),
        Field("user*", REFUSED, "no part of a placement"),
    ],
    unknown="refused",
)
_RANK = re.compile(r"rank\s+(\d{1,9})\s*=\s*(\S+)\s+slots?\s*=\s*(\S+)\s*$")
_HOST = re.compile(r"([^\s:=]+)(?::(\d{1,9}))?(?:\s+|$)")
_KEY = re.compile(r"([^\s=]+)(?:\s*=\s*([^\s=]*))?(?:\s+|$)")


@PLACEMENTS.register("file", example={"path": "hosts.txt"})
def from_file(path: str, site: Injected[PlacementSite]) -> Ints:
    """Ranks fill the hosts a file lists in order, or run where a rank file says.

    Parameters
    ----------
    path : str
        Relative to the scenario; ``#`` starts a comment. A host list has one ``host``, ``host slots=n``, ``host:n`` or
        Slurm range (``n[001-032]``) per line; without ``slots`` all free GPUs of the host are used. A rank file has
        lines ``rank 0=host slot=3``, with the GPU as slot.

    Returns
    -------
    ndarray of int, shape (ranks, 2)
        Host index and GPU index of every rank.

    Raises
    ------
    FormatError
        With file and line: an unknown or repeated host, wrong slots or ranks (FP6210), or a word that is not followed
        (FP6251).
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
        _take(slots, path, number, line)
    return slots.places()


def _take(slots: Slots, path: str, number: int, line: str) -> None:
    """Note one line of a host list."""
    host = _HOST.match(line)
    if host is None:
        slots.problem(number, f"{line!r} does not start with a host", "write: host slots=n")
        return
    try:
        names = expand_hosts(host[1])
    except ValueError as error:
        slots.problem(number, str(error), "Slurm writes ranges like n[001-032,040]")
        return
    keys = dict(_KEY.findall(line[host.end() :]))
    refused = FIELDS.refusals(dict.fromkeys(keys, number), path)
    for problem in refused:
        slots.refuse(problem)
    counts: dict[str, int] = {"host:n": int(host[2])} if host[2] else {}
    for key, value in keys.items() if not refused else ():
        if not re.fullmatch(r"\d{1,9}", value):
            slots.problem(number, f"{key}={value} is not a number", f"write: {host[1]} {key}=n")
            return
        counts[key.replace("-", "_")] = int(value)
    stated = [counts[key] for key in ("slots", "host:n") if key in counts]
    most = counts.get("max_slots")
    if len(set(stated)) > 1 or (stated and most is not None and stated[0] > most):
        slots.problem(number, f"{line!r} says two numbers of slots", "write one: slots=n")
        return
    for name in names if not refused else ():
        slots.add(number, name, stated[0] if stated else most)


def _rank_file(path: str, lines: list[tuple[int, str]], site: PlacementSite) -> Ints:
    """Places from ``rank R=HOST slot=GPU`` lines, each rank once."""
    slots = Slots(site, path)
    places = np.full((site.ranks, 2), -1, dtype=np.int64)
    for number, line in lines:
        match = _RANK.match(line)
        if not match:
            slots.problem(number, f"{line!r} is not understood", "write: rank 0=host slot=0")
            continue
        refused = [
            name
            for name, wrong in (
                ("rank=+n", match[2].startswith("+")),
                ("slot=socket:core", re.fullmatch(r"\d{1,9}", match[3]) is None),
            )
            if wrong
        ]
        for problem in FIELDS.refusals(dict.fromkeys(refused, number), path):
            slots.refuse(problem)
        if refused:
            continue
        rank, gpu, host = int(match[1]), int(match[3]), slots.host(number, match[2])
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
