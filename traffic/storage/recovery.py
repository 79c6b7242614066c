"""Recovery of a storage cluster: what is lost, where it goes, how fast, and whether it can be done at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from topologies.columns import Floats, Ints
from topologies.units import format_bytes, percent
from traffic.storage.pool import Pool
from traffic.storage.rebuild import BACKFILL_FULL, Rebuild, worst_rebuild
from traffic.storage.repair import (
    RecoverySpec,
    check_window,
    lost_servers,
    possible_losses,
    recovery_gbps,
    repair_matrix,
)
from traffic.workload import KeptData

_UNREAD = (
    "lost parts go to all servers that are left, by weight: which may take them is not read from a CRUSH map or a rule "
    "of several steps, nor whether they have room (recovery)"
)
_SMALL = 1e-6  # part of a server that an OSD is where nothing says how many there are


@dataclass(frozen=True, eq=False)
class Recovery:
    """What servers send each other, and what became of the data."""

    gbps: float
    matrix: Floats  # shape (n, n), bytes from server to server for one that is rebuilt
    kept: KeptData
    assumed: tuple[str, ...] = ()


def recovery_of(
    spec: RecoverySpec,
    pool: Pool,
    rack: Ints,
    names: tuple[str, ...],
    *,
    stored: float | None = None,
    disks: int = 0,
    room: float = 0.0,
) -> Recovery:
    """Recovery after the loss that is named, or the worst single one.

    Parameters
    ----------
    stored : float, optional
        Bytes kept, before copies.
    disks : int
        OSDs of a server; 0 where nothing says it.
    room : float
        Bytes that they hold; 0 where nothing says it.

    Raises
    ------
    TrafficError
        When it does not follow what is lost, where it goes or how fast (FP4052, FP4054, FP4090, FP4091, FP4094).
    """
    named = lost_servers(spec, names, rack)
    check_window(spec, stored, pool)
    balance = float(pool.weight.max() * len(names))
    if spec.when == "rebalance" or pool.domain is None:
        assumed = () if spec.when == "rebalance" else (_UNREAD,)
        matrix = repair_matrix(pool, named, rack, spec.when)
        return Recovery(recovery_gbps(spec, 0.0), matrix, KeptData(balance, balance), assumed)
    losses = [named] if len(named) else possible_losses(spec.when, pool, rack)
    stays = 0.0 if spec.when != "osd-loss" else 1 - (1 / disks if disks else _SMALL)
    worst = worst_rebuild(pool, losses, stays)
    held = (stored or 0.0) * pool.code.members / pool.code.data
    lost = held * worst.lost_share
    gbps = recovery_gbps(spec, lost * (1 - worst.homeless))
    gone = tuple(names[server] for server in worst.gone)
    kept = KeptData(
        balance,
        worst.fullest[1] * len(names),
        gone,
        lost if stored is not None and (disks or spec.when != "osd-loss") else None,
        _never(worst, pool, spec.when, names, held, room),
    )
    what = f"an OSD of {gone[0]}" if spec.when == "osd-loss" else _listed(gone)
    chosen: tuple[str, ...] = (
        () if len(named) else (f"{what} is taken as lost: no other loss asks more of a server (recovery.lost)",)
    )
    most = min(len(np.unique(np.asarray(pool.domain)[worst.gone])), pool.code.members)
    if most > pool.code.parity:
        chosen += (
            f"an object may have {most} parts on {_listed(gone)}: it is lost then, not rebuilt (failure_domain)",
        )
    return Recovery(gbps, worst.matrix, kept, chosen)


def _never(worst: Rebuild, pool: Pool, when: str, names: tuple[str, ...], held: float, room: float) -> str:
    """Why the loss is not rebuilt; '' where it is."""
    gone = _listed(tuple(names[server] for server in worst.gone))
    what = f"what an OSD of {gone} held" if when == "osd-loss" else f"what {gone} held"
    until = "it stays degraded until the part returns"
    if worst.homeless > 0:
        part = "" if worst.homeless > 1 - 1e-9 else f"{percent(worst.homeless)} of "
        domains = len(np.unique(np.asarray(pool.domain)))
        parts = f"{pool.code.members} chunks" if pool.code.erasure else f"{pool.code.members} copies"
        if pool.code.parity < 1:
            return f"{part}{what} is lost: there is no other copy"
        if pool.members is not None and len(worst.gone) > 1:
            return f"{part}{what} is lost or has no place: too few parts or failure domains are left"
        return f"{part}{what} has no place among {domains} failure domains for {parts} of an object: {until}"
    server, most = worst.fullest
    left = 1.0
    if when == "osd-loss" and server in worst.gone:
        left -= worst.lost_share / max(float(pool.weight[server]), 1e-300)
    if room and held * most > BACKFILL_FULL * room * left * (1 + 1e-9):
        return (
            f"{what} does not fit: {names[server]} would keep {format_bytes(held * most)} of "
            f"{format_bytes(room * left)}, and Ceph fills to {percent(BACKFILL_FULL, 0)}; {until}"
        )
    return ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"
