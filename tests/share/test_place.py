"""Placements of a job: never worse than the order of the tree, near the data, and routed alike from their files."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from place_cases import cluster, collective, setting_of, training

from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario
from fabric.share.place.bound import step_bound
from fabric.share.place.files import host_file, rank_file, scenario_keys, slurm_file, write_placement
from fabric.share.place.place import TREE, PlaceRequest, place_job
from fabric.share.place.setting import place_setting
from topologies.errors import FabricError


def random_cluster(seed: int) -> tuple[str, str]:
    """A cluster with too few uplinks, a job that does not fill it, and busy hosts."""
    rng = np.random.default_rng(seed)
    gpus, leaves, down = int(rng.choice([1, 2, 4])), int(rng.integers(2, 5)), int(rng.integers(3, 6))
    hosts = leaves * down
    wanted = int(rng.choice([count for count in (2, 4, 8) if count <= hosts - 2]))
    ranks = wanted * gpus
    kinds = [f"{{dp: {ranks}}}", f"{{pp: 2, dp: {ranks // 2}}}", f"{{tp: {gpus}, dp: {wanted}}}"]
    job = training(
        "job", ranks, str(rng.choice(kinds)), more=str(rng.choice(["", ", placement: {order: scattered, seed: 3}"]))
    )
    router = str(rng.choice(["ecmp", "ecmp-hash", "spray"]))
    busy = rng.permutation(hosts)[: int(rng.integers(0, hosts - wanted + 1))]
    return cluster(job, leaves=leaves, down=down, up=int(rng.integers(1, 3)), gpus=gpus, router=router), ",".join(
        f"n{host}" for host in busy
    )


@pytest.mark.parametrize("seed", range(8))
def test_the_best_is_never_worse_than_tree_order_nor_below_the_bound(seed):
    """Both routed on the same fabric, with random hosts taken."""
    text, busy = random_cluster(seed)
    setting = setting_of(text, "job", **({"busy": busy} if busy else {}))
    result = place_job(setting, PlaceRequest(time_limit_s=5))
    steps = {trial.name: trial.score.step_s for trial in result.trials}
    assert steps["best"] <= steps[TREE] * (1 + 1e-9)
    assert result.bound.step_s <= min(steps.values()) * (1 + 1e-9)
    hosts = np.unique(result.chosen.placed[:, 0])
    assert setting.free[hosts].all()
    assert len(hosts) == setting.wanted
    assert len(np.unique(result.chosen.placed, axis=0)) == setting.ranks


def test_a_step_below_the_bound_is_a_fault_and_not_called_equal_to_it(monkeypatch):
    """The bound is made longer than it is."""
    setting = setting_of(cluster(collective("job", "all-reduce", 4)), "job")
    true = step_bound(setting)
    monkeypatch.setattr("fabric.share.place.place.step_bound", lambda _: replace(true, step_s=9 * true.step_s))
    with pytest.raises(AssertionError, match="below the bound"):
        place_job(setting, PlaceRequest("slurm"))


SCATTERED = cluster(
    "\n".join(
        (
            training(
                "job",
                8,
                "{pp: 2, dp: 4}",
                more=", placement: {order: scattered, seed: 1}",
                compute="{peak: 989 TFLOP/s, mfu: 0.05}",
            ),
            collective("later", "all-reduce", 4),
        )
    ),
    leaves=3,
    down=5,
)


def test_a_written_placement_routes_to_the_same_step(tmp_path):
    """The rank files, the pinned job after it, and the MFU that its ideal step then has."""
    path = tmp_path / "s.yaml"
    path.write_text(SCATTERED)
    setting = place_setting(load_scenario(path), RouteRequest(), "job")
    result = place_job(setting, PlaceRequest())
    folder = tmp_path / "out"
    write_placement(result, "rankfile", folder, force=False)
    keys = scenario_keys(result, result.chosen, folder)
    assert (folder / "scenario-keys.txt").read_text() == "".join(f"--set={key}\n" for key in keys)
    again = run_scenario(load_scenario(path, overrides=keys))
    steps = {job.id: job.step_time_s for job in again.result.jobs}
    assert steps["job"] == pytest.approx(result.chosen.score.step_s, rel=1e-9)
    assert steps["later"] == pytest.approx(
        next(job.step_time_s for job in result.chosen.result.jobs if job.id == "later"), rel=1e-9
    )
    written = next(trial for trial in result.trials if trial.name == "as written")
    assert result.chosen.score.step_s < 0.99 * written.score.step_s
    base = run_scenario(load_scenario(path))
    assert written.score.step_s == pytest.approx(base.result.jobs[0].step_time_s, rel=1e-12)


def test_the_compute_time_is_that_of_the_scenario_wherever_the_job_is():
    """By MFU it follows from the ideal step as written; a placement with other rings has another MFU instead."""
    setting = setting_of(SCATTERED, "job")
    result = place_job(setting, PlaceRequest())
    times = {trial.job.compute_s for trial in result.trials}
    assert len(times) == 1


def test_files_refuse_what_they_cannot_say():
    """Ranks 0 and 1 on GPUs 1 and 0; ranks that leave a host and come back."""
    hosts = ("a", "b")
    turned = np.array([[0, 1], [0, 0]])
    with pytest.raises(FabricError, match="do not fill one host"):
        host_file(hosts, turned)
    with pytest.raises(FabricError, match="those of a have 1, 0"):
        slurm_file(hosts, turned)
    back = np.array([[0, 0], [1, 0], [0, 1]])
    with pytest.raises(FabricError, match="do not fill one host"):
        host_file(hosts, back)
    assert slurm_file(hosts, back) == "a\nb\na\n"
    assert host_file(hosts, np.array([[1, 0], [1, 1], [0, 0]])) == "b slots=2\na slots=1\n"


@pytest.mark.parametrize("write", [rank_file, host_file, slurm_file])
@pytest.mark.parametrize("name", ["node 7", "node#7", "+7"])
def test_a_name_that_would_be_read_as_another_is_refused(write, name):
    """``rank 0=node 7 slot=0`` is host ``node``; what follows ``#`` is a comment; ``+7`` is the eighth host."""
    with pytest.raises(FabricError, match=re.escape(f"cannot have the host {name!r}")):
        write((name,), np.array([[0, 0]]))


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ({"busy": "n[0-3]"}, "FP9722"),
        ({"free_nodes": "n0"}, "FP9722"),
        ({"busy": "n99"}, "FP9723"),
        ({"free_nodes": "n[9-"}, "FP9723"),
        ({"busy": ","}, "FP9723"),
    ],
)
def test_too_few_hosts_and_lists_that_are_wrong_are_refused(flags, code):
    """Six hosts; the job takes four."""
    with pytest.raises(FabricError, match=r"free|host|range") as caught:
        setting_of(cluster(collective("job", "all-reduce", 4)), "job", **flags)
    assert caught.value.problems[0].code == code


