"""What ``fabric route --router all`` prints: what hashing, uneven links and the topology cost, then the figures."""

from __future__ import annotations

from typing import Any

from fabric.evaluation.limits import limit_text
from fabric.evaluation.phases import OVER
from fabric.evaluation.router_comparison import LossSplit, PhaseComparison, RouterComparison, RouterFigure
from fabric.export.document import Document, Line, Mark, Table, percent, table
from fabric.export.records import envelope, finite, spread_record
from fabric.export.route_report import above, excess, reached
from fabric.result import JobTime
from fabric.scenario.load import LoadedScenario
from topologies.units import format_seconds

COLUMNS = (
    "fabric",
    "phase",
    "router",
    "max_utilisation",
    "p50",
    "p95",
    "p99",
    "throughput",
    "above_best",
    "stretch",
    "lower_bound",
    "gap",
    "links_over_capacity",
    "unreachable_pairs",
    "hottest_link",
    "solver",
    "partial",
    "refused",
)


def comparison_document(loaded: LoadedScenario, result: RouterComparison) -> Document:
    """The verdict in a sentence, where the load comes from, every router, then jobs and limits."""
    scenario = loaded.scenario
    draws = max((row.spread.replicas for row in result.figures if row.spread), default=0)
    hashed = f"  hashed flows over {draws:,} draws" if draws else ""
    parts: list[Table | Line] = [
        Line(f"{scenario.name}  {loaded.sha256[:7]}  seed {scenario.seed}  offered load, may exceed 100 %{hashed}"),
        Line(verdict(result), "bad" if result.worst and result.worst.worst > OVER else "good"),
        *_step_sentences(result),
        _routers(result),
        _sources(result),
        *_words(result),
    ]
    if any(job.step_time_ideal_s is not None for outcome in result.outcomes for job in outcome.jobs):
        parts.append(_jobs(result))
    if result.outcomes and result.outcomes[0].limits:
        parts.append(_limits(result))
    return [*parts, *_notes(result)]


def verdict(result: RouterComparison) -> str:
    """The worst phase in a sentence: what each cause costs, and the utilisations it follows from."""
    worst = result.worst
    if worst is None:
        return "nothing is offered"
    causes = ", ".join(_causes(worst.split))
    chain = ", ".join(_chain(worst))
    return f"{worst.fabric} {worst.phase}: {causes or 'causes unknown'}; fullest link {chain}"


def _causes(split: LossSplit) -> list[str]:
    words = []
    if split.hashing is not None:
        tail = f" (p99 {percent(split.hashing_p99)})" if split.hashing_p99 is not None else " (one draw)"
        words.append(f"hashing costs you {percent(split.hashing)}{tail}")
    if split.uneven_links is not None:
        words.append(f"uneven links {excess(split.uneven_links)}")
    if split.topology is not None:
        words.append(f"topology the rest, {excess(split.topology)}")
    return words


def _chain(phase: PhaseComparison) -> list[str]:
    words = []
    if phase.split.access_utilisation is not None:
        words.append(f"{percent(phase.split.access_utilisation)} if only access counted")
    for router, name in (("optimal", "at best"), ("ecmp", "by ecmp"), ("ecmp-hash", "hashed")):
        row = phase.figure(router)
        if row is not None and row.max_utilisation is not None:
            words.append(f"{reached(row.max_utilisation, row.partial)} {name}")
    return words or [f"{percent(phase.worst)} at worst"]


def _step_sentences(result: RouterComparison) -> list[Line]:
    """Step time of every job, quickest router first."""
    lines = []
    for job_id, times in _steps(result).items():
        known = sorted(((seconds, router) for router, seconds in times.items() if seconds is not None))
        if known:
            said = ", ".join(f"{format_seconds(seconds)} under {router}" for seconds, router in known)
            lines.append(Line(f"{job_id}: step {said}"))
    return lines


