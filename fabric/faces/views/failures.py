"""What failures do: cases worst first, links by their worst case, limits in failure cases, and what is lost a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric.evaluation.limits import limit_text, measured_text
from fabric.faces.views.limits import VERDICTS, limit_mark
from fabric.failures.result import (
    CheckpointAdvice,
    Expected,
    FailureCase,
    FailureLimit,
    FailureResult,
    Remedy,
    State,
    WorstLink,
)
from fabric.output.columns import (
    amount_text,
    amounts,
    count_text,
    counts,
    factor_text,
    factors,
    loads,
    named,
    ratios,
    seconds_text,
    speeds,
    times,
)
from fabric.output.table import Column, Mark, Table
from fabric.routing.utilisation import is_over
from traffic.hostlist import folded_hosts

STALLS = "stalls"
CASES_SHOWN = (
    "what",
    "kind",
    "count",
    "max_utilisation",
    "links_over_capacity",
    "effect",
    "gpus_cut_off",
    "lost_gpu_hours_per_month",
)
WORST_LINKS_SHOWN = ("link", "count", "intact_utilisation", "worst_utilisation", "cause", "tier", "phase", "fabric")
_STATES: tuple[State, ...] = ("ok", "slowed", "stalled")
_MARKS: dict[State, Mark] = {"ok": "", "slowed": "warn", "stalled": "bad"}
_MOST_NAMES = 4_096  # that are folded to ranges; of more the first is named
_LONGEST = 72  # characters of ranges that are read at a glance


# ---- cases -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CaseGroup:
    """Cases of parts of one kind and role that do the same to jobs and GPUs; loads are the highest of any of them."""

    example: FailureCase
    cases: tuple[FailureCase, ...]

    @property
    def count(self) -> int:
        """How many there are, those included that are equal to one that is listed."""
        return sum(case.count for case in self.cases)

    @property
    def what(self) -> str:
        """What fails: names folded to ranges, or the first and how many are like it."""
        return _folded([case_name(case) for case in self.cases], self.count)


def _folded(names: Sequence[str], count: int) -> str:
    """Names as ranges; where there are too many, or not all are named, the first and how many are like it."""
    if len(names) == count <= _MOST_NAMES:
        text = folded_hosts(names)
        if len(text) <= max(_LONGEST, len(names[0])):
            return text
    return f"{names[0]} and {count - 1:,} like it"


def case_name(case: FailureCase) -> str:
    """What fails in a case: ``spine0 + spine1``."""
    return " + ".join(case.parts)


def cause_name(case: FailureCase) -> str:
    """Kind and role of what fails, as losses are counted by: ``switch leaf``."""
    roles = case.roles or ("",) * len(case.kinds)
    return " + ".join(f"{kind} {role}".rstrip() for kind, role in zip(case.kinds, roles, strict=True))


def case_state(case: FailureCase) -> State:
    """Of the job that it hits hardest."""
    return max((job.state for job in case.jobs), key=_STATES.index, default="ok")


def effect_text(case: FailureCase) -> str:
    """What it does to the steps: the longest stretch, or that a job stalls."""
    if case_state(case) == "stalled":
        return STALLS
    return factor_text(case.stretch)


def case_mark(case: FailureCase) -> Mark:
    """Bad where a job stalls or GPUs are cut off; a warning where one is slowed or a link is over capacity."""
    if case.gpus_cut_off or case.unreachable_pairs:
        return "bad"
    return _MARKS[case_state(case)] or ("warn" if case.links_over_capacity else "")


def _alike(case: FailureCase) -> tuple[Any, ...]:
    """What a case does to jobs and GPUs, as people read it; loads differ in the draw of a hash, effects count."""
    jobs = tuple((job.id, job.state, factor_text(job.stretch), job.reaction) for job in case.jobs)
    return (case.kinds, case.roles, case.gpus_cut_off, jobs)


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.9e}"


def folded_cases(cases: Sequence[FailureCase]) -> list[CaseGroup]:
    """Cases with the same effect in one group, in the order of the first of them."""
    groups: dict[tuple[Any, ...], list[FailureCase]] = {}
    for case in cases:
        groups.setdefault(_alike(case), []).append(case)
    return [CaseGroup(members[0], tuple(members)) for members in groups.values()]


def case_table(cases: Sequence[FailureCase]) -> Table:
    """One row per case that is kept."""
    return _cases([CaseGroup(case, (case,)) for case in cases])


def folded_case_table(groups: Sequence[CaseGroup]) -> Table:
    """One row per group of equal cases; rows that nobody expects to differ are not listed twice."""
    return _cases(groups).without_empty("per_month", "lost_gpu_hours_per_month")


def _cases(groups: Sequence[CaseGroup]) -> Table:
    cases = [group.example for group in groups]
    per_month = [_sum(case.per_month for case in group.cases) for group in groups]
    lost = [_sum(case.lost_gpu_hours_per_month for case in group.cases) for group in groups]
    columns = (
        named("id", "id", [case.id for case in cases], width=8, priority=5),
        named("what", "what fails", [group.what for group in groups], width=26, flexible=True),
        named("kind", "kind", [_kind(case) for case in cases], width=8, priority=2),
        counts("count", "cases", [group.count for group in groups], width=7, priority=1),
        loads("max_utilisation", "max", [_highest(group) for group in groups]),
        named("hottest_link", "hottest link", [case.hottest_link for case in cases], width=22, priority=4),
        named("fabric", "fabric", [case.fabric for case in cases], width=8, priority=4),
        counts("links_over_capacity", "over", [_most(group, "links_over_capacity") for group in groups],
               width=5, priority=1),
        counts("unreachable_pairs", "pairs cut", [_most(group, "unreachable_pairs") for group in groups],
               width=9, priority=3),
        Column("effect", "step", [case.stretch for case in cases], numeric=True, width=7, unit="ratio",
               texts=[effect_text(case) for case in cases]),
        factors("stretch", "stretch", [case.stretch for case in cases], priority=9),
        named("state", "jobs", [case_state(case) for case in cases], width=7, priority=4),
        counts("gpus_cut_off", "GPUs cut", [case.gpus_cut_off for case in cases], width=8),
        amounts("per_month", "a month", per_month, width=8, priority=1),
        amounts("lost_gpu_hours_per_month", "GPU-h lost a month", lost, width=18, priority=1),
    )  # fmt: skip
    return Table.of(columns, len(groups), title="failure cases", marks=[case_mark(case) for case in cases])


def _highest(group: CaseGroup) -> float | None:
    """Of the fullest link in any case of a group; None is load on a link without capacity."""
    values = [case.max_utilisation for case in group.cases]
    return None if None in values else max(value for value in values if value is not None)


def _most(group: CaseGroup, count: str) -> int:
    """The highest count in any case of a group."""
    return max(int(getattr(case, count)) for case in group.cases)


def _kind(case: FailureCase) -> str:
    return " + ".join(case.kinds)


def _sum(values: Any) -> float | None:
    """Of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


