"""``fabric traffic``: phases, matrix, formulae, one collective."""

from __future__ import annotations

import csv
import io
import json

import pytest

from fabric.cli.main import run

SCENARIO = """
version: 1
name: small
site: {racks_per_row: 2}
nodes:
  - group: gpu
    model: hgx-h100-8
    count: 8
    name: "n{index}"
    per_rack: 4
    nics: {backend: {model: cx7-400, count: 8, rail: per-gpu}}
fabrics:
  backend:
    topology:
      kind: rail-optimised
      nodes_per_unit: 4
      leaf: {model: eth-64x400, down: 4, up: 4}
      spine: {model: eth-64x400, count: 4}
workloads:
  - id: job
    kind: training
    model: {layers: 8, hidden: 1024, ffn_hidden: 4096, heads: 16, vocab: 32000, experts: {count: 8, top_k: 2}}
    parallelism: {tp: 2, pp: 2, ep: 8}
    batch: {global: 64, sequence: 2048}
    overlap: {grad_reduce: true}
    compute: {peak: 989 TFLOP/s, kernel_efficiency: 0.70}
"""


@pytest.fixture
def scenario(tmp_path):
    """64 GPUs in two units of four hosts, two racks."""
    path = tmp_path / "small.fabric.yaml"
    path.write_text(SCENARIO)
    return str(path)


@pytest.fixture
def answer(capsys):
    """A command line's standard output, or both streams where it fails as it should."""

    def call(*words: str, verb: str = "traffic", code: int = 0) -> str:
        assert run([verb, *words]) == code
        found = capsys.readouterr()
        return found.out if code == 0 else found.out + found.err

    return call


def test_the_record_has_what_operation_reads(answer, scenario):
    """Every figure of the contract, and sums that agree with each other."""
    (job,) = json.loads(answer(scenario, "--json"))["workloads"]
    assert job["parameters_active"] < job["parameters"]
    assert set(job["parameters_per_rank"]) == {"min", "mean", "max"}
    assert job["tokens_per_step"] == 64 * 2048
    assert job["flops_per_step"] == pytest.approx((6 * job["parameters_active"] + 12 * 8 * 1024 * 2048) * 64 * 2048)
    assert job["kv_bytes_per_token"] == 2 * 8 * 1024 * 2
    assert job["checkpoint_bytes"] == 14 * job["parameters"]
    for phase in job["phases"]:
        assert phase["sent_bytes_on_fabric_per_rank"] <= phase["sent_bytes_per_rank"] * (1 + 1e-9)
        assert phase["flows"] == phase["pairs"]
        if phase["fabric"]:
            assert phase["sent_bytes_on_fabric_per_rank"] == pytest.approx(phase["total_bytes"] / 64)
            assert phase["exposed_s"] <= phase["ideal_s"]
    by_name = {phase["name"]: phase for phase in job["phases"]}
    reduce = by_name["dp.all_reduce"]
    room = 2 / 3 / 4 * job["compute_s"]  # of backward, the last of 4 micro-batches
    assert reduce["rate_needed_gbps"] == pytest.approx(reduce["sent_bytes_on_fabric_per_rank"] * 8e-9 / room)
    waits = sum(phase["exposed_s"] or 0 for phase in job["phases"])
    parts = job["parts"]
    assert job["step_time_ideal_s"] == pytest.approx(sum(parts.values()))
    assert job["step_time_ideal_s"] == pytest.approx(job["compute_s"] + job["bubble_s"] + parts["optimizer_s"] + waits)
    assert job["communication_share"] == pytest.approx(waits / job["step_time_ideal_s"])
    useful = job["compute_s"] + parts["exposed_tensor_s"] + parts["exposed_expert_s"]
    assert job["bubble_s"] == pytest.approx(useful * (1 / 4))


def test_an_exposed_phase_takes_no_less_than_the_fabric_needs(answer, scenario):
    """Routed on a non-blocking fabric, the step is what the schedule said."""
    ideal = json.loads(answer(scenario, "--json"))["workloads"][0]["step_time_ideal_s"]
    job = json.loads(answer(scenario, "--router", "spray", "--json", verb="route"))["jobs"][0]
    assert job["step_time_ideal_s"] == pytest.approx(ideal)
    assert job["step_time_s"] >= ideal * (1 - 1e-9)


