"""What workloads send: their phases with bytes and times, formulae with their numbers, one collective by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.evaluation.schedule import PhaseTiming, StepSchedule
from fabric.output.columns import capacities, counts, named, times, volumes
from fabric.output.table import Column, Table
from topologies.units import format_bytes, format_gbps, format_seconds
from traffic.bare_collective import BareCollective
from traffic.formula import Formula, number_text
from traffic.workload import Phase, WorkloadTraffic

SENT_SHOWN = (
    "name", "collective", "fabric", "group_size", "payload_bytes_per_rank", "sent_bytes_per_rank",
    "sent_bytes_on_fabric_per_rank", "sent_bytes_inside_per_rank", "inside_s", "total_bytes", "pairs",
    "rate_needed_gbps", "ideal_s", "exposed_s",
)  # fmt: skip
PHASE_KEYS = (
    "name", "collective", "fabric", "group_size", "payload_bytes_per_rank", "sent_bytes_per_rank", "total_bytes",
    "pairs", "steady", "rate_gbps", "overlaps_compute", "sent_bytes_on_fabric_per_rank", "flows", "every_step", "after",
    "ideal_s", "exposed_s", "rate_needed_gbps", "rate_average_gbps", "rate_peak_gbps", "sent_bytes_inside_per_rank",
    "handed_on_bytes_per_rank", "inside_s",
)  # fmt: skip


def sent_table(workloads: Sequence[WorkloadTraffic], schedules: Sequence[StepSchedule]) -> Table:
    """Phases of workloads: bytes per rank and direction, times at line rate, the rate they need to stay hidden."""
    rows = [
        (workload.id, phase, timing)
        for workload, schedule in zip(workloads, schedules, strict=True)
        for phase, timing in zip(workload.phases, schedule.timings, strict=True)
    ]
    phases, timings = [phase for _, phase, _ in rows], [timing for _, _, timing in rows]
    columns = (
        named("workload", "workload", [workload for workload, _, _ in rows], width=14, priority=3),
        named("name", "phase", [phase.name for phase in phases], width=18),
        named("collective", "collective", [phase.collective for phase in phases], width=18, flexible=True),
        named("fabric", "fabric", [phase.fabric for phase in phases], texts=[p.fabric or "NVLink" for p in phases]),
        counts("group_size", "group", [phase.group_size for phase in phases]),
        _volumes("payload_bytes_per_rank", "payload/rank", phases, "steady"),
        _volumes("sent_bytes_per_rank", "sent/rank", phases, "steady"),
        _volumes("sent_bytes_on_fabric_per_rank", "on fabric", phases, "", priority=1),
        _volumes("sent_bytes_inside_per_rank", "inside", phases, "", priority=1),
        _volumes("handed_on_bytes_per_rank", "handed on", phases, "", priority=2),
        times(
            "inside_s",
            "time inside",
            [phase.inside_s for phase in phases],
            texts=["" if p.steady or not p.inside_s else format_seconds(p.inside_s) for p in phases],
            priority=1,
        ),
        volumes(
            "total_bytes",
            "total",
            [phase.total_bytes for phase in phases],
            texts=[format_gbps(p.rate_gbps) if p.steady else format_bytes(p.total_bytes) for p in phases],
            priority=1,
        ),
        counts("pairs", "pairs", [phase.pairs for phase in phases]),
        counts("flows", "flows", [phase.transport_flows for phase in phases], priority=2),
        named("steady", "steady", [phase.steady for phase in phases], priority=2),
        capacities("rate_gbps", "rate", [phase.rate_gbps for phase in phases], priority=2),
        named("overlaps_compute", "overlaps compute", [phase.overlaps_compute for phase in phases], priority=2),
        named("every_step", "every step", [phase.every_step for phase in phases], priority=2),
        named("after", "after", [list(phase.after) for phase in phases], text=", ".join, priority=2),
        _timings(times, "ideal_s", "ideal", timings, format_seconds),
        _timings(times, "exposed_s", "exposed", timings, format_seconds),
        _timings(capacities, "rate_needed_gbps", "needs", timings, format_gbps, priority=1),
        _timings(capacities, "rate_average_gbps", "average", timings, format_gbps, priority=2),
        _timings(capacities, "rate_peak_gbps", "peak", timings, format_gbps, priority=2),
    )
    return Table.of(columns, len(rows), title="phases")


def _volumes(name: str, header: str, phases: Sequence[Phase], steady: str, **layout: Any) -> Column:
    """Bytes; steady traffic has none, which ``steady`` says."""
    values = [getattr(phase, name) for phase in phases]
    texts = [steady if p.steady else format_bytes(value) for p, value in zip(phases, values, strict=True)]
    return volumes(name, header, values, texts=texts, **layout)


def _timings(kind: Any, name: str, header: str, timings: Sequence[PhaseTiming], text: Any, **layout: Any) -> Column:
    values = [getattr(timing, name) for timing in timings]
    texts = ["" if value is None else text(value) for value in values]
    column: Column = kind(name, header, values, texts=texts, **layout)
    return column


def term_table(formula: Formula) -> Table:
    """The symbols of a formula with their numbers."""
    terms = formula.terms
    columns = (
        named("symbol", "symbol", [term.symbol for term in terms]),
        Column("value", "value", [term.value for term in terms], number_text, numeric=True),
        named("meaning", "meaning", [term.meaning for term in terms], width=30),
    )
    return Table.of(columns, len(terms))


FORMULA_COLUMNS = ("expression", "with_numbers", "value", "unit", "source", "terms")


def formula_table(figures: Sequence[tuple[str, str | None, str, int | None, Formula]]) -> Table:
    """Formulae of figures: workload, phase, what is counted, over how many ranks, and the formula."""
    formulae = [formula for _, _, _, _, formula in figures]
    columns = (
        named("workload", "workload", [row[0] for row in figures]),
        named("phase", "phase", [row[1] for row in figures]),
        named("figure", "figure", [row[2] for row in figures]),
        counts("ranks", "ranks", [row[3] for row in figures]),
        named("expression", "expression", [each.expression for each in formulae]),
        named("with_numbers", "with numbers", [each.with_numbers for each in formulae]),
        Column("value", "value", [each.value for each in formulae], number_text, numeric=True),
        named("unit", "unit", [each.unit for each in formulae]),
        named("source", "source", [each.source for each in formulae]),
        Column("terms", "terms", [[term.__dict__ for term in each.terms] for each in formulae]),
    )
    return Table.of(columns, len(formulae), title="formulae")


def collective_table(collective: BareCollective) -> Table:
    """One collective by itself, as one row."""
    row = {
        "collective": collective.operation,
        "algorithm": collective.algorithm or None,
        "ranks": collective.ranks,
        "ranks_per_host": collective.ranks_per_host,
        "size_bytes": collective.size_bytes,
        "bus_factor": collective.bus_factor,
        "bus_factor_by_page": collective.bus_factor_by_page,
        "sent_bytes_per_rank": collective.sent_bytes_per_rank,
        "sent_bytes_on_fabric_per_rank": collective.sent_on_fabric_bytes_per_rank,
        "received_bytes_on_fabric_per_rank": collective.received_on_fabric_bytes_per_rank,
        "sent_bytes_inside_per_rank": collective.sent_inside_bytes_per_rank,
        "total_bytes": collective.total_bytes,
        "pairs": collective.pairs,
        "nic_time_s": collective.nic_time_s,
        "lower_bound_s": collective.lower_bound_s,
        "hosts_of_token": collective.hosts_of_token,
        "hosts_of_token_worst": collective.hosts_of_token_worst,
    }
    kinds: dict[str, tuple[Any, str]] = {
        "collective": (named, "collective"),
        "algorithm": (named, "algorithm"),
        "ranks": (counts, "ranks"),
        "ranks_per_host": (counts, "ranks per host"),
        "size_bytes": (volumes, "size"),
        "bus_factor": (_plain_number, "bus factor, as nccl-tests prints it"),
        "bus_factor_by_page": (_plain_number, "bus factor, by its page (PERFORMANCE.md)"),
        "sent_bytes_per_rank": (volumes, "sent per rank, busiest"),
        "sent_bytes_on_fabric_per_rank": (volumes, "of it on the fabric, busiest NIC"),
        "received_bytes_on_fabric_per_rank": (volumes, "received from the fabric, busiest NIC"),
        "sent_bytes_inside_per_rank": (volumes, "inside hosts, handed on included, busiest"),
        "total_bytes": (volumes, "all pairs"),
        "pairs": (counts, "pairs"),
        "nic_time_s": (times, "busiest NIC at line rate, no latency"),
        "lower_bound_s": (times, "lower bound of the time, this algorithm"),
        "hosts_of_token": (_plain_number, "hosts a token goes to, mean"),
        "hosts_of_token_worst": (counts, "hosts a token goes to, worst case"),
    }
    return Table.of([make(name, header, [row[name]]) for name, (make, header) in kinds.items()], 1)


def _plain_number(name: str, header: str, values: list[float]) -> Column:
    return Column(name, header, values, number_text, numeric=True)


FIGURES_SHOWN = (
    "bus_factor", "bus_factor_by_page", "sent_bytes_per_rank", "sent_bytes_on_fabric_per_rank",
    "received_bytes_on_fabric_per_rank", "sent_bytes_inside_per_rank", "total_bytes", "pairs", "nic_time_s",
    "lower_bound_s", "hosts_of_token", "hosts_of_token_worst",
)  # fmt: skip


def upright(table: Table, *, absent: bool = False) -> Table:
    """A table of one row as one of two columns: what, and its value; without what is not there unless ``absent``."""
    row = int(table.order[0])
    kept = [column for column in table.columns if absent or column.values[row] is not None]
    columns = (
        Column("figure", "figure", [column.header for column in kept], width=36),
        Column("value", "value", [column.value(row) for column in kept], numeric=True, width=16,
               texts=[column.cell(row) for column in kept]),
    )  # fmt: skip
    return Table.of(columns, len(kept), title=table.title)
