"""What people read of routing: verdicts in words, stopped solves, percentiles, and the machine's record of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fabric.evaluation.router_comparison import (
    LossSplit,
    PhaseComparison,
    RouterComparison,
    RouterFigure,
    RouterOutcome,
    loss_split,
)
from fabric.faces.answers.records import route_record
from fabric.faces.answers.route_report import route_document
from fabric.faces.answers.routers_records import comparison_record, router_entry
from fabric.faces.answers.routers_report import comparison_document, verdict
from fabric.faces.views.routers import router_table
from fabric.faces.views.row_kinds import ROUTERS
from fabric.output.table import Column, Table
from fabric.output.text import to_markdown, to_plain
from fabric.result import JobTime, LimitVerdict, RouteResult
from fabric.routing.router import Certificate, HashSpread, ObjectiveProof, Quantiles
from fabric.scenario.load import load_scenario
from tests.drawing.drawn_routes import routed
from topologies.builder import TOPOLOGIES

SCENARIO = Path(__file__).parents[1] / "golden" / "cases" / "oversubscribed.fabric.yaml"
SPREAD = HashSpread(100, Quantiles(2.067, 2.3, 2.412), Quantiles(0.5, 0.4, 0.25))


@pytest.fixture(scope="module")
def loaded():
    """Any scenario: its name and seed head the report."""
    return load_scenario(str(SCENARIO))


def row(router, theta, **changes):
    """A row of the comparison."""
    return RouterFigure("main", "dp", router, max_utilisation=theta, **changes)


def comparison(*rows, access=1.0, bound=1.4, outcomes=()):
    """One phase under the routers of the rows."""
    phase = PhaseComparison("main", "dp", rows, loss_split(access, rows), Certificate(bound, "the 6 uplinks of leaf0"))
    return RouterComparison(tuple(one.router for one in rows), (phase,), tuple(outcomes))


def outcome(router, step_s, *, ok=True):
    """A job's step time and a limit under a router."""
    job = JobTime("llm", "training", 8, (), 4.0, 4.5, step_s, None)
    limit = LimitVerdict("L1", "llm step_time", "step_time", step_s, 5.0, "s", ok)
    return RouterOutcome(router, (job,), (limit,))


FULL = (
    row("optimal", 1.4, solver="descent", solve_time_s=1.5),
    row("wcmp", 1.42),
    row("ecmp", 1.498),
    row("ecmp-hash", 2.067, spread=SPREAD),
)


def lines(text):
    """Lines of a plain report that are no table."""
    return [line for line in text.splitlines() if "\t" not in line]


def test_the_verdict_says_what_each_cause_costs_and_from_which_figures():
    """2.067/1.498 = 1.380, 2.412/1.498 = 1.610; 1.498/1.4 = 1.07; 1.4/1."""
    assert verdict(comparison(*FULL)) == (
        "main dp: hashing costs you 38.0 % (p99 61.0 %), uneven links 7.0 %, topology the rest, 40.0 %; fullest link "
        "100.0 % by access links alone, 140.0 % at best, 149.8 % by ecmp (if split perfectly), 206.7 % hashed"
    )


def test_what_costs_nothing_is_said_to_cost_nothing():
    """All at 140 %: no loss by splits or hashes, and the rest is topology; at 100 % not even that."""
    rows = (row("optimal", 1.0), row("ecmp", 1.0), row("ecmp-hash", 1.0))
    said = verdict(comparison(*rows))
    assert said.startswith("main dp: no loss from hashing (one draw), from uneven links, or from the topology; ")


@pytest.mark.parametrize(
    ("rows", "access", "said"),
    [
        (
            (row("ecmp", 1.2),),
            1.0,
            "main dp: causes unknown; fullest link 100.0 % by access links alone, 120.0 % by ecmp (if split perfectly)",
        ),
        ((row("ecmp", 1.2), row("optimal", 1.0)), None, "main dp: uneven links 20.0 %; fullest link 100.0 % at best"),
        ((row("spray", 1.2),), None, "main dp: causes unknown; fullest link 120.0 % at worst"),
    ],
)
def test_unknown_causes_are_left_out(rows, access, said):
    """Without a router, or without access links, nothing is made up."""
    assert verdict(comparison(*rows, access=access)).startswith(said)


