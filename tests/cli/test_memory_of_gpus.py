"""Memory of a GPU in answers: rows, records, the limit and its exit code."""

from __future__ import annotations

import json

import pytest

from fabric.cli.main import run as fabric

SCENARIO = """
version: 1
name: memory
fabrics:
  backend:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 8, host_speed: 400G, uplink_speed: 400G}
nodes:
  - {group: gpu, count: 2, gpus: 8, nics: {backend: {speed: 400G, count: 8, rail: per-gpu}}}
workloads:
  - id: job
    kind: training
    model: {layers: 8, hidden: 4096, ffn_hidden: 14336, heads: 32, kv_heads: 8, vocab: 32000}
    batch: {global: 16, micro: 1, sequence: 4096}
    parallelism: {tp: 2, pp: 2}
    memory: {gpu: 32 GB, reserved: 2 GB}
"""


@pytest.fixture
def answer(tmp_path, capsys):
    """Run a command on the scenario with more lines; exit code, standard output and error."""

    def run(command, *flags, more=""):
        path = tmp_path / "memory.yaml"
        path.write_text(SCENARIO + more)
        code = fabric([command, str(path), *flags])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_parts_add_up_and_are_the_same_before_and_after_routing(answer):
    """One question, one answer: records of traffic and route agree."""
    code, text, _ = answer("traffic", "--format", "json")
    assert code == 0
    (workload,) = json.loads(text)["workloads"]
    parts = workload["memory_bytes_per_gpu"]
    assert sum(value for name, value in parts.items() if name != "total") == pytest.approx(parts["total"])
    assert workload["memory"] == {"stage": 0, "capacity_bytes": 32e9, "reserved_bytes": 2e9, "fits": True}
    _, text, _ = answer("route", "--format", "json")
    (job,) = json.loads(text)["jobs"]
    assert (job["memory_bytes_per_gpu"], job["memory"]) == (parts, workload["memory"])


@pytest.mark.parametrize("command", ["traffic", "route"])
def test_what_does_not_fit_is_said_in_the_answer_and_on_standard_error_but_fails_nothing(answer, command):
    """Without a limit the exit code is that of the network."""
    code, text, error = answer(command, "--set", "workloads.0.memory.gpu=8GB")
    assert code == answer(command)[0]
    assert "does not fit" in text
    assert "job does not fit in the memory of its GPUs" in error


@pytest.mark.parametrize(("most", "code"), [("80 GB", 0), ("1 GB", 1)])
def test_a_limit_of_memory_decides_the_exit_code(answer, most, code):
    """The stage that needs most is held against it."""
    limit = f"limits: [{{workload: job, metric: memory_per_gpu, max: {most}}}]\n"
    found, text, _ = answer("route", "--format", "json", "--router", "ecmp", more=limit)
    (verdict,) = json.loads(text)["limits"]
    (job,) = json.loads(text)["jobs"]
    assert verdict["value"] == job["memory_bytes_per_gpu"]["total"]
    assert (found, verdict["ok"], verdict["unit"]) == (code, code == 0, "bytes")


def test_a_limit_of_memory_takes_bytes(answer):
    """A percentage is no volume."""
    code, _, error = answer("route", more="limits: [{workload: job, metric: memory_per_gpu, max: 50%}]\n")
    assert code == 3
    assert "max" in error
