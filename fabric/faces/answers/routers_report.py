"""What ``fabric route --router all`` prints: what hashing, uneven links and the topology cost, then the figures."""

from __future__ import annotations

from fabric.evaluation.router_comparison import LossSplit, PhaseComparison, RouterComparison
from fabric.faces.views.headline import STOPPED, perfect_splits
from fabric.faces.views.phases import above, reached
from fabric.faces.views.routers import (
    ROUTERS_SHOWN,
    part_text,
    router_limit_table,
    router_step_table,
    router_table,
    source_table,
    step_times,
)
from fabric.output.document import Document, Line
from fabric.output.table import Table
from fabric.routing.router import router_label
from fabric.routing.traits import Stage
from fabric.routing.utilisation import is_over
from fabric.scenario.load import LoadedScenario
from topologies.units import excess, format_seconds, percent

_CHAIN: tuple[Stage, ...] = ("optimum", "equal-split", "hashing")
_WORTH_REPORTING = 0.02  # a part of the fullest link that is not a cause of anything


def comparison_document(loaded: LoadedScenario, result: RouterComparison) -> Document:
    """The verdict in a sentence, where the load comes from, every router, then jobs and limits."""
    scenario = loaded.scenario
    draws = max((row.spread.replicas for row in result.figures if row.spread), default=0)
    hashed = f"  hashed flows over {draws:,} draws" if draws else ""
    parts: list[Table | Line] = [
        Line(f"{scenario.name}  {loaded.sha256[:7]}  seed {scenario.seed}  offered load, may exceed 100 %{hashed}"),
        Line(verdict(result), "bad" if result.worst and is_over(result.worst.worst) else "good"),
        *_largest(result),
        *_step_sentences(result),
        *perfect_splits(row.router for row in result.figures if row.spread is None),
        router_table(result).only(*ROUTERS_SHOWN).as_rows(),
        source_table(result),
        *_words(result),
    ]
    if any(job.step_time_ideal_s is not None for outcome in result.outcomes for job in outcome.jobs):
        parts.append(router_step_table(result))
    if result.outcomes and result.outcomes[0].limits:
        parts.append(router_limit_table(result))
        if draws > 1:
            parts.append(
                Line(f"limits of hashed flows are judged over {draws:,} draws, at p50 where they name no percentile")
            )
    return [*parts, *_notes(result)]


def verdict(result: RouterComparison) -> str:
    """The worst phase in a sentence: what each cause costs, and the utilisations it follows from."""
    worst = result.worst
    if worst is None:
        return "nothing is offered"
    chain = ", ".join(_chain(worst))
    return f"{worst.fabric} {worst.phase}: {_causes(worst.split) or 'causes unknown'}; fullest link {chain}"


def _causes(split: LossSplit) -> str:
    """What each cause costs, then those without a loss: "hashing costs you 15.3 %, no loss from the topology"."""
    costs, free = [], []
    if split.hashing is not None:
        tail = f" (p99 {percent(split.hashing_p99)})" if split.hashing_p99 is not None else " (one draw)"
        if _is_loss(split.hashing):
            costs.append(f"hashing costs you {excess(split.hashing)}{tail}")
        else:
            free.append(f"from hashing{tail}")
    if split.uneven_links is not None:
        if _is_loss(split.uneven_links):
            costs.append(f"uneven links {excess(split.uneven_links)}")
        else:
            free.append("from uneven links")
    if split.topology is not None:
        if _is_loss(split.topology):
            costs.append(f"topology the rest, {excess(split.topology)}")
        else:
            free.append("from the topology")
    return ", ".join([*costs, *([f"no loss {_any_of(free)}"] if free else [])])


def _is_loss(part: float) -> bool:
    return excess(part) != "0.0 %"


def _any_of(names: list[str]) -> str:
    if len(names) < 3:
        return " or ".join(names)
    return f"{', '.join(names[:-1])}, or {names[-1]}"