def _steps(result: RouterComparison) -> dict[str, dict[str, float | None]]:
    """Step time by job and router; jobs with a step only."""
    found: dict[str, dict[str, float | None]] = {}
    for outcome in result.outcomes:
        for job in outcome.jobs:
            if job.step_time_ideal_s is not None:
                found.setdefault(job.id, {})[outcome.router] = job.step_time_s
    return found


def _routers(result: RouterComparison) -> Table:
    headers = (
        "fabric", "phase", "router", ">max offered", ">p99", ">above best", ">stretch?", ">λ?", "solver?", ">time!",
    )  # fmt: skip
    rows, marks = [], []
    for phase in result.phases:
        for row in phase.figures:
            rows.append((row.fabric, row.phase, row.router, *_figures(row, phase.best_possible.lower_bound)))
            marks.append(_mark(row))
    return table("routers", headers, rows, marks=marks)


def _figures(row: RouterFigure, bound: float) -> tuple[str, ...]:
    if row.max_utilisation is None:
        return ("refused", "-", "-", "-", "-", "-", "-")
    return (
        reached(row.max_utilisation, row.partial),
        percent(row.spread.max_utilisation.p99) if row.spread else "-",
        above(row.max_utilisation, bound),
        f"{row.stretch:.2f}x" if row.stretch is not None else "-",
        f"{row.throughput:,.3f}" if row.throughput is not None else "-",
        row.solver or "-",
        format_seconds(row.solve_time_s),
    )


def _mark(row: RouterFigure) -> Mark:
    return "bad" if row.worst > OVER or row.unreachable_pairs else ""


def _sources(result: RouterComparison) -> Table:
    headers = (
        "fabric", "phase", ">access", ">topology", ">uneven links", ">wcmp recovers?", ">hashing", ">hashing p99?",
    )  # fmt: skip
    rows = [
        (
            phase.fabric,
            phase.phase,
            percent(split.access_utilisation),
            _plus(split.topology),
            _plus(split.uneven_links),
            percent(split.wcmp_recovers, 0),
            _plus(split.hashing),
            _plus(split.hashing_p99),
        )
        for phase in result.phases
        for split in [phase.split]
    ]
    return table("where it comes from: each adds to what is left of it", headers, rows)


def _plus(part: float | None) -> str:
    return excess(part) if part is None or part < 0 else f"+{excess(part)}"


def _words(result: RouterComparison) -> list[Line]:
    """The bound of every phase in words, and what routers have to say; phases that say the same share a line."""
    words: dict[tuple[str, str], list[str]] = {}
    for phase in result.phases:
        said = f"at best {percent(phase.best_possible.lower_bound)}: {phase.best_possible.witness}"
        words.setdefault((phase.fabric, said), []).append(phase.phase)
        for row in phase.figures:
            for text in (*row.notes, *([f"refused: {row.refused}"] if row.refused else [])):
                words.setdefault((phase.fabric, f"{row.router}: {text}"), []).append(phase.phase)
            if row.partial:
                proven, found = phase.best_possible.lower_bound, row.max_utilisation or 0.0
                said = (
                    f"{row.router} was stopped before it was proven: between {percent(proven)} (bound) and "
                    f"{percent(found)} (this routing), gap {above(found, proven)}; so far apart may be what is "
                    "counted as uneven links and as topology"
                )
                words.setdefault((phase.fabric, said), []).append(phase.phase)
    return [Line(f"{fabric} {', '.join(phases)}: {text}") for (fabric, text), phases in words.items()]


def _jobs(result: RouterComparison) -> Table:
    headers = ("job", ">ideal", *(f">{outcome.router}" for outcome in result.outcomes))
    first = {job.id: job for outcome in reversed(result.outcomes) for job in outcome.jobs}
    rows = [
        (job_id, format_seconds(first[job_id].step_time_ideal_s or 0.0), *(_seconds(t) for t in times.values()))
        for job_id, times in _steps(result).items()
        if len(times) == len(result.outcomes)
    ]
    return table("step time", headers, rows)


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else format_seconds(seconds)