@pytest.mark.parametrize(("level", "places"), [("unit", 2), ("rack", 2), ("host", 8), ("leaf", 16)])
def test_the_matrix_adds_up_at_every_level(answer, scenario, level, places):
    """All cells together are the bytes of the phases on the fabric."""
    phases = json.loads(answer(scenario, "--json"))["workloads"][0]["phases"]
    rows = list(csv.DictReader(io.StringIO(answer(scenario, "--matrix", level, "-f", "csv"))))
    total = sum(phase["total_bytes"] for phase in phases if phase["fabric"])
    assert sum(float(row["volume_bytes"]) for row in rows) == pytest.approx(total)
    assert len({row["src"] for row in rows}) == places


def test_the_matrix_of_one_phase_is_drawn(answer, scenario, tmp_path):
    """A picture with a cell per pair of hosts, and its value in words."""
    answer(scenario, "--matrix", "host", "--phase", "ep.dispatch", "-o", str(tmp_path / "demand.svg"))
    picture = (tmp_path / "demand.svg").read_text()
    assert "n0 to n1: " in picture
    assert picture.count("<rect") >= 64


def test_what_there_is_no_matrix_of_is_refused(answer, scenario):
    """A phase with a slip."""
    told = answer(scenario, "--matrix", "host", "--phase", "ep.dispach", code=3)
    assert "did you mean 'ep.dispatch'" in told


def test_a_phase_is_explained_with_its_numbers(answer, scenario):
    """Formula, numbers, result, source; the value is the phase's own."""
    text = answer(scenario, "--explain", "ep.dispatch")
    assert "payload per rank = w * T * k * h * β * E * m" in text
    assert "= 2 * 1,024 * 2 * 1,024 * 2 * 4 * 4" in text
    assert "source: DeepSeek-V3, arXiv 2412.19437" in text
    items = json.loads(answer(scenario, "--explain", "job:ep.dispatch", "--json"))["items"]
    (job,) = json.loads(answer(scenario, "--json"))["workloads"]
    phase = next(entry for entry in job["phases"] if entry["name"] == "ep.dispatch")
    for item in items:
        assert item["value"] == pytest.approx(phase[item["figure"]])
    flops = json.loads(answer(scenario, "--explain", "flops", "--json"))["items"]
    assert flops[0]["value"] == job["flops_per_step"]


def test_a_collective_needs_no_scenario(answer):
    """1 GB among 128 at 400 Gb/s by a ring."""
    found = json.loads(
        answer(
            "--collective",
            "all-reduce",
            "--algorithm",
            "ring",
            "--ranks",
            "128",
            "--size",
            "1GB",
            "--speed",
            "400G",
            "--json",
        )
    )
    assert found["bus_factor"] == found["sent_bytes_per_rank"] / 1e9 == 2 * 127 / 128
    assert found["lower_bound_s"] == pytest.approx(2 * 127 / 128 * 8 / 400)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--collective", "all-reduce"], 2, "needs --ranks N and --size VOLUME"),
        ([], 2, "give a SCENARIO, or --collective"),
        (["s.yaml", "--ranks", "4"], 2, "--ranks: only with --collective"),
        (["s.yaml", "--matrix", "leaf", "--explain", "all"], 2, "different answers"),
        (["s.yaml", "--collective", "all-reduce"], 2, "without a scenario"),
        (["--collective", "all-reduce", "--ranks", "4", "--size", "many"], 2, "many"),
        (["--collective", "all-redcue", "--ranks", "4", "--size", "1GB"], 3, "did you mean 'all-reduce'"),
        (
            ["--collective", "all-reduce", "--ranks", "4", "--size", "1GB", "--algorithm", "tee"],
            3,
            "did you mean 'tree'",
        ),
    ],
)
def test_what_makes_no_collective_is_refused(answer, words, code, told):
    """With a way out."""
    assert told in answer(*words, code=code)
