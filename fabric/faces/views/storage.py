"""Layouts of a storage cluster, the one to take first, and the devices of its servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fabric.faces.views.row_kinds import LAYOUTS, STORED
from fabric.output.columns import Special, counts, factors, from_records, named, rates, ratios, times
from fabric.output.table import Column, Mark, Table
from fabric.share.storage.layouts import StorageAnswer


def layout_table(answer: StorageAnswer) -> Table:
    """One row a layout; those that break a limit or cannot be are marked."""
    found = answer.layouts
    can = [not one.refused for one in found]

    def known(name: str) -> list[float | None]:
        return [getattr(one, name) if there else None for one, there in zip(found, can, strict=True)]

    columns: dict[str, Column] = {
        "layout": named("layout", "layout", [one.name for one in found], width=14),
        "failure_domain": named("failure_domain", "failure domain", [one.failure_domain for one in found], priority=2),
        "read_from": named("read_from", "reads", [one.read_from for one in found], priority=2),
        "core_read_gbps": rates("core_read_gbps", "reads in core Gb/s", known("core_read_gbps"), width=12),
        "max_utilisation": ratios("max_utilisation", "fullest link", known("max_utilisation"), width=12),
        "hottest_link": named("hottest_link", "which", [one.hottest_link for one in found], priority=2, flexible=True),
        "recovery_s": times("recovery_s", "rebuilt in", [one.recovery_s for one in found], width=10),
        "fastest_s": times("fastest_s", "at best", [one.fastest_s for one in found], width=10, priority=1),
        "in_rack": counts("in_rack", "parts in a rack", [one.in_rack for one in found], width=8),
        "balance": factors("balance", "fullest server", known("balance"), priority=1),
        "kept": named("kept", "keeps limits", [_kept(one.refused, one.broken) for one in found], width=12),
        "chosen": named("chosen", "chosen", [one.chosen for one in found], texts=_yes(one.chosen for one in found)),
    }  # fmt: skip
    marks: list[Mark] = ["bad" if one.broken or one.refused else "good" if one.chosen else "" for one in found]
    return Table.of([columns[name] for name in LAYOUTS.names], len(found), title="layouts", marks=marks)


_SPECIAL: dict[str, Special] = {
    "servers": (counts, "servers", {}),
    "racks": (counts, "racks", {}),
    "devices": (counts, "devices", {}),
    "failure_domain": (named, "failure domain", {}),
    "read_back": (named, "read back", {"flexible": True}),
}


def stored_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """A row for every file that was written."""
    return Table.of(from_records(rows, STORED.columns, _SPECIAL), len(rows), title="exported")


def _yes(chosen: Iterable[bool]) -> list[str]:
    return ["yes" if one else "-" for one in chosen]


def _kept(refused: str, broken: tuple[str, ...]) -> str:
    if refused:
        return f"cannot be: {refused}"
    return f"no: {'; '.join(broken)}" if broken else "yes"
