"""``fabric nodes``: the table, the counts and the snapshot agree with what placements take."""

from __future__ import annotations

import json

import pytest

from fabric.cli.main import run
from fabric.share.schedulers.listed_nodes import list_nodes

SLURM = """\
NodeName=n0 Gres=gpu:8 GresUsed=gpu:8 State=ALLOCATED
NodeName=n1 Gres=gpu:8 GresUsed=gpu:3(IDX:0-2) State=MIXED
NodeName=n2 Gres=gpu:8 GresUsed=gpu:0 State=IDLE+DRAIN
NodeName=n3 State=IDLE
"""


@pytest.fixture
def emulator(tmp_path, monkeypatch):
    pytest.importorskip("kubernetes")
    pytest.importorskip("kmock")
    from kubernetes_emulator import Emulator, node, pod

    from traffic.schedulers.live import answer

    monkeypatch.setattr(answer, "_ANSWERS", {})
    nodes = [node("n0"), node("n1", unschedulable=True), node("n2")]
    with Emulator(tmp_path, nodes, [pod("a", "n0", {"cpu": "90", "nvidia.com/gpu": "6"})]) as server:
        yield server


def test_nodes_of_a_running_cluster_are_listed_and_kept(tmp_path, emulator, capsys):
    """n0 has 2 of 8 GPUs and 5.5 of 95.5 cores left; n1 is cordoned; 2 + 8 GPUs are free. The file lists the same."""
    kept = tmp_path / "kept.json"
    words = ["nodes", "kubernetes", "--context", "prod", "--kubeconfig", str(emulator.config), "--format", "json"]
    assert run([*words, "--snapshot", str(kept)]) == 0
    live = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["gpus"], one["gpus_free"], one["cores_free"], one["state"]) for one in live["nodes"]] == [
        ("n0", 8, 2, 5.5, ""), ("n1", 8, 8, 95.5, "cordoned"), ("n2", 8, 8, 95.5, ""),
    ]  # fmt: skip
    assert live["summary"] == {"nodes": 3, "gpus": 24, "nodes_usable": 2, "gpus_usable": 10}
    assert live["source"] == "kubernetes context prod"
    assert run(["nodes", "kubernetes", "--path", str(kept), "--format", "json"]) == 0
    filed = json.loads(capsys.readouterr().out)
    assert (filed["nodes"], filed["sha256"]) == (live["nodes"], live["sha256"])
    assert filed["read_at"] is None


def test_a_snapshot_that_is_there_is_kept_unless_forced(tmp_path, emulator, capsys):
    kept = tmp_path / "kept.json"
    kept.write_text("mine")
    words = ["nodes", "kubernetes", "--context", "prod", "--kubeconfig", str(emulator.config), "--snapshot", str(kept)]
    assert run(words) == 3
    assert "kept.json exists" in capsys.readouterr().err
    assert kept.read_text() == "mine"
    assert run([*words, "--force"]) == 0
    assert json.loads(kept.read_text())["kind"] == "List"


def test_nodes_of_slurm_are_listed(tmp_path, capsys):
    """5 GPUs of n1 are free; n3 does not say how many it has."""
    (tmp_path / "nodes.txt").write_text(SLURM)
    found = list_nodes("slurm", str(tmp_path / "nodes.txt"), resource="")
    assert [(one.gpus, one.gpus_free, one.state) for one in found.nodes] == [
        (8, 0, "ALLOCATED"), (8, 5, ""), (8, 8, "IDLE+DRAIN"), (None, None, ""),
    ]  # fmt: skip
    assert run(["nodes", "slurm", "--path", str(tmp_path / "nodes.txt")]) == 0
    assert "2 nodes may have new jobs, with 5 GPUs free" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["kubernetes"], ["slurm"], ["slurm", "--context", "a"], ["kubernetes", "--live", "scontrol"],
        ["kubernetes", "--path", "a", "--context", "b"], ["kubernetes", "--path", "a", "--no-pods"],
        ["slurm", "--live", "scontrol", "--timeout", "0 s"], ["nomad", "--path", "a"],
    ],
)  # fmt: skip
def test_flags_that_contradict_each_other_are_refused(words, capsys):
    assert run(["nodes", *words]) == 2


def test_a_partition_of_slurm_is_listed_with_its_cpus_and_memory(tmp_path, capsys):
    """96 - 10 CPUs, 2,000 - 500 units of 2**20 bytes; types that count together are named."""
    rest = "CPUTot=96 CPUAlloc=10 RealMemory=2000 AllocMem=500"
    path = tmp_path / "nodes.txt"
    path.write_text(
        f"NodeName=n1 Gres=gpu:8 State=IDLE Partitions=a {rest}\n"
        f"NodeName=n2 Gres=gpu:h100:4,gpu:a100:4 State=IDLE Partitions=a,b {rest}\n"
    )
    words = ["nodes", "slurm", "--path", str(path), "--format", "json", "--partition"]
    assert run([*words, "b"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["cores_free"], one["memory_free_bytes"]) for one in found["nodes"]] == [
        ("n2", 86, 1500 * 2**20)
    ]
    assert any("h100, a100 of n2" in text for text in found["notes"])
    assert run([*words, "c"]) == 3
    assert "FP6287" in capsys.readouterr().err


def test_a_node_without_a_status_gets_no_job(tmp_path, capsys):
    path = tmp_path / "nodes.json"
    path.write_text(json.dumps({"items": [{"kind": "Node", "metadata": {"name": "n1"}}]}))
    assert run(["nodes", "kubernetes", "--path", str(path), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["nodes"][0]["state"] == "it has no status"
    assert found["summary"]["nodes_usable"] == 0


def test_the_json_of_slurm_has_the_same_cpus_and_memory(tmp_path, capsys):
    """96 of 128 CPUs for jobs, less 10; 2,000 units less 100 of the system and 500 of jobs.."""
    path = tmp_path / "nodes.json"
    one = {"name": "n1", "state": ["MIXED"], "gres": "gpu:8", "gres_used": "gpu:2", "idle_cpus": 86, "cpus": 128}
    one |= {"effective_cpus": 96, "alloc_cpus": 10, "real_memory": 2000, "alloc_memory": 500, "specialized_memory": 100}
    path.write_text(json.dumps({"nodes": [one]}))
    assert run(["nodes", "slurm", "--path", str(path), "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["nodes"]
    assert (found["gpus_free"], found["cores_free"], found["memory_free_bytes"]) == (6, 86, 1400 * 2**20)
