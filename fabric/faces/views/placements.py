"""Placements of one job, side by side."""

from __future__ import annotations

from fabric.faces.views.row_kinds import PLACEMENTS
from fabric.output.columns import counts, factors, loads, named, rates, times
from fabric.output.numbers import finite
from fabric.output.table import Column, Mark, Table
from fabric.result import JobPhase
from fabric.share.place.result import PlacementResult
from fabric.share.place.trial import Trial
from traffic.hostlist import folded_hosts


def placement_table(result: PlacementResult) -> Table:
    """One row per placement; the chosen one is marked."""
    trials, bound = result.trials, result.bound
    least = bound.step_s if bound else None
    slow = [_slowest(trial) for trial in trials]
    steps = [trial.job.step_time_s for trial in trials]
    ideal = [trial.job.step_time_ideal_s for trial in trials]
    stored = [trial.job.checkpoint_time_s for trial in trials]
    above = [step / least if step is not None and least else None for step in steps]
    reads = [trial.score.reads or None for trial in trials]
    inner = [finite(trial.score.reads_gbps) for trial in trials]
    hottest = [phase.hottest_link if phase else None for phase in slow]
    columns: dict[str, Column] = {
        "placement": named("placement", "placement", [trial.name for trial in trials]),
        "hosts": counts("hosts", "hosts", [len(result.hosts_of(trial)) for trial in trials], width=6),
        "groups": counts("groups", "groups", [result.spanned(trial) for trial in trials], width=6),
        "step_time_s": times("step_time_s", "step", steps),
        "ideal_step_time_s": times("ideal_step_time_s", "ideal", ideal),
        "bound_step_time_s": times("bound_step_time_s", "bound", [least for _ in trials]),
        "above_bound": factors("above_bound", "step / bound", above, width=12),
        "checkpoint_time_s": times("checkpoint_time_s", "checkpoint", stored, width=10),
        "read_utilisation": loads("read_utilisation", "fullest link of reads", reads, width=21, priority=2),
        "read_gbps": rates("read_gbps", "reads between switches Gbps", inner, width=27, priority=2),
        "phase": named("phase", "slowest phase", [phase.name if phase else None for phase in slow]),
        "stretch": factors("stretch", "stretch", [phase.stretch if phase else None for phase in slow]),
        "hottest_link": named("hottest_link", "hottest link", hottest),
        "names": named("names", "names", [folded_hosts(result.hosts_of(trial)) for trial in trials], priority=2),
        "chosen": named("chosen", "chosen", ["yes" if trial is result.chosen else "no" for trial in trials]),
    }
    marks: list[Mark] = ["good" if trial is result.chosen else "" for trial in trials]
    return Table.of([columns[name] for name in PLACEMENTS.names], len(trials), title="placements", marks=marks)


def _slowest(trial: Trial) -> JobPhase | None:
    """The phase on a fabric that costs the step most beyond its ideal time; the longest where none does."""
    on_fabric = [phase for phase in trial.job.phases if phase.in_step and phase.fabric is not None]
    return max(on_fabric, key=lambda phase: ((phase.stretch or 1.0) > 1 + 1e-6, phase.predicted_s or 0.0), default=None)
