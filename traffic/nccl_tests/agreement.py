"""Whether the numbers of a run agree: which operation it was, of how many ranks, and rows that cannot be.

What the program prints is redundant: the size over the time is algbw, busbw is algbw times a factor that depends on the
ranks, and for operations of shares the size is the count times the ranks. Each is held against the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from topologies.reading.text_input import Findings
from traffic.nccl_tests.operations import DATATYPE_BYTES, OLDER, OPERATIONS, Operation, operation_of_program
from traffic.nccl_tests.run import MeasuredRow, RawRun, Run, Timing

SLACK = 0.005  # of size over time beside rounding
_FACTOR_SLACK = 0.0005  # of busbw over algbw: one is printed from the other
_MOST_RANKS = 1_000_000
_ONE_RUN = "a log of one run, header and table as they were printed"
_UNITS = "sizes in B, times in us and bandwidths in GB/s, as the program printed them"


def agreed(raw: RawRun, findings: Findings, file: str, collective: Operation | None = None) -> Run | None:
    """The run, where its numbers agree; else what does not is added to ``findings``.

    Parameters
    ----------
    collective : Operation, optional
        What the user says the run was, for logs that do not.
    """
    operation = _operation(raw, findings, collective)
    if operation is None:
        return None
    groups = sorted({device.group for device in raw.devices})
    first = [device for device in raw.devices if device.group == groups[0]]
    listed = len(first) * raw.ranks_per_device if raw.devices_complete and first else None
    between = ranks_between(operation, raw.rows)
    if between is not None and between[0] > between[1]:
        between = None  # rows contradict each other: found below, row by row
        listed = listed or _most_common_ranks(operation, raw.rows)
    if between is not None and listed is not None and not between[0] <= listed <= between[1]:
        findings.add(
            f"the header lists {listed} ranks, and the rows are those of {_range(between)}",
            code="FP6271",
            line=raw.line,
            hint=_ONE_RUN,
        )
        return None
    alike = between is not None and between[0] == between[1]
    ranks = listed if listed is not None else between[0] if between is not None and alike else None
    before = len(findings.found)
    for row in raw.rows:
        for in_place, timing in row.timings:
            _check(operation, row, timing, ranks, "in place" if in_place else "out of place", findings)
    if len(findings.found) > before:
        return None
    return Run(
        file=file,
        line=raw.line,
        operation=operation_of_program(operation.program) or operation,
        ranks=ranks,
        ranks_between=between,
        groups=max(len(groups), 1),
        hosts=tuple(device.host for device in first for _ in range(raw.ranks_per_device)) if listed else (),
        products=tuple(sorted({device.product for device in first if device.product})),
        rows=tuple(row for row in raw.rows if row.size_bytes > 0),
        wrong=max([raw.wrong or 0, *map(_wrong, raw.rows)]),
        settings=raw.settings,
    )


def average_note(raw: RawRun) -> str:
    """What is to be said where the footer's average is not that of the rows; empty where it is."""
    busbw = [timing.busbw.value for row in raw.rows for _, timing in row.timings]
    if raw.average_busbw is None or not busbw:
        return ""
    average = sum(busbw) / len(busbw)
    if abs(average - raw.average_busbw) <= 0.006 + 0.002 * raw.average_busbw:
        return ""
    return (
        f"the footer's Avg bus bandwidth of {raw.average_busbw:g} GB/s is not that of the rows above it, "
        f"{average:.2f} GB/s: rows are missing, or were changed"
    )


def ranks_between(operation: Operation, rows: Iterable[MeasuredRow]) -> tuple[int, int] | None:
    """The least and the most ranks that the rows allow; None where they do not depend on ranks."""
    if not operation.tells_ranks:
        return None
    least, most = 1, _MOST_RANKS
    for row in rows:
        if operation.shared_out and (shares := _shares(row)) is not None and shares >= 1:
            least, most = max(least, math.ceil(shares)), min(most, math.floor(shares))
        for _, timing in row.timings:
            if operation.bus(4) == 1 or timing.algbw.low <= 0:
                continue
            low, high = (ratio / operation.factor_for_many for ratio in _busbw_per_algbw(timing))
            # the factor is that of very many ranks times (1 - 1 / ranks)
            least = max(least, math.ceil(1 / (1 - low))) if low < 1 else _MOST_RANKS
            most = min(most, math.floor(1 / (1 - high))) if high < 1 else most
    return (least, most) if (least, most) != (1, _MOST_RANKS) else None


def _most_common_ranks(operation: Operation, rows: Iterable[MeasuredRow]) -> int | None:
    """The number of ranks that most rows allow, one by one."""
    each = [between for row in rows if (between := ranks_between(operation, [row])) is not None]
    allowed = {least: sum(low <= least <= high for low, high in each) for least, _ in each}
    return max(allowed, key=lambda ranks: allowed[ranks], default=None)


def _busbw_per_algbw(timing: Timing) -> tuple[float, float]:
    """The least and the most that busbw / algbw can have been before both were rounded."""
    low, high = timing.busbw.low / timing.algbw.high, timing.busbw.high / timing.algbw.low
    return low * (1 - _FACTOR_SLACK / 100), high * (1 + _FACTOR_SLACK / 100)


def _shares(row: MeasuredRow) -> float | None:
    """Size over the bytes of the count; None where the type is not known, or nothing is counted."""
    counted = row.count * DATATYPE_BYTES.get(row.datatype, 0)
    return row.size_bytes / counted if counted else None


