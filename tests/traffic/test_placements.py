"""Placements: every rank on a GPU of its own, and each policy's rule."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traffic_clusters import cluster, context

from topologies.errors import FormatError, TrafficError
from traffic.hostlist import expand_hosts
from traffic.parallelism import Parallelism
from traffic.placement import Placement, PlacementSite, gpu_group
from traffic.workload import WORKLOADS


def _place(order="packed", hosts=4, gpus=8, directory=Path(), parallelism=None, ranks=None, **keys):
    grid = (parallelism or Parallelism()).resolve(ranks or hosts * gpus)
    site = PlacementSite(
        tuple(f"n{i}" for i in range(hosts)),
        gpus,
        grid,
        np.random.default_rng(0),
        directory,
        np.ones((hosts, gpus), np.bool_),
    )
    return Placement(order=order, **keys).place(site)


@settings(deadline=None)
@given(st.sampled_from(["packed", "rail-aligned", "scattered"]), st.integers(1, 6), st.sampled_from([1, 2, 4, 8]))
def test_no_two_ranks_share_a_gpu(order, hosts, tp):
    """Any policy, all GPUs used."""
    placed = _place(order, hosts=hosts, parallelism=Parallelism(tp=tp))
    assert len(np.unique(placed[:, 0] * 8 + placed[:, 1])) == hosts * 8


def test_packed_fills_hosts_in_order():
    """Rank 10 is GPU 2 of host 1."""
    assert _place()[10].tolist() == [1, 2]


def test_a_key_of_another_policy_is_left_aside():
    """Changing only the order of a scattered placement to packed is a what-if, although packed has no seed."""
    np.testing.assert_array_equal(_place("packed", hosts=16, seed=1), _place("packed", hosts=16))


def test_scattered_keeps_hosts_together_and_follows_its_seed():
    """Ranks of one host stay together; seed 1 twice is the same, seed 2 is not."""
    first, again, other = (_place("scattered", hosts=16, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.all(first[:, 0].reshape(16, 8) == first[::8, :1])


def test_rail_aligned_puts_ring_neighbours_side_by_side_whatever_the_rank_order():
    """pp before dp, tp 8: packed puts data-parallel neighbours two hosts apart, rail-aligned one."""
    parallelism = Parallelism(tp=8, pp=2, order="tp-cp-ep-pp-dp")
    ring = parallelism.resolve(64).groups("dp")[0]
    packed = _place("packed", hosts=8, parallelism=parallelism)[ring, 0]
    aligned = _place("rail-aligned", hosts=8, parallelism=parallelism)[ring, 0]
    assert packed.tolist() == [0, 2, 4, 6]
    assert aligned.tolist() == [0, 1, 2, 3]


def test_rail_aligned_rings_never_change_rail_between_hosts():
    """tp 4 on hosts of 8: packed goes from GPU 4 of one host to GPU 0 of the next; rail-aligned turns inside a host."""
    parallelism = Parallelism(tp=4)
    placed = _place("rail-aligned", hosts=4, parallelism=parallelism)
    for ring in parallelism.resolve(32).groups("dp"):
        at, to = placed[ring], placed[np.roll(ring, -1)]
        assert np.all((at[:, 0] == to[:, 0]) | (at[:, 1] == to[:, 1]))


def test_rail_aligned_equals_packed_in_megatrons_default_with_tp_filling_a_host():
    """tp 8, order tp-cp-ep-dp-pp."""
    parallelism = Parallelism(tp=8, pp=2)
    np.testing.assert_array_equal(
        _place("rail-aligned", parallelism=parallelism), _place("packed", parallelism=parallelism)
    )


def test_rail_aligned_needs_tp_inside_a_host():
    """16 ranks over hosts of 8."""
    with pytest.raises(TrafficError, match="but tp 16 does not divide 8 GPUs"):
        _place("rail-aligned", parallelism=Parallelism(tp=16))


def test_a_host_file_gives_the_rank_order(tmp_path):
    """n2 first with two slots, then n0 whole."""
    (tmp_path / "hosts.txt").write_text("# job 17\nn2 slots=2\nn0\n")
    placed = _place("file", ranks=10, directory=tmp_path, path="hosts.txt")
    assert placed[[0, 1, 2, 9]].tolist() == [[2, 0], [2, 1], [0, 0], [0, 7]]


def test_all_mistakes_of_a_host_file_are_reported_with_their_lines(tmp_path):
    """Unknown, twice, too many slots, nonsense."""
    (tmp_path / "hosts.txt").write_text("m1\nn0\nn0\nn1 slots=9\nn2 gpu\n")
    with pytest.raises(FormatError, match=r"hosts\.txt:1: unknown host 'm1'") as found:
        _place("file", directory=tmp_path, path="hosts.txt")
    assert [problem.line for problem in found.value.problems] == [1, 3, 4, 5]
    assert "listed twice" in found.value.problems[1].message
    assert "9 slots on 'n1', which has 8 GPUs" in found.value.problems[2].message
    assert "gpu is not known to the reader of file" in found.value.problems[3].message


def test_a_former_host_name_is_answered_with_the_present_one(tmp_path):
    """Listed nodes had three digits unless the scenario named them."""
    (tmp_path / "hosts.txt").write_text("n001\n")
    with pytest.raises(FormatError, match=r"unknown host 'n001' \(help: node names follow one rule now: n001 is n1\)"):
        _place("file", directory=tmp_path, path="hosts.txt")


def test_a_host_file_must_have_room(tmp_path):
    """One host of 8 for 32 ranks."""
    (tmp_path / "hosts.txt").write_text("n0\n")
    with pytest.raises(TrafficError, match=r"hosts\.txt has 8 slots on 1 hosts, but there are 32 ranks"):
        _place("file", directory=tmp_path, path="hosts.txt")


def test_a_missing_host_file_is_reported(tmp_path):
    """The path is relative to the scenario."""
    with pytest.raises(TrafficError, match=r"placement\.path: cannot read nowhere\.txt: No such file"):
        _place("file", directory=tmp_path, path="nowhere.txt")


def test_more_ranks_than_gpus_are_refused_with_numbers():
    """40 ranks need 5 hosts."""
    with pytest.raises(TrafficError, match=r"40 ranks do not fit on 4 hosts of 8 GPUs \(32 GPUs\) .*need 5 hosts"):
        _place(ranks=40)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"order": "scatered"}, "unknown placement order 'scatered' .*did you mean 'scattered'"),
        ({"order": "scattered", "sed": 1}, "placement 'scattered' has no key 'sed' .*did you mean 'seed'"),
        ({"order": "packed", "rack": 1}, "placement 'packed' has no key 'rack' .*no keys of its own"),
        ({"order": "file"}, "placement 'file' needs the key 'path'"),
        ({"order": "scattered", "seed": "one"}, r"placement\.seed: seed: Input should be a valid integer"),
    ],
)
def test_wrong_placement_keys_are_named(keys, message):
    """The nearest valid key is offered."""
    with pytest.raises(TrafficError, match=message):
        _place(**keys)


def test_the_only_group_with_gpus_is_the_default():
    """``ceph`` has none."""
    assert gpu_group(cluster(2), None) == "gpu"


@pytest.mark.parametrize(
    ("name", "message"),
    [("ceph", "hosts of group 'ceph' have no GPUs"), ("gpuu", "unknown node group 'gpuu' .*did you mean 'gpu'")],
)
def test_a_group_must_have_gpus(name, message):
    """Ranks need GPUs."""
    with pytest.raises(TrafficError, match=message):
        gpu_group(cluster(2), name)


# ---- schedulers' files, shared clusters ------------------------------------------------------------------------------


def test_spread_deals_tensor_groups_over_all_hosts():
    """tp 2, 8 ranks on 4 hosts: one group on each, on GPUs 0 and 1."""
    placed = _place("spread", parallelism=Parallelism(tp=2), ranks=8)
    assert placed.tolist() == [[host, gpu] for host in range(4) for gpu in range(2)]
    again = _place("spread", parallelism=Parallelism(tp=2), ranks=12)
    assert again[8:].tolist() == [[0, 2], [0, 3], [1, 2], [1, 3]]


def test_a_host_file_takes_slurm_ranges(tmp_path):
    """n[2-3] and n0."""
    (tmp_path / "hosts").write_text("n[2-3] slots=4\nn0\n")
    placed = _place("file", directory=tmp_path, path="hosts", ranks=16)
    assert placed[[0, 4, 8]].tolist() == [[2, 0], [3, 0], [0, 0]]


def test_a_rank_file_places_every_rank(tmp_path):
    """Any order, each rank once; mistakes with their lines."""
    (tmp_path / "ranks").write_text("rank 1=n3 slot=7\nrank 0=n2 slot=0\n")
    assert _place("file", directory=tmp_path, path="ranks", ranks=2).tolist() == [[2, 0], [3, 7]]
    (tmp_path / "ranks").write_text("rank 0=n3 slot=9\nrank 5=n0 slot=0\nrank 1=n9 slot=0\nrank 1=n1 slots=x\n")
    with pytest.raises(FormatError) as found:
        _place("file", directory=tmp_path, path="ranks", ranks=2)
    assert [problem.line for problem in found.value.problems] == [1, 2, 3, 4]
    (tmp_path / "ranks").write_text("rank 0=n3 slot=1\n")
    with pytest.raises(TrafficError, match="lacks 1 of 2 ranks, the first is 1"):
        _place("file", directory=tmp_path, path="ranks", ranks=2)


SCONTROL = """NodeName=n0 Arch=x86_64 CoresPerSocket=56
   Gres=gpu:h100:8(S:0-1) State=IDLE ThreadsPerCore=1
   AllocTRES=