def test_nothing_offered_is_said(loaded):
    """No phases, no causes."""
    assert verdict(RouterComparison((), (), ())) == "nothing is offered"


@pytest.mark.parametrize(
    ("split", "part"),
    [
        (LossSplit(1.0, 0.1, 0.2, 0.9, 0.5, 0.6), "hashing; more queue pairs"),
        (LossSplit(1.0, 0.1, 0.6, 0.9, 0.5, 0.6), "uneven links; wcmp takes back 90 % of it"),
        (LossSplit(1.0, 0.7, 0.6, 0.9, 0.5, 0.6), "topology; the 6 uplinks of leaf0"),
    ],
)
def test_the_largest_part_comes_with_what_takes_it_back(loaded, split, part):
    """Hashing by more flows, uneven links by weights, topology where the cut is."""
    result = comparison(*FULL)
    result = replace(result, phases=(replace(result.phases[0], split=split),))
    assert f"largest part: {part}" in to_plain(comparison_document(loaded, result))


def test_step_times_that_look_equal_are_named_together(loaded):
    """4.67 s twice, 5.24 s once."""
    times = [outcome("optimal", 4.6701), outcome("ecmp", 4.6702), outcome("ecmp-hash", 5.24, ok=False)]
    text = to_plain(comparison_document(loaded, comparison(*FULL, outcomes=times)))
    assert "llm: step 4.67 s under optimal and ecmp, 5.24 s under ecmp-hash" in lines(text)
    assert "llm\t4.5 s\t4.67 s\t4.67 s\t5.24 s" in text
    assert "llm step_time\t5 s\t4.67 s ok\t4.67 s ok\t5.24 s FAIL" in text


def test_a_stopped_solve_is_never_a_bare_number(loaded):
    """131.2 % reached, 125 % proven: 131.2/125 - 1 = 5.0 %."""
    result = comparison(row("optimal", 1.312, partial=True), row("ecmp", 1.4), bound=1.25)
    text = to_plain(comparison_document(loaded, result))
    assert "main\tdp\toptimal (if split perfectly)\t<= 131.2 %" in text
    assert "<= 131.2 % at best" in verdict(result)
    assert "between 125.0 % (bound) and 131.2 % (this routing), gap 5.0 %" in text
    assert lines(text)[-1].startswith("partial:")


def test_a_refusal_is_a_row_with_its_reason(loaded):
    """The row has no figures, and a line says why."""
    result = comparison(*FULL[:3], RouterFigure("main", "dp", "ecmp-hash", refused="6,000,000 flows are too many"))
    text = to_plain(comparison_document(loaded, result))
    assert "main\tdp\tecmp-hash\trefused\t-" in text
    assert "main dp: ecmp-hash: refused: 6,000,000 flows are too many" in lines(text)


def test_a_job_has_no_step_time_under_a_router_that_refused(loaded):
    """Its phases are not all routed there; the other routers' times stay."""
    refused = RouterOutcome("ecmp-hash", (JobTime("llm", "training", 8, (), 4.0, None, None, None),), ())
    times = [replace(outcome("ecmp", 4.67), limits=()), refused]
    text = to_plain(comparison_document(loaded, comparison(*FULL[:3], outcomes=times)))
    assert "llm\t4.5 s\t4.67 s\t-" in text


def test_weights_that_take_nothing_back_take_back_zero(loaded):
    """Not minus zero."""
    result = comparison(row("optimal", 1.0), row("ecmp", 1.5), row("wcmp", 1.5 + 1e-12))
    text = to_plain(comparison_document(loaded, result))
    assert "wcmp takes back 0 % of it" in text
    assert "-0" not in text