# ---- links -----------------------------------------------------------------------------------------------------------


def link_cause(link: WorstLink) -> str:
    """The failure that fills it most."""
    return " + ".join(link.causes[0].parts) if link.causes else ""


def worst_link_table(links: Sequence[WorstLink]) -> Table:
    """Links with their load intact and in their worst case, and the failure behind it."""
    columns = (
        named("link", "link", [link.link for link in links], width=26),
        ratios("intact_utilisation", "intact", [link.intact_utilisation for link in links]),
        loads("worst_utilisation", "worst", [link.worst_utilisation for link in links]),
        named("cause", "when this fails", [link_cause(link) for link in links], width=26, flexible=True),
        named("tier", "tier", [link.tier for link in links], width=10, priority=2),
        named("phase", "phase", [link.phase for link in links], width=16, priority=3),
        named("fabric", "fabric", [link.fabric for link in links], width=8, priority=1),
        speeds("capacity_gbps", "Gb/s", [link.capacity_gbps for link in links], priority=4),
        named("causes", "cases", [cause_records(link) for link in links], priority=9),
    )
    marks: list[Mark] = ["bad" if is_over(link.worst_utilisation) else "" for link in links]
    return Table.of(columns, len(links), title="links by their worst case", marks=marks)


@dataclass(frozen=True)
class LinkCaseGroup:
    """Links that are as full intact and in their worst case: the first of them stands for all."""

    links: tuple[WorstLink, ...]

    @property
    def example(self) -> WorstLink:
        """The first."""
        return self.links[0]

    @property
    def name(self) -> str:
        """Names folded to ranges, or the first and how many are like it."""
        return _folded([link.link for link in self.links], len(self.links))


def folded_links(links: Sequence[WorstLink]) -> list[LinkCaseGroup]:
    """Links of one tier with the same figures in one group, in the order of the first of them."""
    groups: dict[tuple[str, ...], list[WorstLink]] = {}
    for link in links:
        key = (link.fabric, link.phase, link.tier, _digits(link.intact_utilisation), _digits(link.worst_utilisation))
        groups.setdefault(key, []).append(link)
    return [LinkCaseGroup(tuple(members)) for members in groups.values()]


