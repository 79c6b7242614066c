"""What ``fabric traffic`` prints: phases of every workload, the formulae behind them, one collective by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.evaluation.schedule import PhaseTiming, StepSchedule
from fabric.faces.views.memory import shown_memory
from fabric.faces.views.step_parts import parts_table
from fabric.faces.views.traffic import FIGURES_SHOWN, SENT_SHOWN, collective_table, sent_table, term_table, upright
from fabric.output.document import Document, Line
from fabric.output.table import Table
from topologies.units import format_bytes, format_gbps, format_seconds, percent
from traffic.bare_collective import BareCollective
from traffic.formula import Formula, number_text
from traffic.workload import ModelFigures, Phase, WorkloadTraffic


def traffic_document(workloads: Sequence[WorkloadTraffic], schedules: Sequence[StepSchedule]) -> Document:
    """Phases of every workload, with bytes per rank and direction, and what they need to stay hidden."""
    parts: list[Table | Line] = []
    if not workloads:
        parts.append(Line("the scenario has no workloads, so nothing is sent"))
    for workload, schedule in zip(workloads, schedules, strict=True):
        parts.append(Line(_headline(workload)))
        if workload.model is not None:
            parts += _model(workload.model)
        if workload.groups:
            groups = ", ".join(f"{name} {shape.size} x {shape.count:,}" for name, shape in workload.groups.items())
            parts.append(Line(f"groups (ranks x communicators): {groups}"))
        parts += _step(workload, schedule)
        if workload.worst_memory is not None:
            parts.append(shown_memory([(workload.id, workload.worst_memory)]))
        if workload.phases:
            parts.append(sent_table([workload], [schedule]).only(*SENT_SHOWN).titled("").as_rows())
        parts += [Line(f"warning: {text}", "warn") for text in workload.warnings]
    return parts


def _headline(workload: WorkloadTraffic) -> str:
    words = [f"{workload.id}: {workload.kind}"]
    if workload.ranks:
        words.append(f"{workload.ranks:,} ranks")
    if workload.model is not None:
        model = workload.model
        words.append(f"{model.parameters / 1e9:,.2f} x 10^9 parameters")
        if model.parameters_active != model.parameters:
            words.append(f"{model.parameters_active / 1e9:,.2f} x 10^9 per token")
    return ", ".join(words)


def _model(model: ModelFigures) -> list[Line]:
    each = model.parameters_per_rank
    spread = f"{each.mean / 1e9:,.3f} x 10^9"
    if each.min != each.max:
        spread += f" ({each.min / 1e9:,.3f} to {each.max / 1e9:,.3f})"
    words = [f"parameters per rank {spread}"]
    if model.tokens_per_step:
        words.append(f"{model.tokens_per_step:,.0f} tokens per step")
    if model.flops:
        words.append(f"{model.flops.value:.4g} FLOP per step")
    if model.bubble_formula is not None:
        words.append(f"{model.schedule} pipeline idle {percent(model.bubble)} of its useful time")
    words.append(f"KV cache {format_bytes(model.kv_bytes_per_token)} per token")
    lines = [Line(", ".join(words))]
    if model.origin != "inline":
        taken = ", ".join(f"{name} {value}" for name, value in model.recognised.items())
        lines.append(Line(f"{model.origin}: recognised {taken or 'nothing'}"))
        if model.ignored:
            lines.append(Line(f"{model.origin}: ignored {', '.join(model.ignored)}"))
    return lines


def _step(workload: WorkloadTraffic, schedule: StepSchedule) -> list[Line | Table]:
    parts = schedule.parts
    if parts is None:
        return []
    waits = percent(schedule.communication_share)
    line = f"step at line rate {format_seconds(parts.step_s)}, communication waited for {waits}"
    return [Line(line), parts_table(parts).titled("").as_rows()]


def _seconds(value: float | None) -> str:
    return "" if value is None else format_seconds(value)


# ---- why -------------------------------------------------------------------------------------------------------------


def explain_document(entries: Sequence[tuple[WorkloadTraffic, Phase, PhaseTiming]]) -> Document:
    """The formulae of phases with their numbers and sources."""
    parts: list[Table | Line] = []
    for workload, phase, timing in entries:
        where = phase.fabric or "NVLink, inside the hosts"
        parts.append(Line(f"{workload.id} {phase.name}: {phase.collective} on {where}, groups of {phase.group_size:,}"))
        for entry in phase.payloads:
            of = f" of {entry.ranks:,} ranks" if len(phase.payloads) > 1 else ""
            what = "all pairs" if entry.formula.unit == "Gbps" else f"payload per rank{of}"
            parts += formula_lines(what, entry.formula)
        if phase.sent is not None:
            parts += formula_lines("sent per rank", phase.sent)
        if phase.steady:
            parts.append(Line(f"steady, all pairs {format_gbps(phase.rate_gbps)}, {phase.pairs:,} pairs"))
        else:
            parts.append(
                Line(
                    f"means over ranks: payload {format_bytes(phase.payload_bytes_per_rank)}, sent "
                    f"{format_bytes(phase.sent_bytes_per_rank)}, on the fabric "
                    f"{format_bytes(phase.sent_bytes_on_fabric_per_rank)}; all pairs {format_bytes(phase.total_bytes)} "
                    f"over {phase.pairs:,} pairs and {phase.transport_flows:,} queue pairs"
                )
            )
        if phase.after:
            parts.append(Line(f"waits for: {', '.join(phase.after)}"))
        if timing.ideal_s is not None:
            room = (
                f"may hide behind {percent(phase.room, 0)} of compute"
                if phase.overlaps_compute
                else "overlaps no compute"
            )
            parts.append(Line(f"ideal {_seconds(timing.ideal_s)}, exposed {_seconds(timing.exposed_s) or '-'}; {room}"))
    return parts


def formula_lines(what: str, formula: Formula) -> list[Table | Line]:
    """A formula, its numbers, what it comes to and where it is from."""
    value = format_bytes(formula.value) if formula.unit == "bytes" else f"{formula.value:.6g} {formula.unit}"
    return [
        Line(f"{what} = {formula.expression}"),
        Line(f"  = {formula.with_numbers}"),
        Line(f"  = {number_text(formula.value)} {formula.unit}" + (f" = {value}" if formula.unit == "bytes" else "")),
        Line(f"  source: {formula.source}"),
        term_table(formula),
    ]


def formula_record(formula: Formula) -> dict[str, Any]:
    """A formula for machines."""
    return {
        "expression": formula.expression,
        "with_numbers": formula.with_numbers,
        "value": formula.value,
        "unit": formula.unit,
        "source": formula.source,
        "terms": [term.__dict__ for term in formula.terms],
    }


# ---- one collective --------------------------------------------------------------------------------------------------


def collective_document(found: BareCollective) -> Document:
    """One collective by itself."""
    hosts = f" on hosts of {found.ranks_per_host}" if found.ranks_per_host > 1 else ""
    title = f"{found.operation} {found.algorithm}".strip()
    return [
        Line(f"{title}, {found.ranks:,} ranks{hosts}, {format_bytes(found.size_bytes)} per rank, one direction"),
        upright(collective_table(found).only(*FIGURES_SHOWN)),
        *formula_lines("sent per rank", found.sent),
    ]
