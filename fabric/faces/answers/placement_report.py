"""What ``fabric place`` prints: placements side by side, how sure the best is, and how to have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fabric.faces.views.placements import placement_table
from fabric.faces.views.row_kinds import PLACEMENTS
from fabric.output.columns import seconds_text
from fabric.output.document import Line
from fabric.output.numbers import finite
from fabric.output.table import Table
from fabric.scenario.provenance import envelope
from fabric.share.place.result import PlacementResult
from topologies.budget import counted
from topologies.units import percent
from traffic.hostlist import folded_hosts

CLOSE = 0.01  # a gap that needs no excuse


def placement_document(result: PlacementResult) -> list[Table | Line]:
    """The job, its placements, the gap, and its hosts."""
    setting = result.setting
    free = int(setting.free.sum())
    head = (
        f"{result.loaded.scenario.name}: {setting.job}, {counted(setting.ranks, 'ranks')} on "
        f"{counted(setting.wanted, 'hosts')} of {free:,} free; groups are those of the lowest level ({_word(result)})"
    )
    table = placement_table(result).only(*PLACEMENTS.shown).as_rows()
    return [Line(head), table, *_verdict(result), *(Line(text) for text in result.notes), *_files(result)]


def _word(result: PlacementResult) -> str:
    words = result.setting.groups.words
    return words[0] if words else "none"


def _verdict(result: PlacementResult) -> list[Line]:
    if result.chosen is None:
        return [Line("no placement is chosen", "bad"), *_search(result)]
    lines = []
    names = folded_hosts(result.hosts_of(result.chosen))
    lines.append(Line(f"hosts in order: {names if len(names) <= 200 else names[:197] + '...'}"))
    bound, gap = result.bound, result.gap
    if bound is None or gap is None:
        lines.append(Line("no bound above 0 s is known for the step of this job", "warn"))
    elif gap <= 1e-9:
        lines.append(Line("no placement on the free hosts has a shorter step: it is equal to the bound", "good"))
    else:
        lines.append(
            Line(
                f"no placement on whole free hosts has a step below {seconds_text(bound.step_s)} (bound); this one is "
                f"{percent(gap)} above"
            )
        )
        lines += _gap(result) if gap > CLOSE else []
    return [*lines, *_search(result)]


def _search(result: PlacementResult) -> list[Line]:
    if not result.ended:
        return []
    return [Line(f"{counted(result.estimated, 'candidates')} estimated, {result.routed:,} routed: {result.ended}")]


def _gap(result: PlacementResult) -> list[Line]:
    """Where the chosen step is above the bound; what of it another placement could gain is not known."""
    assert result.above is not None
    parts = zip(
        result.above, ("that it needs at line rate of its NICs", "of waiting for links that are too full"), strict=True
    )
    where = " and ".join(f"{seconds_text(seconds)} {words}" for seconds, words in parts if seconds > 0)
    return [Line(f"above the bound: {where}; what of that another placement could gain is not known")]


def _files(result: PlacementResult) -> list[Line]:
    if result.folder:
        return [Line(f"{result.folder}: files of the placement; scenario-keys.txt has the flags that route it")]
    return []


def placement_record(result: PlacementResult) -> dict[str, Any]:
    """``PlacementResult``, but for its rows."""
    return {
        **envelope("PlacementResult", result.loaded),
        "scheduler": result.scheduler,
        "jobs": [] if result.chosen is None else [_job(result)],
        "estimated": result.estimated,
        "routed": result.routed,
        "stopped": result.stopped,
        "gap_parts": _above(result),
        "search_ended": result.ended or None,
        "notes": list(result.notes),
        "folder": result.folder or None,
    }


def _above(result: PlacementResult) -> dict[str, float] | None:
    return None if result.above is None else dict(zip(("nics_s", "links_s"), result.above, strict=True))


def _job(result: PlacementResult) -> dict[str, Any]:
    trial, hosts = result.chosen, result.setting.hosts
    assert trial is not None
    return {
        "id": result.setting.job,
        "hosts": result.hosts_of(trial),
        "ranks": [
            {"rank": rank, "host": hosts[host], "gpu": gpu} for rank, (host, gpu) in enumerate(trial.placed.tolist())
        ],
        "step_time_s": finite(trial.job.step_time_s),
        "ideal_step_time_s": finite(trial.job.step_time_ideal_s),
        "bound_step_time_s": None if result.bound is None else finite(result.bound.step_s),
        "gap": finite(result.gap),
        "checkpoint_time_s": finite(trial.job.checkpoint_time_s),
        "mfu": trial.mfu,
    }


def placement_entry(result: PlacementResult) -> Callable[[int], dict[str, Any]]:
    """What JSON says of a placement: its columns and the names of its hosts in order."""
    table = placement_table(result).only(*PLACEMENTS.columns)

    def entry(row: int) -> dict[str, Any]:
        return {**table.entry(row), "host_names": result.hosts_of(result.trials[row])}

    return entry