def _chain(phase: PhaseComparison) -> list[str]:
    words = []
    if phase.split.access_utilisation is not None:
        words.append(f"{percent(phase.split.access_utilisation)} by access links alone")
    for stage in _CHAIN:
        row = phase.stage(stage)
        if row is not None and row.max_utilisation is not None:
            name = {"optimum": "at best", "hashing": "hashed"}.get(stage, f"by {router_label(row.router)}")
            words.append(f"{reached(row.max_utilisation, row.partial)} {name}")
    return words or [f"{percent(phase.worst)} at worst"]


def _largest(result: RouterComparison) -> list[Line]:
    """What the worst phase loses most by, and what takes it back."""
    worst = result.worst
    if worst is None:
        return []
    split = worst.split
    recovers = f"wcmp takes back {part_text(split.wcmp_recovers)} of it, " if split.wcmp_recovers is not None else ""
    causes = [
        (split.hashing or 0.0, "hashing; more queue pairs per connection, or spraying packets, lead towards ecmp"),
        (split.uneven_links or 0.0, f"uneven links; {recovers}the optimal split all of it"),
        (split.topology or 0.0, f"topology; {worst.best_possible.witness}"),
    ]
    part, words = max(causes, key=lambda cause: cause[0])
    return [Line(f"largest part: {words}")] if part >= _WORTH_REPORTING else []


def _step_sentences(result: RouterComparison) -> list[Line]:
    """Step time of every job, quickest routers first; those that look equal are named together."""
    lines = []
    for job_id, times in step_times(result).items():
        known = sorted((seconds, at) for at, seconds in enumerate(times.values()) if seconds is not None)
        names = list(times)
        together: dict[str, list[str]] = {}
        for seconds, at in known:
            together.setdefault(format_seconds(seconds), []).append(names[at])
        if together:
            times_text = ", ".join(f"{shown} under {_listed(routers)}" for shown, routers in together.items())
            lines.append(Line(f"{job_id}: step {times_text}"))
    return lines


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _words(result: RouterComparison) -> list[Line]:
    """The bound of every phase in words, and what routers have to say; phases that say the same share a line."""
    words: dict[tuple[str, str], list[str]] = {}
    for phase in result.phases:
        best = phase.best_possible
        text = f"at best {percent(best.lower_bound)}, whatever the routing: {best.witness}"
        words.setdefault((phase.fabric, text), []).append(phase.phase)
        for row in phase.figures:
            for text in (*row.notes, *([f"refused: {row.refused}"] if row.refused else [])):
                words.setdefault((phase.fabric, f"{row.router}: {text}"), []).append(phase.phase)
            if row.partial:
                proven, found = phase.best_possible.lower_bound, row.max_utilisation or 0.0
                text = (
                    f"{row.router} was stopped before it was proven: between {percent(proven)} (bound) and "
                    f"{percent(found)} (this routing), gap {above(found, proven)}; so far apart may be what is "
                    "counted as uneven links and as topology"
                )
                words.setdefault((phase.fabric, text), []).append(phase.phase)
    return [Line(f"{fabric} {', '.join(phases)}: {text}") for (fabric, text), phases in words.items()]


def _limit_sentence(result: RouterComparison) -> list[Line]:
    """Whose limits decide, and whether one fails."""
    failed = {one.router: sum(limit.ok is False for limit in one.limits) for one in result.deciding}
    total = max((len(one.limits) for one in result.deciding), default=0)
    if not total:
        return []
    misses = [f"{count} of {total} limits FAIL under {router_label(name)}" for name, count in failed.items() if count]
    if result.own is None:
        whose = ": the scenario's own router is not compared, so each of these counts"
        text = "; ".join(misses) or "no limit fails under any of these routers"
    else:
        whose = ", as the scenario has it"
        text = misses[0] if misses else f"no limit fails under {router_label(result.own.router)}"
    return [Line(f"{text}{whose}", "bad" if misses else "good")]


def _notes(result: RouterComparison) -> list[Line]:
    lines = [Line(f"warning: {text}", "warn") for text in result.warnings]
    if result.unreachable_pairs:
        lines.append(Line(f"UNREACHABLE: {result.unreachable_pairs:,} pairs have no path, under any router", "bad"))
    lines += _limit_sentence(result)
    if result.partial:
        lines.append(Line(STOPPED, "warn"))
    return lines