def test_times_are_not_in_what_scripts_and_files_get(loaded):
    """Two equal runs print the same bytes: the time of a solve is for terminals."""
    document = comparison_document(loaded, comparison(*FULL))
    (routers,) = [part for part in document if getattr(part, "title", "") == "routers"]
    assert routers.columns[-1].header == "time"
    assert routers.cells(0)[-1] == "1.5 s"
    for text in (to_plain(document), to_markdown(document)):
        assert "1.5 s" not in text
        assert "descent" in text


def test_a_table_without_its_live_columns_keeps_the_others():
    """A live column differs between two runs."""
    columns = (Column("a", "a", ["x"]), Column("time_s", "time", [1.0], live=True), Column("b", "b", [2]))
    part = Table.of(columns, 1, marks=["bad"]).repeatable
    assert (part.headers, list(part.texts()), part.mark(0)) == (("a", "b"), [("x", "2")], "bad")


def test_the_record_has_every_documented_key_and_is_json(loaded):
    """One item per row with the CSV's columns, the split with its six keys."""
    result = comparison(*FULL, RouterFigure("main", "dp", "ftree", refused="no"), outcomes=[outcome("ecmp", 4.7)])
    record = json.loads(json.dumps(comparison_record(loaded, result, verdict(result)), allow_nan=False))
    assert record["kind"] == "RouterComparison"
    assert record["phases"][0]["split"]["hashing"] == pytest.approx(0.38, abs=1e-3)
    items = [router_entry(result)(row) for row in range(len(result.figures))]
    assert [item["p99"] for item in items] == [None, None, None, 2.412, None]
    assert items[-1]["max_utilisation"] is None
    assert items[-1]["notes"] == []
    assert tuple(router_table(result).only(*ROUTERS.columns).record(0)) == ROUTERS.columns
    assert record["outcomes"][0]["jobs"][0]["step_time_s"] == 4.7


# ---- single routes --------------------------------------------------------------------------------------------------


def single(**changes):
    """A result of one routed phase."""
    net = TOPOLOGIES["leaf-spine"](
        {"leaves": 2, "spines": 2, "hosts_per_leaf": 2, "host_speed": "100G", "uplink_speed": "100G"}
    )
    return RouteResult((routed(net, 1.2, **changes),), (), (), (), ())


def test_a_stopped_route_gives_bound_and_gap(loaded):
    """120 % reached, 100 % proven."""
    best = Certificate(1.0, "the uplinks of leaf0")
    text = to_plain(route_document(loaded, single(partial=True, best_possible=best, certificate=best)))
    assert "<= 120.0 %" in text
    assert "the optimum lies between 100.0 % (bound) and 120.0 % (this routing), gap 20.0 %" in text


def test_percentiles_of_the_hash_are_a_table(loaded):
    """Median, 95th and 99th percentile of the fullest link and of the worst-off flow's rate."""
    result = single(spread=SPREAD)
    text = to_plain(route_document(loaded, result))
    assert "\t100\t206.7 %\t230.0 %\t241.2 %\t50.0 %\t40.0 %\t25.0 %" in text
    assert route_record(loaded, result)["routes"][0]["spread"]["worst_rate"] == {"p50": 0.5, "p95": 0.4, "p99": 0.25}


def test_notes_and_objectives_are_lines(loaded):
    """A throughput of 900 of at most 1,000 Gb/s: gap 10 %; θ is then no bound's business."""
    proof = ObjectiveProof("throughput", 900.0, 1000.0, "Gb/s", "the uplinks of leaf0 carry no more")
    certificate = Certificate(1.5, "uplinks", objective=proof)
    result = single(certificate=certificate, best_possible=certificate, notes=("12 demands cut",), partial=True)
    said = lines(to_plain(route_document(loaded, result)))
    assert any(
        "throughput 900 Gb/s, bound 1,000 (gap 10.0 %): the uplinks of leaf0 carry no more" in line for line in said
    )
    assert any(line.endswith("12 demands cut") for line in said)
    assert not any("the optimum lies between" in line for line in said)
    assert route_record(loaded, result)["routes"][0]["objective"]["bound"] == 1000.0
