"""Runs of nccl-tests held against what is expected: verdicts, and causes that are found again from their own curves."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "traffic"))
from nccl_tests_logs import Printed, json_log, text_log

from fabric.cli.main import run
from fabric.expect.causes import Change, Situation, changes
from fabric.expect.checking import Simulation, check_log
from fabric.expect.diagnose import explanations_of
from fabric.expect.engine import expect
from fabric.expect.fit import Curve, fit_of
from fabric.expect.ranks import ranks_of
from fabric.expect.request import ExpectRequest
from fabric.pipeline.prepared import build
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario
from topologies.errors import FormatError
from traffic.nccl_tests.read import read_log
from traffic.occupancy import Occupancy

SCENARIO = """\
version: 1
name: small
nodes:
  - group: gpu
    count: 16
    model: hgx-h100-8
    name: "n{index:03d}"
    nics: {backend: {count: 8, speed: 400G, rail: per-gpu}}
fabrics:
  backend:
    attach: [gpu]
    topology:
      kind: rail-optimised
      tiers: 2
      nodes_per_unit: 4
      leaf: {model: eth-64x400, down: 4, up: 4}
      spine: {model: eth-64x400, count: 4}
    routing: {router: ecmp-hash}
"""
SIZES = tuple(2**power for power in range(12, 34))
HOSTS = tuple(f"n{host:03d}" for host in range(16))


class Bench:
    """A test on the small fabric, and the curves of all its causes."""

    def __init__(self, folder: Path, collective: str) -> None:
        self.path = folder / "small.fabric.yaml"
        self.path.write_text(SCENARIO, encoding="utf-8")
        self.loaded = load_scenario(self.path)
        network = build(self.loaded, routed=True)
        asked = ExpectRequest(collectives=(collective,), sizes_bytes=tuple(map(float, SIZES)))
        self.test = expect(self.loaded, asked, RouteRequest(), network=network).tests[0]
        ranks = ranks_of(self.loaded, network, asked, Occupancy())
        simulation = Simulation(self.loaded, network, ranks, asked, RouteRequest(), self.test)
        self.changes = changes(Situation(self.loaded, network, ranks, asked, self.test))
        self.sizes = simulation.sizes
        self.curves = {id(change): simulation(change) for change in self.changes}
        self.expected_s = np.array([row.expected.time_s for row in self.test.rows])
        self.busbw = {row.size_bytes: row.expected.busbw_gbytes_per_s for row in self.test.rows}
        marks = np.array([row.pass_mark_busbw_gbytes_per_s for row in self.test.rows])
        self.slowest_s = self.expected_s * np.array(list(self.busbw.values())) / marks

    def explain(self, measured_s):
        short = measured_s > self.slowest_s
        assert short.any()
        return explanations_of(
            self.sizes, measured_s, self.expected_s, short, self.changes, lambda change: self.curves[id(change)]
        )

    def log(self, **options) -> Printed:
        return Printed(
            hosts=HOSTS, sizes=SIZES, **{"busbw": lambda size: self.busbw[float(size)], "in_place": 1.0, **options}
        )


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"), "all-reduce")


@pytest.fixture(scope="module")
def all_to_all(tmp_path_factory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"), "all-to-all")


def curve_of(bench: Bench, change: Change):
    curve = bench.curves[id(change)]
    if curve is None:
        return None
    return curve.median_s if curve.rounds is None else curve.median_s + 15e-6 * curve.rounds


def noisy(curve, seed: int):
    return curve * np.exp(np.random.default_rng(seed).normal(0, 0.02, len(curve)))


def assert_found(bench: Bench, least: int) -> None:
    """Every cause that lengthens a size by a quarter or more is first, or tied with the first, which is said."""
    found = 0
    for change in bench.changes:
        curve = curve_of(bench, change)
        if curve is None or float((curve / bench.expected_s).max()) < 1.25:
            continue
        found += 1
        for seed in range(5):
            first, *others = bench.explain(noisy(curve, seed))
            tied = "cannot tell it from" in first.detail and change.cause in first.detail
            assert first.cause == change.cause or tied, (change, seed, first, others)
            assert first.fit > 0.8
    assert found >= least


def test_causes_of_an_all_reduce_are_found_again(bench: Bench) -> None:
    """Five seeds of noise of 2 % on the curve of every cause."""
    assert_found(bench, 15)


def test_causes_of_an_all_to_all_are_found_again(all_to_all: Bench) -> None:
    assert_found(all_to_all, 8)


@pytest.mark.parametrize(
    "cause", ["one NIC at half rate", "ranks scattered", "rails not aligned", "too few queue pairs"]
)
def test_what_the_issue_names_changes_the_test(bench: Bench, cause: str) -> None:
    """Otherwise it could never be found."""
    curves = [curve_of(bench, change) for change in bench.changes if change.cause == cause]
    assert max(float((curve / bench.expected_s).max()) for curve in curves if curve is not None) > 1.1


def test_the_latency_that_was_added_is_the_one_that_fits(bench: Bench) -> None:
    change = next(change for change in bench.changes if change.latency == "step")
    curve = bench.curves[id(change)]
    measured = curve.median_s + 25e-6 * curve.rounds
    assert fit_of(bench.sizes, measured, bench.expected_s, curve).added_s == pytest.approx(25e-6, rel=0.05)
    first = bench.explain(measured)[0]
    assert first.cause == "latency"
    assert "µs" in first.detail


@pytest.mark.parametrize("seed", range(5))
def test_a_curve_that_nothing_makes_has_no_explanation(bench: Bench, seed: int) -> None:
    """Factors of 1.2 to 4, drawn for every size by itself."""
    factors = np.random.default_rng(seed).uniform(1.2, 4.0, len(bench.sizes))
    (only,) = bench.explain(bench.expected_s * factors)
    assert only.cause == "nothing that was simulated"
    assert only.fit == 0
    assert "were simulated" in only.detail


def test_a_dip_at_two_sizes_has_no_explanation(bench: Bench) -> None:
    measured = bench.expected_s.copy()
    measured[14:16] *= 5
    (only,) = bench.explain(measured)
    assert only.cause == "nothing that was simulated"


def test_causes_with_one_curve_are_said_to_be_tied() -> None:
    sizes = np.array([2.0**power for power in range(20, 30)])
    expected = sizes / 40e9
    curve = Curve(2 * expected, 2 * expected, 2 * expected)
    both = [Change("a slow NIC", "of two"), Change("a slow link", "of two")]
    first, second = explanations_of(sizes, 2 * expected, expected, np.ones(10, bool), both, lambda change: curve)
    assert (first.cause, second.cause) == ("a slow NIC", "a slow link")
    assert "this run cannot tell it from: a slow link" in first.detail


def check(bench: Bench, text: str, folder: Path, **asked):
    log = folder / "run.log"
    log.write_text(text, encoding="utf-8")
    return check_log(bench.loaded, ExpectRequest(**asked), RouteRequest(), read_log(log)).check


def test_a_run_as_expected_passes(bench: Bench, tmp_path: Path) -> None:
    for text in (text_log(bench.log()), json_log(bench.log())):
        result = check(bench, text, tmp_path)
        assert result.verdict == "pass"
        assert not result.explanations
        assert len(result.rows) == 2 * len(SIZES)
        assert any(row.in_place for row in result.rows)


def test_a_run_at_half_rate_fails_and_is_explained(bench: Bench, tmp_path: Path) -> None:
    change = next(change for change in bench.changes if change.cause == "one NIC at half rate")
    slow = dict(zip(SIZES, bench.expected_s / curve_of(bench, change), strict=True))
    result = check(bench, text_log(bench.log(busbw=lambda size: bench.busbw[float(size)] * slow[size])), tmp_path)
    assert result.verdict == "fail"
    assert result.explanations[0].cause == "one NIC at half rate"
    by_size = {row.size_bytes: row for row in result.rows}
    assert not by_size[SIZES[-1]].ok
    assert by_size[SIZES[0]].ok


def test_rows_are_judged_by_bandwidth_or_by_time(bench: Bench, tmp_path: Path) -> None:
    """A small message may take twice as long; a large one has to reach the mark."""
    result = check(bench, text_log(bench.log(busbw=lambda size: bench.busbw[float(size)] / 1.8)), tmp_path)
    assert {row.ok for row in result.rows if row.judged_by == "time"} == {True}
    assert {row.ok for row in result.rows if row.judged_by == "bandwidth"} == {False}
    slower = check(bench, text_log(bench.log(busbw=lambda size: bench.busbw[float(size)] / 2.2)), tmp_path)
    assert {row.ok for row in slower.rows} == {False}
    assert any("may take 2 times" in note for note in result.notes)


def test_a_run_with_wrong_values_fails(bench: Bench, tmp_path: Path) -> None:
    result = check(bench, text_log(bench.log(wrong=2)), tmp_path)
    assert result.verdict == "fail"
    assert all(row.ok for row in result.rows)


def test_a_run_above_the_ideal_is_said(bench: Bench, tmp_path: Path) -> None:
    result = check(bench, text_log(bench.log(busbw=lambda size: 2 * bench.busbw[float(size)])), tmp_path)
    assert any("of the ideal: the scenario has slower NICs" in note for note in result.notes)


def test_hosts_of_other_names_are_taken_in_order_and_that_is_said(bench: Bench, tmp_path: Path) -> None:
    printed = replace(bench.log(), hosts=tuple(f"other{host}" for host in range(16)))
    result = check(bench, text_log(printed), tmp_path)
    assert result.verdict == "pass"
    assert any("no hosts of these names" in note for note in result.notes)


def test_one_rank_a_host_is_not_taken_for_whole_hosts(bench: Bench, tmp_path: Path) -> None:
    """16 ranks on 16 hosts cross the fabric; 16 ranks on 2 hosts would be another test."""
    printed = replace(bench.log(), gpus=1, busbw=lambda size: 40.0)
    log = tmp_path / "run.log"
    log.write_text(text_log(printed), encoding="utf-8")
    result = check_log(bench.loaded, ExpectRequest(), RouteRequest(), read_log(log))
    assert result.tests[0].hosts == 16
    assert result.tests[0].ranks == 16


@pytest.mark.parametrize(
    ("options", "asked", "message"),
    [
        ({"hosts": tuple(f"x{host}" for host in range(17))}, {}, r"run\.log:2: the run has 136 ranks, and gpu has 16"),
        ({"hosts": ("n000", "n001"), "gpus": 16}, {}, r"run\.log:2: n000 has 16 ranks, and hosts of gpu have 8 GPUs"),
        (
            {"hosts": ("n000",), "gpus": 1, "program": "broadcast"},
            {},
            r"run\.log:2: one rank exchanges data with nobody",
        ),
        ({"program": "gather"}, {}, r"run\.log:2: gather_perf is not predicted"),
        ({}, {"ranks": 64}, r"run\.log:2: --ranks 64, and the run has 128"),
    ],
)
def test_runs_of_other_clusters_are_refused(bench: Bench, tmp_path: Path, options, asked, message: str) -> None:
    printed = replace(bench.log(busbw=lambda size: 40.0), **options)
    with pytest.raises(FormatError, match=message) as refused:
        check(bench, text_log(printed), tmp_path, **asked)
    assert refused.value.problems[0].code == "FP6273"
    assert refused.value.problems[0].hint


def test_groups_that_ran_at_a_time_are_refused(bench: Bench, tmp_path: Path) -> None:
    text = text_log(replace(bench.log(), hosts=HOSTS[:8]))
    lines = [line for line in text.splitlines() if "Rank" in line]
    other = "\n".join(line.replace("Group  0", "Group  1").replace("n00", "n01") for line in lines)
    with pytest.raises(FormatError, match="2 communicators ran at a time"):
        check(bench, text.replace(lines[-1], lines[-1] + "\n" + other), tmp_path)


def test_the_command_prints_the_verdict_and_exits_by_it(bench: Bench, tmp_path: Path, capsys) -> None:
    log = tmp_path / "run.log"
    log.write_text(text_log(bench.log()), encoding="utf-8")
    assert run(["expect", str(bench.path), "--check", str(log)]) == 0
    assert "PASS: 44 rows reach their mark" in capsys.readouterr().out
    log.write_text(text_log(bench.log(busbw=lambda size: bench.busbw[float(size)] / 3)), encoding="utf-8")
    assert run(["expect", str(bench.path), "--check", str(log), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["kind"] == "ExpectResult"
    assert answer["check"]["verdict"] == "fail"
    assert set(answer["check"]["explanations"][0]) == {"cause", "fit", "detail"}
    assert len(answer["check"]["rows"]) == 44
    assert run(["expect", str(bench.path), "--check", str(log), "-f", "csv"]) == 1
    assert capsys.readouterr().out.startswith("collective,size_bytes,in_place,measured_time_s")


def test_the_command_refuses_what_the_log_decides(bench: Bench, tmp_path: Path, capsys) -> None:
    log = tmp_path / "run.log"
    log.write_text(text_log(bench.log()), encoding="utf-8")
    assert run(["expect", str(bench.path), "--check", str(log), "--sizes", "1M"]) == 2
    assert run(["expect", str(bench.path), "--check", str(tmp_path / "none.log")]) == 3
    assert run(["expect", str(bench.path), "--check", str(log), "--collective", "broadcast"]) == 3
    assert "--collective broadcast, and the log is of all-reduce" in capsys.readouterr().err
