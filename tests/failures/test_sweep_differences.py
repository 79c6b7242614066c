"""Two sweeps side by side: counts, limits and losses; cases matched by what fails, links by their names."""

from __future__ import annotations

from dataclasses import replace

from made_sweep import CASES, sweep

from fabric.failures.differences import GPU_HOURS, compare_sweeps
from fabric.failures.result import Estimate


def by_name(rows: tuple) -> dict:
    """Both values of every row by its name."""
    return {row.what: (row.a, row.b) for row in rows}


def test_a_sweep_does_not_differ_from_itself():
    """Rows that are equal are figures all the same; of cases and links only what differs is listed."""
    found = compare_sweeps(sweep(), sweep())
    assert not found.differs()
    assert found.figures
    assert found.cases == found.links == found.asked == ()


def test_what_got_better_is_found_by_case_link_limit_and_loss():
    """spine0 slows the step to 1.10x instead of 1.25x; its limit holds; half of its GPU-hours are saved."""
    a = sweep()
    better = replace(CASES[2], max_utilisation=0.95, links_over_capacity=0,
                     jobs=(replace(CASES[2].jobs[0], step_time_s=2.2, stretch=1.1),))  # fmt: skip
    (limit,) = a.limits
    expected = replace(a.expected, gpu_hours_lost_per_month=Estimate(99.75, 0.0, 400.0),
                       by_cause={**a.expected.by_cause, "switch spine": 12.5})  # fmt: skip
    b = replace(
        a,
        failures=(*CASES[:2], better, *CASES[3:]),
        links=(replace(a.links[0], worst_utilisation=1.25), *a.links[1:]),
        limits=(replace(limit, verdict=replace(limit.verdict, value=0.95, ok=True), broken=0),),
        expected=expected,
        over_capacity=17,
    )
    found = compare_sweeps(a, b)
    figures = by_name(found.figures)
    assert figures["GPU-hours lost a month"] == (112.25, 99.75)
    assert figures["GPU-hours lost a month: switch spine"] == (25.0, 12.5)
    assert figures["cases with a link over capacity"] == (18, 17)
    assert by_name(found.cases) == {
        "spine0 fails: worst offered": (1.5, 0.95),
        "spine0 fails: step, of the intact one": (1.25, 1.1),
    }
    assert by_name(found.links) == {"main leaf0 -> spine1: worst offered in any case": (1.5, 1.25)}
    (judged,) = [row for row in found.figures if row.limit is not None]
    assert (judged.a_ok, judged.b_ok, judged.limit) == (False, True, 1.0)
    assert {row.unit for row in found.figures if row.what.startswith("GPU-hours")} == {GPU_HOURS}


def test_a_job_that_stalls_on_one_side_is_said_as_that():
    """A step that never ends has no stretch to compare: jobs that stall are counted."""
    a = sweep()
    stalled = replace(CASES[2], jobs=(replace(CASES[2].jobs[0], state="stalled", step_time_s=None, stretch=None),))
    found = compare_sweeps(a, replace(a, failures=(*CASES[:2], stalled, *CASES[3:])))
    assert by_name(found.cases) == {"spine0 fails: jobs that stall": (0, 1)}


def test_what_one_side_alone_has_is_counted_only_where_lists_are_whole():
    """Of a list that was cut nobody can say that the other side has it not."""
    a = sweep()
    b = replace(a, links=a.links[:1])
    found = compare_sweeps(a, b)
    assert (found.only_a, found.only_b, found.links) == ((None, 1), (None, 0), ())  # one case stands for sixteen
    single = replace(a, failures=CASES[:4], cases=4)
    fewer = replace(a, failures=CASES[:2], cases=2)
    assert compare_sweeps(single, fewer).only_a == (2, 0)
    assert compare_sweeps(a, b, whole=False).only_a is None
    cut = replace(a, failures=CASES[:2])  # keeps 2 of 20 cases
    assert compare_sweeps(a, cut).only_a is None


def test_other_sets_are_named():
    """Figures of sweeps over other cases are not of the same thing."""
    a = sweep()
    found = compare_sweeps(a, replace(a, kinds=("switch",), reaction="frozen", total=99))
    assert {key: value for key, _, value in found.asked} == {
        "kinds": ("switch",),
        "reaction": "frozen",
        "sample": 20,
    }
