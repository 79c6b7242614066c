"""A run of nccl-tests held against what is expected: row by row, in and out of place, by the mark of its size.

Where bandwidth rules (from half of the best expected busbw on) a row has to reach the pass mark. Below that latency
rules, which differs more from run to run: there the time may be twice the expected one. Every row counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.expect.result import CheckRow, CollectiveTest, Rate, SizeRow
from topologies.columns import Floats
from topologies.units import format_message, percent
from traffic.nccl_tests.run import Run, Timing

BANDWIDTH_RULES = 0.5  # of the best expected busbw, from which on the mark of the table holds
SMALL_MAY_TAKE = 2.0  # times the expected time, where latency rules
ABOVE_IDEAL = 1.02  # of the ideal busbw: what is more cannot be on the fabric that the scenario describes
_SAME_SIZE = 0.02  # sizes of a run and of the table, which cuts them to what programs of today run


def rows_of(run: Run, test: CollectiveTest) -> tuple[CheckRow, ...]:
    """Every measured half of a row beside the expected one of its size, in the order of the log."""
    sizes = np.array([row.size_bytes for row in test.rows])
    rows = []
    for measured in run.rows:
        at = int(np.argmin(np.abs(np.log(sizes / measured.size_bytes))))
        if abs(sizes[at] / measured.size_bytes - 1) > _SAME_SIZE:
            continue
        for in_place, timing in measured.timings:
            rows.append(_row(run, test, measured.size_bytes, in_place, timing, test.rows[at]))
    return tuple(rows)


def _row(
    run: Run, test: CollectiveTest, size_bytes: int, in_place: bool, timing: Timing, expected: SizeRow
) -> CheckRow:
    judged_by = "bandwidth" if expected.size_bytes >= bandwidth_from(test) else "time"
    mark = expected.pass_mark_busbw_gbytes_per_s
    if judged_by == "time":
        mark = min(mark, expected.expected.busbw_gbytes_per_s / SMALL_MAY_TAKE)
    measured = Rate(
        time_s(run, test, size_bytes, timing), size_bytes / 1e9 / time_s(run, test, size_bytes, timing), 0.0
    )
    busbw = timing.busbw.value if timing.busbw.value > 1 else _busbw(run, test, measured)
    measured = Rate(measured.time_s, measured.algbw_gbytes_per_s, busbw)
    ok = busbw + timing.busbw.rounding >= mark
    return CheckRow(run.operation.name, size_bytes, in_place, measured, expected.expected, mark, ok, judged_by)


def time_s(run: Run, test: CollectiveTest, size_bytes: int, timing: Timing) -> float:
    """Time of the operation; by its bandwidth where the time printed is the host's."""
    if not timing.host_time and timing.time_us.value > 0:
        return timing.time_us.value * 1e-6
    factor = run.operation.algorithm(test.ranks)
    return size_bytes * factor / 1e9 / max(timing.algbw.value, timing.algbw.rounding)


def _busbw(run: Run, test: CollectiveTest, rate: Rate) -> float:
    """Of small messages more exact by their time than as printed."""
    return rate.algbw_gbytes_per_s * run.operation.algorithm(test.ranks) * run.operation.bus(test.ranks)


def bandwidth_from(test: CollectiveTest) -> float:
    """The smallest size from which on bandwidth rules, bytes."""
    best = max(row.expected.busbw_gbytes_per_s for row in test.rows)
    return min(row.size_bytes for row in test.rows if row.expected.busbw_gbytes_per_s >= BANDWIDTH_RULES * best)


def curves_of(rows: Sequence[CheckRow]) -> tuple[Floats, Floats, Floats]:
    """Sizes ascending, the measured time of each (the median of its rows), and the expected one."""
    sizes = sorted({row.size_bytes for row in rows})
    of_size = {size: [row for row in rows if row.size_bytes == size] for size in sizes}
    measured = [float(np.median([row.measured.time_s for row in of_size[size]])) for size in sizes]
    return (
        np.array(sizes, dtype=float),
        np.array(measured),
        np.array([of_size[size][0].expected.time_s for size in sizes]),
    )


def notes_of(run: Run, test: CollectiveTest, rows: Sequence[CheckRow]) -> list[str]:
    """How rows were judged, and what of a run cannot be as the scenario says."""
    place = f"{run.file}:{run.line}" if run.line else run.file
    smallest = bandwidth_from(test)
    notes = []
    if any(row.judged_by == "time" for row in rows):
        notes.append(
            f"{run.operation.name}: from {format_message(smallest)} on rows have to reach the pass mark; smaller ones, "
            f"where latency rules, may take {SMALL_MAY_TAKE:g} times as long as expected"
        )
    ideal = {row.size_bytes: row.ideal.busbw_gbytes_per_s for row in test.rows}
    best = max(rows, key=lambda row: row.measured.busbw_gbytes_per_s)
    limit = max(ideal.values())
    if best.measured.busbw_gbytes_per_s > ABOVE_IDEAL * limit:
        part = percent(best.measured.busbw_gbytes_per_s / limit)
        notes.append(
            f"{place}: busbw at {format_message(best.size_bytes)} is {part} of the ideal: the scenario has slower "
            "NICs, links or GPUs than the machine that was measured"
        )
    left = len({row.size_bytes for row in run.rows}) - len({row.size_bytes for row in rows})
    if left:
        notes.append(f"{place}: {left} sizes of it cannot be predicted, below 16 bytes a rank, and are left out")
    return notes
