"""Memory of a GPU of every job: what it holds, and whether that fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.output.columns import counts, named, volumes
from fabric.output.table import Column, Mark, Table
from traffic.workload import GpuMemory

FITS: dict[bool | None, str] = {True: "fits", False: "does not fit", None: "open"}
_PARTS = ("weights", "gradients", "optimizer", "activations", "buffers", "total", "reserved", "capacity")
_HEADERS = {"buffers": "gathered layers", "total": "in all", "reserved": "kept free", "capacity": "of the GPU"}


def memory_table(jobs: Sequence[tuple[str, GpuMemory | None]]) -> Table:
    """The stage of every job that needs most; jobs without are left out."""
    rows = [(job, memory) for job, memory in jobs if memory is not None]
    worst = [memory for _, memory in rows]
    columns = (
        named("job", "job", [job for job, _ in rows], width=14),
        counts("stage", "stage", [memory.stage for memory in worst], priority=2),
        *(volumes(name, _HEADERS.get(name, name), [getattr(each, name) for each in worst]) for name in _PARTS),
        Column("fits", "memory", [memory.fits for memory in worst], FITS.__getitem__, width=13),
    )
    marks: list[Mark] = ["bad" if memory.fits is False else "" for memory in worst]
    return Table.of(columns, len(rows), title="memory of a GPU, the stage that needs most", marks=marks)


def shown_memory(jobs: Sequence[tuple[str, GpuMemory | None]]) -> Table:
    """Memory for people: without what is nothing for all, and the stage where there is one."""
    table = memory_table(jobs).as_rows()
    shown = [memory for _, memory in jobs if memory is not None]
    return table if any(memory.buffers for memory in shown) else table.without("buffers")


def memory_record(memory: GpuMemory | None) -> dict[str, Any] | None:
    """Bytes of a GPU for machines; the parts add up to the total. Null where a job has no model."""
    if memory is None:
        return None
    return {name: getattr(memory, name) for name in _PARTS[:6]}


def memory_verdict_record(memory: GpuMemory | None) -> dict[str, Any] | None:
    """Which stage that is, what the GPU has, and whether it fits; null where nobody says what it has."""
    if memory is None:
        return None
    return {
        "stage": memory.stage,
        "capacity_bytes": memory.capacity,
        "reserved_bytes": memory.reserved,
        "fits": memory.fits,
    }