def test_unknown_jobs_and_jobs_without_ranks_are_refused():
    """The nearest name; a job of another kind."""
    text = cluster(
        f"{collective('train', 'all-reduce', 4)}\n  - {{id: shuffle, kind: alltoall, members: gpu, size: 1 GB}}"
    )
    with pytest.raises(FabricError, match="'trian' is not the id") as caught:
        setting_of(text, "trian")
    assert "train" in caught.value.problems[0].hint
    with pytest.raises(FabricError, match="has no ranks in one group"):
        setting_of(text, "shuffle")


def test_more_ranks_than_the_cluster_has_are_refused_as_elsewhere():
    """Seven ranks on six hosts of one GPU."""
    with pytest.raises(FabricError, match="7 ranks do not fit on 6 hosts"):
        setting_of(cluster(collective("job", "all-reduce", 7)), "job")


def test_slurm_and_kueue_fill_the_leaf_that_fits_most_tightly():
    """Leaves of 5, the first with two busy: three hosts fit it."""
    setting = setting_of(cluster(collective("job", "all-reduce", 3), down=5), "job", busy="n[0-1]")
    for scheduler in ("slurm", "kueue"):
        result = place_job(setting, PlaceRequest(scheduler))
        assert result.hosts_of(result.chosen) == ["n2", "n3", "n4"]


