"""What ``fabric storage`` prints: layouts with their figures, the one to take and why, devices, files."""

from __future__ import annotations

from typing import Any

from fabric.faces.views.row_kinds import LAYOUTS
from fabric.faces.views.storage import layout_table
from fabric.output.document import Line
from fabric.output.numbers import finite
from fabric.output.table import Table
from fabric.scenario.provenance import envelope
from fabric.share.storage.cluster import NEARFULL
from fabric.share.storage.layouts import StorageAnswer
from topologies.units import format_bytes, percent
from traffic.storage.rebuild import BACKFILL_FULL

_EVEN = 1.005  # over the mean: as many as are shown


def storage_document(answer: StorageAnswer, folder: str = "", said: str = "") -> list[Table | Line]:
    """Layouts, the verdict, devices, files."""
    cluster, best = answer.cluster, answer.best
    code = f"k {cluster.data} + m {cluster.parity}" if cluster.erasure else f"{cluster.members} copies"
    kept = "" if cluster.stored_bytes is None else f", {format_bytes(cluster.stored_bytes)} stored"
    head = f"{cluster.id}: {len(cluster.hosts):,} servers in {len(cluster.rack_sizes):,} racks, {code}{kept}"
    parts: list[Table | Line] = [Line(head), layout_table(answer).only(*LAYOUTS.shown).as_rows()]
    if best.broken:
        parts.append(Line(f"every layout breaks a limit; {best.name} breaks fewest: {'; '.join(best.broken)}", "bad"))
    else:
        parts.append(Line(f"take {best.name}: {_why(answer)}", "good"))
    if best.in_rack is not None and best.in_rack > cluster.parity:
        parts.append(Line(f"a rack may hold {best.in_rack} parts of an object: its loss may lose data", "warn"))
    if best.lost:
        parts.append(Line(f"recovery is after the loss of {_lost(best.lost)}; recovery.lost names another"))
    parts += _devices(answer)
    parts += [Line(f"--set={text}") for text in best.overrides]
    if folder:
        parts.append(Line(f"wrote {folder}" + (f"; {said}" if said else "")))
    return parts


def _why(answer: StorageAnswer) -> str:
    best = answer.best
    reasons = ["it keeps all limits"]
    if best.in_rack == 1:
        reasons.append("survives a rack")
    reasons.append("and sends the least of its reads across the core of those that do")
    return ", ".join(reasons)


def _devices(answer: StorageAnswer) -> list[Line]:
    """A line a class: how full the fullest server is, and how full when the loss is rebuilt."""
    cluster, best = answer.cluster, answer.best
    lines = []
    for devices in cluster.devices:
        filled, after = cluster.filled(devices, best.balance), cluster.filled(devices, best.after)
        over = filled is not None and filled > NEARFULL
        full = after is not None and after > BACKFILL_FULL
        text = f"{devices.device_class}: {devices.count} x {format_bytes(devices.size_bytes)} a server"
        if filled is not None:
            text += f", {percent(filled)} full" + (" on the fullest" if best.balance > _EVEN else "")
        if over:
            text += f", above the {percent(NEARFULL, 0)} at which Ceph warns"
        if after is not None and after != filled:
            text += f"; {percent(after)} on the fullest when {_lost(best.lost)} is rebuilt"
            text += f", above the {percent(BACKFILL_FULL, 0)} at which Ceph stops" if full else ""
        lines.append(Line(text + (": take it" if devices is answer.devices else ""), "warn" if over or full else ""))
    if cluster.devices and answer.devices is None:
        lines.append(Line("no device class alone holds the data, and what a loss adds to it", "bad"))
    return lines


def _lost(servers: tuple[str, ...]) -> str:
    return ", ".join(servers) if len(servers) <= 3 else f"{', '.join(servers[:2])} and {len(servers) - 2:,} more"


def storage_record(
    answer: StorageAnswer, folder: str = "", files: tuple[str, ...] = (), said: str = ""
) -> dict[str, Any]:
    """``StorageResult``, but for its rows."""
    cluster = answer.cluster
    return {
        **envelope("StorageResult", answer.loaded),
        "workload": cluster.id,
        "fabric": cluster.fabric,
        "servers": [
            {"host": host, "rack": rack or None, "pod": pod or None}
            for host, rack, pod in zip(cluster.hosts, cluster.racks, cluster.pods, strict=True)
        ],
        "data": cluster.data,
        "parity": cluster.parity,
        "stored_bytes": cluster.stored_bytes,
        "devices": [
            {
                "class": one.device_class, "count": one.count, "size_bytes": one.size_bytes,
                "filled": finite(cluster.filled(one)), "fullest": finite(cluster.filled(one, answer.best.balance)),
                "after_loss": finite(cluster.filled(one, answer.best.after)), "chosen": one is answer.devices,
            }
            for one in cluster.devices
        ],
        "lost": list(answer.best.lost),
        "never_rebuilt": answer.best.never or None,
        "overrides": list(answer.best.overrides),
        "broken": list(answer.best.broken),
        "folder": folder or None,
        "files": list(files),
        "read_back": said or None,
    }  # fmt: skip