def folded_link_table(groups: Sequence[LinkCaseGroup]) -> Table:
    """One row per group of equal links; the cause is that of the first."""
    links = [group.example for group in groups]
    columns = list(worst_link_table(links).columns)
    columns[0] = named("link", "link", [group.name for group in groups], width=26, flexible=True)
    columns.insert(1, counts("count", "links", [len(group.links) for group in groups], width=6, priority=1))
    marks: list[Mark] = ["bad" if is_over(link.worst_utilisation) else "" for link in links]
    return Table.of(columns, len(groups), title="links by their worst case", marks=marks)


def cause_records(link: WorstLink) -> list[dict[str, Any]]:
    """The failures that fill one link most, for machines."""
    return [{"case": cause.case, "parts": [*cause.parts], "utilisation": cause.utilisation} for cause in link.causes]


def cause_table(link: WorstLink) -> Table:
    """The failures that fill one link most."""
    columns = (
        named("what", "when this fails", [" + ".join(cause.parts) for cause in link.causes], width=30),
        named("case", "case", [cause.case for cause in link.causes], width=8, priority=1),
        loads("utilisation", "load", [cause.utilisation for cause in link.causes]),
    )
    marks: list[Mark] = ["bad" if is_over(cause.utilisation) else "" for cause in link.causes]
    return Table.of(columns, len(link.causes), title="failures that fill it most", marks=marks)


# ---- limits ----------------------------------------------------------------------------------------------------------


def when_limit_table(limits: Sequence[FailureLimit], availability: Mapping[str, float] | None = None) -> Table:
    """Limits in failure cases: what the worst case comes to, which it is, and how many cases break them."""
    verdicts = [limit.verdict for limit in limits]
    known = availability or {}
    columns = (
        named("id", "id", [verdict.id for verdict in verdicts], width=4, priority=3),
        named("text", "limit", [verdict.text for verdict in verdicts], width=26),
        named("when", "when", [limit.when for limit in limits], width=16),
        Column("value", "value", [verdict.value for verdict in verdicts], numeric=True,
               texts=[*map(measured_text, verdicts)]),
        Column("max", "allowed", [verdict.max for verdict in verdicts], numeric=True,
               texts=[limit_text(verdict.max, verdict.unit) for verdict in verdicts]),
        named("worst_case", "worst case", [" + ".join(limit.parts) for limit in limits], width=20, flexible=True),
        named("case", "case", [limit.case for limit in limits], width=8, priority=4),
        counts("broken", "broken in", [limit.broken for limit in limits], width=9),
        counts("cases", "of cases", [limit.cases for limit in limits], width=9, priority=1),
        ratios("availability", "holds of the time",
               [known.get(verdict.id, known.get(verdict.text)) for verdict in verdicts], width=10, priority=1),
        Column("ok", "verdict", [verdict.ok for verdict in verdicts], VERDICTS.__getitem__, width=7),
        named("detail", "detail", [verdict.detail for verdict in verdicts], width=24, priority=2, flexible=True),
    )  # fmt: skip
    marks = [limit_mark(verdict.ok) for verdict in verdicts]
    table = Table.of(columns, len(limits), title="limits in failure cases", marks=marks)
    return table.without_empty("availability", "detail")


# ---- causes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class KindHarm:
    """What the worst failure of a kind and role does."""

    kind: str  # switch leaf
    cases: int  # that are kept
    worst: FailureCase

    @property
    def stretch(self) -> float | None:
        """Of the step in the worst case; None where a job stalls."""
        return self.worst.stretch


def kind_harms(cases: Sequence[FailureCase]) -> list[KindHarm]:
    """By kind and role of part, that of greatest harm first; cases stand worst first."""
    groups: dict[str, list[FailureCase]] = {}
    for case in cases:
        groups.setdefault(cause_name(case), []).append(case)
    return [KindHarm(kind, sum(case.count for case in members), members[0]) for kind, members in groups.items()]


def kind_table(harms: Sequence[KindHarm]) -> Table:
    """The worst failure of every kind."""
    columns = (
        named("kind", "kind", [harm.kind for harm in harms], width=16),
        counts("cases", "cases", [harm.cases for harm in harms], width=6, priority=1),
        named("worst", "worst of them", [case_name(harm.worst) for harm in harms], width=24, priority=3, flexible=True),
        Column("stretch", "step", [harm.stretch for harm in harms], numeric=True, unit="ratio",
               texts=[effect_text(harm.worst) for harm in harms]),
        loads("max_utilisation", "max", [harm.worst.max_utilisation for harm in harms]),
        counts("gpus_cut_off", "GPUs cut", [harm.worst.gpus_cut_off for harm in harms], width=8, priority=2),
    )  # fmt: skip
    return Table.of(columns, len(harms), title="worst by kind", marks=[case_mark(harm.worst) for harm in harms])