NodeName=n1 Arch=x86_64
   Gres=gpu:8 State=DOWN+DRAIN

NodeName=n2 Arch=x86_64 Gres=gpu:8 State=MIXED AllocTRES=cpu=8,gres/gpu=6
"""


def test_slurm_nodes_give_what_is_free(tmp_path):
    """8 on n0, 2 left on n2; n1 is down."""
    (tmp_path / "nodes").write_text(SCONTROL)
    placed = _place("slurm", directory=tmp_path, path="nodes", ranks=10)
    assert np.bincount(placed[:, 0]).tolist() == [8, 0, 2]
    with pytest.raises(
        TrafficError, match="10 slots on 2 hosts, besides 1 that are not usable, but there are 11 ranks"
    ) as found:
        _place("slurm", directory=tmp_path, path="nodes", ranks=11)
    assert found.value.problems[0].notes == ("not usable: n1 (DOWN+DRAIN)",)


def test_named_slurm_nodes_give_all_their_gpus(tmp_path):
    """n2 first with its 8, whatever is allocated: the job that runs on it is this one."""
    (tmp_path / "nodes").write_text(SCONTROL)
    placed = _place("slurm", directory=tmp_path, path="nodes", nodes="n[2],n0", ranks=16)
    assert placed[[0, 7, 8], 0].tolist() == [2, 2, 0]


def test_kubernetes_nodes_are_taken_when_ready(tmp_path):
    """n1 is cordoned, n3 sorts before n0 by its zone; names may have a domain."""

    def node(name, zone, **spec):
        ready = [{"type": "Ready", "status": "True"}]
        return {"metadata": {"name": name, "labels": {"zone": zone}}, "spec": spec,
                "status": {"allocatable": {"nvidia.com/gpu": "8"}, "conditions": ready}}  # fmt: skip

    nodes = [node("n0.example.com", "b"), node("n1", "a", unschedulable=True), node("n3", "a")]
    (tmp_path / "nodes.json").write_text(json.dumps({"kind": "List", "items": nodes}))
    assert _place("kubernetes", directory=tmp_path, path="nodes.json", ranks=16)[[0, 8], 0].tolist() == [0, 3]
    placed = _place("kubernetes", directory=tmp_path, path="nodes.json", sort="zone", ranks=16)
    assert placed[[0, 8], 0].tolist() == [3, 0]
    (tmp_path / "nodes.json").write_text('{"items": []}')
    with pytest.raises(FormatError, match=r"no list of nodes: it is empty .*kubectl get nodes -o json"):
        _place("kubernetes", directory=tmp_path, path="nodes.json", ranks=1)


def test_jobs_share_a_cluster_without_sharing_gpus():
    """The second job gets what the first leaves; a third gets nothing; 64 ranks never fit on 32 GPUs."""
    inventory, model = cluster(4), {"layers": 1, "hidden": 8, "ffn_hidden": 8, "heads": 1, "vocab": 8}
    shared = context(inventory)

    def place(name, **keys):
        spec = {"kind": "training", "model": model, "batch": {"global": 1536, "sequence": 8}, **keys}
        return WORKLOADS["training"](spec, context=replace(shared, id=name))

    assert place("a", gpus=12).ranks == 12
    second = place("b", gpus=16, placement={"order": "rail-aligned"})
    assert second.phases[0].flows.src.min() >= 16
    with pytest.raises(TrafficError, match="8 ranks do not fit on the 4 GPUs that other jobs leave"):
        place("c", gpus=8)
    assert place("d").ranks == 4
    with pytest.raises(TrafficError, match="no GPU of gpu is left: a, b, d take all"):
        place("e")
    assert place("f", gpus=32, placement={"exclusive": False}).ranks == 32
    with pytest.raises(TrafficError, match="64 ranks do not fit on 4 hosts of 8 GPUs"):
        place("g", gpus=64)


@pytest.mark.parametrize("text", ["n[1-", "n]1[", "n[a-b]", "n[3-1]", "n[0-9999999]"])
def test_host_ranges_that_are_none_are_refused(text):
    """Rather than read as something else."""
    with pytest.raises(ValueError, match=r"brackets|neither a number nor a range|numbers|hosts"):
        expand_hosts(text)