def test_kueue_keeps_a_job_waiting_that_asks_for_one_leaf():
    """Four hosts, leaves of three."""
    setting = setting_of(cluster(collective("job", "all-reduce", 4)), "job")
    result = place_job(setting, PlaceRequest("kueue", kueue="required"))
    assert result.chosen is None
    assert any("kueue would keep the job waiting" in note for note in result.notes)


STORED = """version: 1
name: stored
nodes:
  - group: gpu
    count: 8
    gpus: 2
    name: "n{{index}}"
    nics: {{backend: {{speed: 100G, count: 2, rail: per-gpu}}, storage: {{speed: 100G, count: 1}}}}
  - {{group: old, count: 4, name: "o{{index}}", nics: {{storage: {{speed: 100G, count: 1}}}}}}
  - {{group: disks, count: 4, name: "d{{index}}", nics: {{storage: {{speed: 100G, count: 1}}}}}}
fabrics:
  backend:
    attach: [gpu]
    topology:
      kind: leaf-spine
      leaf: {{count: 2, model: eth-32x100, down: 8, up: {up}}}
      spine: {{count: {up}, model: eth-32x100}}
    routing: {{router: ecmp}}
  storage:
    attach: [old, gpu, disks]
    topology:
      kind: leaf-spine
      leaf: {{count: 2, model: eth-32x100, down: 8, up: 1}}
      spine: {{count: 1, model: eth-32x100}}
    routing: {{router: ecmp}}
workloads:
{jobs}
"""


def stored(up: int) -> str:
    """Leaves of four hosts on the compute fabric; on the other, n4-n7 share a leaf with the disks, with one uplink."""
    data = ", checkpoint: {every: 10 min, target: disks, replication: 1, fabric: storage}"
    data += ", dataset: {read: 1 GB/s, per: gpu, fabric: storage, source: disks}"
    return STORED.format(up=up, jobs=training("job", 8, "{dp: 8}", more=data))


def test_a_job_goes_near_its_data_where_compute_is_equal():
    """Both leaves of the compute fabric are alike, and tree order is n0-n3; from there checkpoints share one uplink."""
    result = place_job(setting_of(stored(8), "job"), PlaceRequest())
    tree = next(trial for trial in result.trials if trial.name == TREE)
    assert sorted(result.hosts_of(tree)) == ["n0", "n1", "n2", "n3"]
    assert sorted(result.hosts_of(result.chosen)) == ["n4", "n5", "n6", "n7"]
    assert result.chosen.score.step_s == pytest.approx(tree.score.step_s, rel=1e-9)
    assert result.chosen.score.checkpoint_s < 0.3 * tree.score.checkpoint_s
    assert {route.fabric for route in result.chosen.result.routes} == {"backend", "storage"}


def test_compute_comes_before_data():
    """n4 is busy. Three near hosts and a far one would put two rails on one uplink; the far leaf holds all four."""
    result = place_job(setting_of(stored(1), "job", busy="n4"), PlaceRequest())
    assert sorted(result.hosts_of(result.chosen)) == ["n0", "n1", "n2", "n3"]
    near = setting_of(stored(1), "job", free_nodes="n[3,5-7]")
    split = place_job(near, PlaceRequest()).chosen
    assert split.score.checkpoint_s < result.chosen.score.checkpoint_s
    assert split.score.step_s > 1.2 * result.chosen.score.step_s


def test_jobs_beside_it_keep_their_hosts():
    """The other job is before it in the scenario, and after it."""
    for jobs in (
        (collective("other", "all-reduce", 2), collective("job", "all-reduce", 3)),
        (collective("job", "all-reduce", 3), collective("other", "all-reduce", 2)),
    ):
        setting = setting_of(cluster("\n".join(jobs)), "job")
        taken = set(setting.others["other"][:, 0].tolist())
        result = place_job(setting, PlaceRequest())
        assert not taken & set(result.chosen.placed[:, 0].tolist())