def losses(result: FailureResult) -> Expected | None:
    """What is lost a month; None without rates, and where no job has GPUs to lose."""
    expected = result.expected
    return expected if expected is not None and expected.gpu_hours_per_month > 0 else None


def loss_table(expected: Expected) -> Table:
    """GPU-hours lost a month by cause, the largest first."""
    rows = sorted(expected.by_cause.items(), key=lambda row: (-row[1], row[0]))
    total = expected.gpu_hours_lost_per_month.mean
    columns = (
        named("cause", "cause", [cause for cause, _ in rows], width=24),
        amounts("gpu_hours_lost_per_month", "GPU-hours a month", [lost for _, lost in rows], width=17),
        ratios("share", "of all", [lost / total if total else 0.0 for _, lost in rows]),
    )  # fmt: skip
    return Table.of(columns, len(rows), title="GPU-hours lost a month")


def loss_text(expected: Expected) -> str:
    """What is lost a month, nine months in ten, of what there is."""
    lost = expected.gpu_hours_lost_per_month
    return (
        f"{amount_text(lost.mean)} GPU-hours lost a month ({amount_text(lost.p5)} to {amount_text(lost.p95)} "
        f"in nine months of ten) of {count_text(expected.gpu_hours_per_month)}; "
        f"{amount_text(expected.failures_per_month)} failures a month"
    )


def checkpoint_table(advice: Sequence[CheckpointAdvice]) -> Table:
    """How often jobs should write checkpoints."""
    columns = (
        named("job", "job", [entry.job for entry in advice], width=12),
        times("now_s", "now", [entry.now_s for entry in advice]),
        times("young_s", "Young", [entry.young_s for entry in advice]),
        times("daly_s", "Daly", [entry.daly_s for entry in advice]),
        times("simulated_s", "simulated", [entry.simulated_s for entry in advice], width=9),
        times("write_s", "a write takes", [entry.write_s for entry in advice], width=13, priority=1),
        times("between_failures_s", "between failures", [entry.between_failures_s for entry in advice], width=16,
              priority=1),
    )  # fmt: skip
    return Table.of(columns, len(advice), title="best time between checkpoints")


def remedy_table(remedies: Sequence[Remedy]) -> Table:
    """What to add so that every case of a set keeps the limits, the cheapest first."""
    columns = (
        named("text", "add", [entry.text for entry in remedies], width=40, flexible=True),
        named("tier", "tier", [entry.tier for entry in remedies], width=10, priority=1),
        counts("added", "count", [entry.added for entry in remedies]),
        loads("worst_utilisation", "worst then", [entry.worst_utilisation for entry in remedies], width=10),
        counts("cost", "US$", [entry.cost for entry in remedies], width=9, priority=1),
        named("sets", "as overrides", [" ".join(entry.sets) for entry in remedies], width=30, priority=2,
              flexible=True),
    )  # fmt: skip
    marks: list[Mark] = ["good" if entry.holds else "" for entry in remedies]
    return Table.of(columns, len(remedies), title="what to add so that it holds", marks=marks).without_empty("cost")


# ---- in a line -------------------------------------------------------------------------------------------------------


def sweep_text(result: FailureResult, *, seconds: bool = False) -> str:
    """How many cases of what, and how they were looked at."""
    kinds = "" if result.choose == 0 else f" of {', '.join(result.kinds)}"
    sampled = f" of {count_text(result.total)}" if result.total > result.cases else ""
    routed = f", {count_text(result.evaluated)} routed" if result.evaluated < result.cases else ""
    took = f" in {seconds_text(result.seconds)}" if seconds and result.seconds else ""
    stopped = ", stopped before the end" if result.partial else ""
    return f"{result.set}{kinds}: {count_text(result.cases)}{sampled} cases{routed}{took}, {result.reaction}{stopped}"


def harm_text(result: FailureResult) -> str:
    """How many of the cases do what."""
    parts = [
        (result.by_state.get("stalled", 0), "stall a job"),
        (result.by_state.get("slowed", 0), "slow one"),
        (result.cut_off, "cut GPUs off"),
        (result.over_capacity, "have links over capacity"),
    ]
    said = [f"{count_text(count)} {what}" for count, what in parts if count]
    return ", ".join(said) if said else "no case stalls or slows a job"
