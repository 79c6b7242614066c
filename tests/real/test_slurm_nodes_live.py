"""Nodes read from a real slurmctld by scontrol and by slurmrestd, while its jobs hold GPUs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from real_programs import require
from slurm_lab import PROGRAMS, SlurmLab

from fabric.scenario.load import load_scenario
from topologies.errors import TrafficError
from traffic.parallelism import Parallelism
from traffic.placement import Placement, PlacementSite
from traffic.schedulers.live import answer
from traffic.schedulers.live.slurm_api import SlurmCluster

require(*PROGRAMS, "slurmrestd")
pytestmark = pytest.mark.real_slurm
HOSTS = tuple(f"gpu{number}" for number in range(1, 9))
SCENARIO = """
version: 1
name: live
nodes:
  - {group: gpu, from: slurm, live: "%s", model: hgx-h100-8, nics: {main: {speed: 400G, count: 8, rail: per-gpu}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 32, host_speed: 400G, uplink_speed: 400G}
"""


@pytest.fixture(autouse=True)
def nothing_asked_yet(monkeypatch):
    """Answers are kept for a process; every test asks again."""
    monkeypatch.setattr(answer, "_ANSWERS", {})


@pytest.fixture(scope="module")
def controller():
    """gpu6 and gpu7 are allocated whole, gpu8 has 3 of 8 GPUs in use, and gpu5 is drained."""
    with SlurmLab("gpu[1-8]", "CPUs=64 RealMemory=1000000 Gres=gpu:8", with_rest=True) as lab:
        whole = lab.submit("-N2", "--gres=gpu:8", "--exclusive", "-w", "gpu[6-7]")
        part = lab.submit("-N1", "--gres=gpu:3", "-w", "gpu8")
        lab.nodes_of([whole, part])
        lab.run("scontrol", "update", "nodename=gpu5", "state=drain", "reason=test")
        yield lab


def place(live, ranks):
    site = PlacementSite(
        HOSTS, 8, Parallelism().resolve(ranks), np.random.default_rng(0), Path(), np.ones((8, 8), np.bool_)
    )
    placed = Placement(order="slurm", live=live).place(site)
    return np.bincount(placed[:, 0], minlength=8).tolist(), " ".join(site.said)


@pytest.fixture(params=["scontrol", "rest"])
def live(request, controller, monkeypatch):
    """Both ways to ask."""
    monkeypatch.setenv("PATH", f"{controller.folder}/bin{os.pathsep}{os.environ['PATH']}")
    return "scontrol" if request.param == "scontrol" else controller.rest


def test_a_job_gets_what_slurm_itself_would_give(controller, live):
    """gpu1 to gpu4 are free, gpu8 has 5 GPUs left: 37 ranks fit, and 38 do not."""
    counts, said = place(live, 37)
    assert counts == [8, 8, 8, 8, 0, 0, 0, 5]
    assert "8 of 8 names match hosts of the job" in said
    assert "8 nodes by " in said
    with pytest.raises(
        TrafficError, match="37 slots on 5 hosts, besides 3 that are not usable, but there are 38 ranks"
    ):
        place(live, 38)


def test_a_node_group_has_the_nodes_of_the_controller(controller, live, tmp_path):
    """All eight, drained and allocated ones too: they are cabled."""
    (tmp_path / "s.yaml").write_text(SCENARIO % live)
    loaded = load_scenario(tmp_path / "s.yaml")
    assert loaded.scenario.nodes[0].host_names() == HOSTS
    assert any("read live at" in text for text in loaded.said)


def test_reading_changes_nothing(controller):
    """The controller's own account of nodes and jobs is the same before and after."""
    before = controller.run("scontrol", "show", "nodes", "-d", "-o"), controller.run("squeue", "-h", "-o", "%i %N")
    SlurmCluster(controller.rest).read()
    after = controller.run("scontrol", "show", "nodes", "-d", "-o"), controller.run("squeue", "-h", "-o", "%i %N")
    assert before == after