def _limits(result: RouterComparison) -> Table:
    headers = ("limit", ">allowed", *(f">{outcome.router}" for outcome in result.outcomes))
    rows, marks = [], []
    for each in zip(*(outcome.limits for outcome in result.outcomes), strict=True):
        values = [
            limit_text(limit.value, limit.unit) + {True: " ok", False: " FAIL", None: ""}[limit.ok] for limit in each
        ]
        rows.append((each[0].text, limit_text(each[0].max, each[0].unit), *values))
        found = {limit.ok for limit in each}
        marks.append("good" if found == {True} else "bad" if False in found else "warn")
    return table("limits", headers, rows, marks=marks)  # type: ignore[arg-type]


def _notes(result: RouterComparison) -> list[Line]:
    lines = [Line(f"warning: {text}", "warn") for text in result.warnings]
    if result.unreachable_pairs:
        lines.append(Line(f"UNREACHABLE: {result.unreachable_pairs:,} pairs have no path, under any router", "bad"))
    if not result.limits_ok:
        lines.append(Line("a limit holds under none of these routers", "bad"))
    if result.partial:
        lines.append(Line("partial: a limit stopped a solve; its bound and gap are above", "warn"))
    return lines


def figure_record(row: RouterFigure) -> dict[str, Any]:
    """One router on one phase."""
    quantiles = row.spread.max_utilisation if row.spread else None
    return {
        "fabric": row.fabric,
        "phase": row.phase,
        "router": row.router,
        "max_utilisation": finite(row.max_utilisation),
        "p50": finite(quantiles.p50) if quantiles else None,
        "p95": finite(quantiles.p95) if quantiles else None,
        "p99": finite(quantiles.p99) if quantiles else None,
        "throughput": finite(row.throughput),
        "above_best": finite(row.above_best),
        "stretch": finite(row.stretch),
        "lower_bound": row.lower_bound,
        "gap": finite(row.gap),
        "links_over_capacity": row.links_over_capacity,
        "unreachable_pairs": row.unreachable_pairs,
        "hottest_link": row.hottest_link or None,
        "solver": row.solver or None,
        "partial": row.partial,
        "refused": row.refused or None,
    }


def comparison_record(loaded: LoadedScenario, result: RouterComparison) -> dict[str, Any]:
    """``RouterComparison``."""
    return {
        **envelope("RouterComparison", loaded),
        "assumptions": [entry.__dict__ for entry in result.assumptions],
        "verdict": verdict(result),
        "routers": list(result.routers),
        "phases": [_phase(phase) for phase in result.phases],
        "items": [
            {
                **figure_record(row),
                "spread": spread_record(row.spread),
                "notes": list(row.notes),
                "solve_time_s": round(row.solve_time_s, 6),
            }
            for row in result.figures
        ],
        "outcomes": [
            {
                "router": outcome.router,
                "jobs": [_job(job) for job in outcome.jobs],
                "limits": [{**limit.__dict__, "value": finite(limit.value)} for limit in outcome.limits],
            }
            for outcome in result.outcomes
        ],
        "warnings": list(result.warnings),
        "partial": result.partial,
    }


def _phase(phase: PhaseComparison) -> dict[str, Any]:
    return {
        "fabric": phase.fabric,
        "phase": phase.phase,
        "best_possible": {
            "lower_bound": phase.best_possible.lower_bound,
            "witness": phase.best_possible.witness,
        },
        "split": {key: finite(value) for key, value in phase.split.__dict__.items()},
    }


def _job(job: JobTime) -> dict[str, Any]:
    return {
        "id": job.id,
        "step_time_ideal_s": finite(job.step_time_ideal_s),
        "step_time_s": finite(job.step_time_s),
        "stretch": finite(job.stretch),
        "checkpoint_time_s": finite(job.checkpoint_time_s),
    }
