"""Energy of the network in a step of every job: one table for text, report and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.bill.energy import NetworkPower, StepEnergy, step_energies
from fabric.output.columns import counts, named, ratios, times
from fabric.output.table import Table
from fabric.result import JobTime
from topologies.units import format_joules, format_watts

ENERGY_NOTE = (
    "the draw is taken as constant, since catalogues state none of idle devices; a job's share of the network is its "
    "ranks over all GPUs, or endpoints"
)


def energy_table(energies: Sequence[StepEnergy], power: NetworkPower) -> Table:
    """Share of the network, step, and joules at typical and at largest draw, of every job."""
    columns = (
        named("job", "job", [one.job for one in energies], width=14),
        counts("ranks", "ranks", [one.ranks for one in energies], priority=2),
        ratios("share", "of the network", [one.share for one in energies]),
        times("step_time_s", "step", [one.step_time_s for one in energies]),
        counts("typical_j", "energy, typical", [one.typical_j for one in energies], unit="J", text=format_joules),
        counts("largest_j", "at largest draw", [one.largest_j for one in energies], unit="J", text=format_joules),
        counts(
            "each_j", "a GPU", [one.typical_j / one.ranks for one in energies], unit="J", text=format_joules, priority=1
        ),
    )
    drawn = "" if power.typical_w is None else f": {format_watts(power.typical_w)}, taken as constant"
    return Table.of(columns, len(energies), title=f"energy of the network in a step{drawn}")


def energy_of(jobs: Sequence[JobTime], power: NetworkPower) -> Table:
    """The table of a result."""
    return energy_table(step_energies(jobs, power), power)


def power_record(power: NetworkPower | None, jobs: Sequence[JobTime]) -> dict[str, Any] | None:
    """The same for machines: what the network draws, what has no watts, and every job's step."""
    if power is None:
        return None
    return {
        "typical_w": power.typical_w,
        "largest_w": power.largest_w,
        "missing": list(power.missing),
        "why_not": power.why or None,
        "steps": energy_of(jobs, power).records(),
    }
