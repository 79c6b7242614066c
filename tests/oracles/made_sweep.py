"""A sweep of the quickstart example as a value, small enough to be read: what faces are tested with."""

from __future__ import annotations

from fabric.failures.result import (
    Cause,
    CheckpointAdvice,
    Estimate,
    Expected,
    FailureCase,
    FailureLimit,
    FailureResult,
    JobState,
    Remedy,
    WorstLink,
)
from fabric.result import LimitVerdict


def case(
    number: int,
    part: str,
    kind: str,
    *,
    full: float = 0.5,
    stretch: float | None = 1.0,
    cut: int = 0,
    count: int = 1,
    monthly: float | None = None,
    lost: float | None = None,
) -> FailureCase:
    """One failure of one part; ``stretch`` None stalls the job."""
    state = "stalled" if stretch is None else "slowed" if stretch > 1 else "ok"
    step = None if stretch is None else 2.0 * stretch
    return FailureCase(
        id=f"F{number:05}",
        parts=(part,),
        kinds=(kind,),
        count=count,
        fabric="main",
        max_utilisation=full,
        hottest_link="leaf0 -> spine1",
        links_over_capacity=int(full > 1) * 4,
        unreachable_pairs=cut,
        gpus_cut_off=cut,
        jobs=(JobState("train", state, step, stretch),),  # type: ignore[arg-type]
        selectors=(part,),
        per_month=monthly,
        lost_gpu_hours_per_month=lost,
        roles=("leaf-spine",) if kind == "link" else (part.rstrip("0123456789"),),
    )


CASES = (
    case(0, "leaf0", "switch", full=1.0, stretch=None, cut=8, monthly=0.01, lost=40.0),
    case(1, "leaf1", "switch", full=1.0, stretch=None, cut=8, monthly=0.01, lost=40.0),
    case(2, "spine0", "switch", full=1.5, stretch=1.25, monthly=0.02, lost=12.5),
    case(3, "spine1", "switch", full=1.5, stretch=1.25, monthly=0.02, lost=12.5),
    case(4, "leaf0 -> spine0", "link", full=1.25, stretch=1.1, count=16, monthly=0.3, lost=7.25),
)


def sweep(*, rates: bool = True) -> FailureResult:
    """Four switches and sixteen equal links; without rates nothing is lost a month."""
    expected = Expected(
        Estimate(112.25, 0.0, 480.0),
        {"switch leaf": 80.0, "switch spine": 25.0, "link leaf-spine": 7.25},
        gpu_hours_per_month=23_040.0,
        availability={"L2": 0.9975},
        months=1000,
        failures_per_month=0.36,
        checkpoints=(CheckpointAdvice("train", 1800.0, 1200.0, 1190.0, 1210.0, 30.0, 24000.0),),
    )
    cases = CASES if rates else tuple(case(n, c.parts[0], c.kinds[0], full=c.max_utilisation or 0.0, stretch=c.stretch,
                                           cut=c.gpus_cut_off, count=c.count) for n, c in enumerate(CASES))  # fmt: skip
    limit = LimitVerdict("L2", "max offered, leaf-spine", "offered", 1.5, 1.0, "ratio", False)
    return FailureResult(
        set="N-1",
        kinds=("link", "switch"),
        choose=1,
        total=20,
        cases=20,
        evaluated=5,
        reaction="converged",
        failures=cases,
        links=(
            WorstLink("main", "train.dp", "leaf0 -> spine1", "leaf-spine", 400.0, 0.75, 1.5,
                      (Cause("F00002", ("spine0",), 1.5), Cause("F00004", ("leaf0 -> spine0",), 1.25))),
            WorstLink("main", "train.dp", "leaf1 -> spine1", "leaf-spine", 400.0, 0.75, 0.9, ()),
        ),
        limits=(FailureLimit(limit, "any-single-spine", "F00002", ("spine0",), 2, 2),),
        intact=(JobState("train", "ok", 2.0, 1.0),),
        intact_max_utilisation=0.75,
        expected=expected if rates else None,
        remedies=(Remedy("1 more spine", "leaf-spine", 16, ("fabrics.main.spines=3",), 0.99, True, 12_000.0),),
        by_state={"ok": 0, "slowed": 18, "stalled": 2},
        cut_off=2,
        over_capacity=18,
    )  # fmt: skip
