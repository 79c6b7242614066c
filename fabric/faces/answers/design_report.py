"""What ``fabric design`` prints: designs side by side, why the first, and how near the best it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fabric.design.requirement import Requirement
from fabric.design.result import Design, DesignResult, WorstFailure
from fabric.faces.views.design import conflict_table, design_table, proof_text
from fabric.faces.views.row_kinds import DESIGNS
from fabric.output.document import Line
from fabric.output.numbers import finite
from fabric.output.table import Table
from fabric.scenario.provenance import tool_envelope
from topologies.budget import counted


def design_document(requirement: Requirement, result: DesignResult, paths: Mapping[str, Path]) -> list[Table | Line]:
    """The table of designs under what was asked for, and below it the chosen one and its proof."""
    parts: list[Table | Line] = [Line(f"{requirement.name}: {_asked(requirement)}")]
    if result.designs:
        shown = design_table(result.designs, paths).only(*DESIGNS.shown)
        parts.append(_with_values(shown).titled("").as_rows())
    parts += _proof(result)
    if result.conflict:
        parts.append(conflict_table(result.conflict))
    parts += [Line(f"runner-up: {text}") for text in _runner_up(result)]
    parts += [Line(f"flip: {text}") for text in result.flips]
    parts += [Line(f"not offered: {text}") for text in result.rejected]
    parts += [Line(f"note: {text}") for text in result.notes]
    parts += [Line(f"default: {text}") for text in result.defaults]
    parts += [Line(f"wrote {path} ({name})") for name, path in paths.items()]
    return parts


def _with_values(table: Table) -> Table:
    """Without columns that say nothing of any design."""
    empty = [column.name for column in table.columns if all(column.cell(row) == "-" for row in range(len(table.order)))]
    return table.without(*empty)


def _asked(requirement: Requirement) -> str:
    from fabric.design.requirement import hosts_of, needs_of

    hosts = hosts_of(requirement)
    in_hosts = counted(hosts.count, "hosts")
    texts = [f"{counted(hosts.gpus, 'GPUs')} in {in_hosts}" if hosts.gpus else in_hosts]
    for name, need in needs_of(requirement).items():
        texts.append(f"{name} {need.nics} x {need.nic_gbps:g}G")
    return ", ".join([*texts, f"least {requirement.objective.text}"])


def _proof(result: DesignResult) -> list[Line]:
    """The status in a line."""
    return [Line(proof_text(result, result.unit), "good" if result.designs else "bad")]


def _runner_up(result: DesignResult) -> Iterator[str]:
    """Why the second lost."""
    others = [one for one in result.designs if not one.chosen]
    if others and others[0].why_not:
        yield f"{others[0].name}: {others[0].why_not}"


def design_record(requirement: Requirement, result: DesignResult) -> dict[str, Any]:
    """``DesignResult``, but for its designs."""
    return {
        **tool_envelope("DesignResult"),
        "name": requirement.name,
        "inputs": [{"path": file.path, "sha256": file.sha256} for file in requirement.inputs],
        "status": result.status,
        "objective": result.objective,
        "unit": result.unit or None,
        "value": _number(result.value),
        "bound": _number(result.bound),
        "gap": _number(result.gap),
        "conflict": [{"key": one.key, "wish": one.wish, "nearest": one.nearest} for one in result.conflict],
        "defaults": list(result.defaults),
        "flips": list(result.flips),
        "rejected": list(result.rejected),
        "tried": result.tried,
        "notes": list(result.notes),
    }


def design_entry(design: Design, path: Path | None) -> dict[str, Any]:
    """One of ``designs``."""
    return {
        "name": design.name,
        "topology_kind": design.topology_kind,
        "gpus": design.gpus,
        "switches_by_role": dict(design.switches_by_role),
        "cables_by_tier": dict(design.cables_by_tier),
        "optics_by_model": dict(design.optics_by_model),
        "models_by_role": _models(design),
        "value": _number(design.value),
        "cost": _number(design.cost_usd),
        "power_w": _number(design.power_w),
        "carbon_kg": _number(design.carbon_kg),
        "cable_m": _number(design.cable_m),
        "oversubscription_by_role": {role: _number(one) for role, one in design.oversubscription_by_role.items()},
        "uniform_load": {fabric: _number(load) for fabric, load in design.uniform_load.items()},
        "step_time_s": {job: _number(time) for job, time in design.step_time_s.items()},
        "max_utilisation": _number(design.max_utilisation),
        "worst_failure": None if design.worst_failure is None else _failure(design.worst_failure),
        "scenario": None if path is None else str(path),
        "chosen": design.chosen,
        "why_not": design.why_not or None,
        "notes": list(design.notes),
    }


def _models(design: Design) -> dict[str, str]:
    """Switch models by role; with several fabrics under their names."""
    several = len(design.fabrics) > 1
    return {
        f"{fabric}:{one.role}" if several else one.role: one.model
        for fabric, counted in design.fabrics.items()
        for one in counted.switches
    }


def _failure(failure: WorstFailure) -> dict[str, Any]:
    return {
        "case": failure.case,
        "step_time_s": {job: _number(time) for job, time in failure.jobs.items()},
        "unreachable_pairs": failure.unreachable_pairs,
        "max_utilisation": _number(failure.max_utilisation),
    }


def _number(value: float | None) -> float | None:
    return finite(value)