def _check(
    operation: Operation, row: MeasuredRow, timing: Timing, ranks: int | None, half: str, findings: Findings
) -> None:
    """Size over time against algbw, and algbw against busbw."""
    time_us, algbw = timing.time_us, timing.algbw
    known = ranks is not None or operation.algorithm(4) == 1
    if time_us.low > 0 and not timing.host_time and row.size_bytes > 0 and known:
        moved_gb = row.size_bytes * operation.algorithm(ranks or 1) / 1e3  # over microseconds it is GB/s
        low, high = moved_gb / time_us.high * (1 - SLACK), moved_gb / time_us.low * (1 + SLACK)
        if low > algbw.high or algbw.low > high:
            findings.add(
                f"{half}: {row.size_bytes} B in {time_us.value:g} us are "
                f"{moved_gb / time_us.value:.4g} GB/s, and algbw says {algbw.value:g}",
                code="FP6271",
                line=row.line,
                hint=_UNITS,
            )
            return
    if ranks is None or algbw.low <= 0:
        return
    factor = operation.bus(ranks)
    if factor * algbw.low * (1 - _FACTOR_SLACK) > timing.busbw.high or timing.busbw.low > factor * algbw.high * (
        1 + _FACTOR_SLACK
    ):
        findings.add(
            f"{half}: busbw {timing.busbw.value:g} is not algbw {algbw.value:g} times "
            f"{factor:.4g}, the factor of {operation.name} on {ranks} ranks",
            code="FP6271",
            line=row.line,
            hint=_ONE_RUN,
        )


def _operation(raw: RawRun, findings: Findings, collective: Operation | None) -> Operation | None:
    """What was run: by the program's name, else by what its columns leave; what the user says must agree."""
    named = operation_of_program(raw.program) if raw.program else None
    if raw.program and named is None:
        known = ", ".join(operation.program for operation in OPERATIONS)
        findings.add(
            f"the figures of {raw.program} are not predicted",
            code="FP6273",
            line=raw.line,
            hint=f"a log of {known} (each with _perf)",
        )
        return None
    possible = [operation for operation in (*OPERATIONS, *OLDER) if _can_be(operation, raw)]
    names = " or ".join(dict.fromkeys(operation.name for operation in possible)) or "no operation that is known"
    if named is not None:
        possible = [operation for operation in possible if operation.name == named.name]
        if not possible:
            findings.add(
                f"the rows are not those of {named.program}_perf: by their columns they are of {names}",
                code="FP6271",
                line=raw.line,
                hint=_ONE_RUN,
            )
            return None
    else:
        possible = [operation for operation in possible if _checked_like(operation, raw)]
    if collective is not None:
        possible = [operation for operation in possible if operation.name == collective.name]
        if not possible:
            findings.add(
                f"--collective {collective.name}, and the log is of {named.name if named else names}",
                code="FP6273",
                line=raw.line,
                hint="leave --collective out, or give the log of that run",
            )
            return None
    left = " or ".join(dict.fromkeys(operation.name for operation in possible)) or names
    if len({operation.name for operation in possible}) != 1:
        findings.add(
            f"the log does not name its program, and its columns are those of {left}",
            code="FP6272",
            line=raw.line,
            hint=f"--collective {possible[0].name}, or whichever it was" if possible else _ONE_RUN,
        )
        return None
    return possible[0]


def _can_be(operation: Operation, raw: RawRun) -> bool:
    """Whether every row may be of an operation, by reduction, root, count and bandwidths."""
    listed = len(raw.devices) * raw.ranks_per_device if raw.devices_complete and raw.devices else None
    if listed is not None and raw.program is None:
        least, most = operation.bus(listed), operation.bus(listed)
    else:
        least, most = operation.bus(1), operation.bus(math.inf)
    halves = outside = 0
    if raw.columns and (operation.rooted != ("root" in raw.columns)):
        return False
    if raw.columns and bool(raw.columns & {"redop", "op"}) != operation.redop_column:
        return False
    for row in raw.rows:
        if row.redop == "none" and operation.name == "hypercube":
            return False  # prints no word there
        if (row.redop not in ("", "none")) != operation.reduces:
            return False
        if (row.root >= 0) != operation.rooted and (row.root >= 0 or row.redop):
            return False
        shares = _shares(row)
        if shares is not None and not operation.shared_out and shares != 1:
            return False
        if shares is not None and operation.shared_out and shares == 1 and listed not in (1, None):
            return False
        for _, timing in row.timings:
            if timing.algbw.low <= 0:
                continue
            low, high = _busbw_per_algbw(timing)
            halves += 1
            outside += least > high * (1 + SLACK) or most < low * (1 - SLACK)
    return outside <= halves // 2  # one row that is wrong does not make it another operation


def _checked_like(operation: Operation, raw: RawRun) -> bool:
    """Whether results in place are checked, or left out, as the operation's program does."""
    return all(
        (row.in_place.wrong is not None) == operation.in_place_checked
        for row in raw.rows
        if row.out_of_place is not None and row.out_of_place.wrong is not None and row.in_place is not None
    )


def _wrong(row: MeasuredRow) -> int:
    return sum(int(timing.wrong or 0) for _, timing in row.timings)


def _range(between: tuple[int, int]) -> str:
    least, most = between
    if least > most:
        return "no one number of ranks"
    return f"{least}" if least == most else f"{least} or more" if most >= _MOST_RANKS else f"{least} to {most}"
