"""What schedulers say of their nodes, taken for jobs: nothing that could change an answer goes unsaid."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from topologies.errors import FormatError, TrafficError
from traffic.host_names import HostNames
from traffic.parallelism import Parallelism
from traffic.placement import Placement, PlacementSite

DATA = Path(__file__).parent / "data" / "schedulers"


def site_of(hosts, directory, ranks, gpus=8):
    return PlacementSite(
        tuple(hosts), gpus, Parallelism().resolve(ranks), np.random.default_rng(0), Path(directory),
        np.ones((len(hosts), gpus), np.bool_),
    )  # fmt: skip


def place(order, hosts, directory, ranks, **keys):
    """Host names of every eighth rank, and what is said."""
    site = site_of(hosts, directory, ranks)
    placed = Placement(order=order, **keys).place(site)
    return [hosts[host] for host in placed[::8, 0]], site.said


N6 = [f"n{number:02d}" for number in range(6)]
CLOUD = [f"gpu{number:03d}" for number in range(1, 65)]


# ---- Slurm -----------------------------------------------------------------------------------------------------------


def test_the_nodes_a_job_runs_on_are_taken():
    """All their GPUs are in AllocTRES, because this job has them."""
    hosts, said = place("slurm", N6, DATA, 16, path="busy-nodes.txt", nodes="n[02-03]")
    assert hosts == ["n02", "n03"]
    assert said == []


def test_a_reserved_node_is_taken_when_named():
    """For whom it is reserved is not in the file."""
    assert place("slurm", N6, DATA, 8, path="busy-nodes.txt", nodes="n[04]")[0] == ["n04"]


def test_without_names_a_busy_inventory_gives_what_is_free():
    """Of n00, n02, n03 and n04 only n00 is neither allocated nor reserved; the others are said with their states."""
    hosts, said = place("slurm", N6, DATA, 8, path="busy-nodes.txt")
    assert hosts == ["n00"]
    assert said == ["busy-nodes.txt: not used: n02, n03 (ALLOCATED); n04 (IDLE+RESERVED)"]
    with pytest.raises(TrafficError, match="8 slots on 1 hosts, besides 3 that are not usable, but there are 16 ranks"):
        place("slurm", N6, DATA, 16, path="busy-nodes.txt")


def test_nodes_that_sleep_are_free_and_foreign_ones_are_left_out():
    """A cluster with power saving: gpu001 and gpu002 are the job's own; of the rest gpu004 sleeps and is free."""
    assert place("slurm", CLOUD, DATA, 16, path="cloud-nodes.txt", nodes="gpu[001-002]")[0] == ["gpu001", "gpu002"]
    hosts, said = place("slurm", CLOUD, DATA, 8, path="cloud-nodes.txt")
    assert hosts == ["gpu004"]
    assert "gpu007 (IDLE+CLOUD+DRAIN+POWERED_DOWN); gpu010 (DOWN+CLOUD+POWERED_DOWN)" in said[0]
    assert said[1] == "cloud-nodes.txt: left out, as they are no hosts of the job: cpu1"


def test_a_named_node_that_is_down_is_taken_and_said():
    """With the line it stands on; a node that is not in the file is refused, and says so."""
    hosts, said = place("slurm", CLOUD, DATA, 8, path="cloud-nodes.txt", nodes="gpu010")
    assert hosts == ["gpu010"]
    line = (DATA / "cloud-nodes.txt").read_text().splitlines().index("NodeName=gpu010 CoresPerSocket=1 ") + 1
    assert said == [f"cloud-nodes.txt:{line}: gpu010 is DOWN+CLOUD+POWERED_DOWN; taken all the same, as nodes names it"]
    with pytest.raises(FormatError, match=r"nodes: 'gpu011' is not in the file"):
        place("slurm", CLOUD, DATA, 8, path="cloud-nodes.txt", nodes="gpu[010-011]")


def test_every_node_foreign_is_an_error(tmp_path):
    """Rather than a job on nothing; also where numbers were written with zeros."""
    (tmp_path / "a").write_text("NodeName=x1 State=IDLE Gres=gpu:8\n")
    with pytest.raises(
        FormatError, match=r"a:1: a cluster of another fabric: 0 of 1 names match hosts of the job, which are 2"
    ):
        place("slurm", ["n1", "n2"], tmp_path, 8, path="a")
    (tmp_path / "a").write_text("NodeName=n01 State=IDLE Gres=gpu:8\nNodeName=n2 State=IDLE Gres=gpu:8\n")
    with pytest.raises(FormatError, match=r"a:1: unknown host 'n01' \(help: .*n01 is n1"):
        place("slurm", ["n1", "n2"], tmp_path, 8, path="a")


def test_gpus_that_are_in_use_by_number_are_left_to_others(tmp_path):
    """GPUs 0 to 2 and 5 are in use, 7 is drained: 3, 4 and 6 are free."""
    text = "NodeName=n1 State=MIXED Gres=gpu:h100:8(S:0-1) GresDrain=gpu:h100:1(IDX:7) GresUsed=gpu:h100:4(IDX:0-2,5)\n"
    (tmp_path / "a").write_text(text)
    placed = Placement(order="slurm", path="a").place(site_of(["n0", "n1"], tmp_path, 3))
    assert placed.tolist() == [[1, 3], [1, 4], [1, 6]]


def test_gpus_of_several_types_add_up(tmp_path):
    """4 + 4; shares are no GPUs."""
    (tmp_path / "a").write_text("NodeName=n1 State=IDLE Gres=gpu:a100:4(S:0),gpu:h100:4(S:1),shard:32\n")
    assert place("slurm", ["n1"], tmp_path, 8, path="a")[0] == ["n1"]


def test_text_of_people_is_no_field(tmp_path):
    """A reason and a system that speak of states; lines of a reason go on."""
    text = (
        "NodeName=n1 Arch=x86_64\n   OS=Linux 5.15 #1 SMP State=DOWN\n   State=IDLE ThreadsPerCore=1\n"
        "   Gres=gpu:8\n   Reason=was State=DOWN Gres=gpu:1 [root@2026-11-01]\n       Partitions=none of ours\n\n"
    )
    (tmp_path / "a").write_text(text)
    assert place("slurm", ["n1"], tmp_path, 8, path="a") == (["n1"], [])


def test_one_line_per_node_is_the_same(tmp_path):
    """``scontrol -o``."""
    lines = (DATA / "busy-nodes.txt").read_text().strip().split("\n\n")
    (tmp_path / "a").write_text("\n".join(" ".join(lines_.split()) for lines_ in lines))
    assert place("slurm", N6, tmp_path, 8, path="a")[0] == ["n00"]


def test_json_of_scontrol_says_the_same(tmp_path):
    """States as a list, or as a word with flags beside it; TRES as text."""
    nodes = [
        {"name": "n00", "state": ["ALLOCATED"], "gres": "gpu:h100:8", "tres": "cpu=1,gres/gpu=8", "partitions": ["a"]},
        {"name": "n01", "state": "idle", "state_flags": ["DRAIN"], "gres": "gpu:h100:8", "owner": None},
        {"name": "n02", "state": ["IDLE", "CLOUD", "POWERED_DOWN"], "gres": "gpu:h100:8", "weight": 1},
    ]
    (tmp_path / "a.json").write_text(json.dumps({"nodes": nodes, "meta": {}}))
    hosts, said = place("slurm", N6, tmp_path, 8, path="a.json")
    assert hosts == ["n02"]
    assert said == ["a.json: not used: n00 (ALLOCATED); n01 (idle+DRAIN)"]
    (tmp_path / "a.json").write_text('{"sinfo": []}')
    with pytest.raises(FormatError, match=r"this has 'sinfo', not nodes .*scontrol show nodes --json"):
        place("slurm", N6, tmp_path, 8, path="a.json")


SINFO = """Fri Nov 27 10:00:00 2026
NODELIST   NODES PARTITION       STATE CPUS    S:C:T MEMORY TMP_DISK WEIGHT AVAIL_FE REASON
n00            1    batch*       idle~ 192    2:48:2 200000        0      1   (null) none
n00            1       big       idle~ 192    2:48:2 200000        0      1   (null) none
n01            1    batch*      drain* 192    2:48:2 200000        0      1   (null) NIC is bad
n[02-03]       2    batch*         mix 192    2:48:2 200000        0      1   (null) none
n04            1    batch*       idle# 192    2:48:2 200000        0      1   (null) none
"""


def test_a_table_of_sinfo_is_read_by_its_columns(tmp_path):
    """States in their short form, with a suffix; what is taken of n02 and n03 is not in the table."""
    (tmp_path / "a").write_text(SINFO)
    hosts, said = place("slurm", N6, tmp_path, 16, path="a")
    assert hosts == ["n00", "n04"]
    assert "n01 (drain*)" in said[0]
    assert "n02, n03 (mix, and the file does not say how many GPUs are taken" in said[0]
    assert place("slurm", N6, tmp_path, 8, path="a", partition="big")[0] == ["n00"]
    with pytest.raises(FormatError, match=r"no node is in partition 'bog' .*did you mean 'big'"):
        place("slurm", N6, tmp_path, 8, path="a", partition="bog")


@pytest.mark.parametrize("text", ["n02\nn03\n", "NODELIST\nn[02-03]\n", "n[02-03]\n"])
def test_lists_of_names_are_taken_as_named(tmp_path, text):
    """``scontrol show hostnames``, ``squeue -o %N``."""
    (tmp_path / "a").write_text(text)
    assert place("slurm", N6, tmp_path, 16, path="a")[0] == ["n02", "n03"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("             JOBID PARTITION     NAME     USER ST  TIME  NODES NODELIST(REASON)\n 7 a b c R 1 2 n[1-2]\n",
         "squeue -h -j JOB -o %N prints the nodes"),
        ("NodeName=n[01-64] Gres=gpu:8 State=UNKNOWN\n", "is a range: this is slurm.conf"),
        ("", "no node is in it"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_nodes_says_what_it_is(tmp_path, text, message):
    """With the way to the right one."""
    (tmp_path / "a").write_text(text)
    with pytest.raises(FormatError, match=message):
        place("slurm", N6, tmp_path, 8, path="a")


def test_a_reservation_opens_its_nodes(tmp_path):
    """The key reservation."""
    (tmp_path / "a").write_text(
        "NodeName=n00 State=IDLE Gres=gpu:8\nNodeName=n01 State=IDLE+RESERVED Gres=gpu:8 ReservationName=big\n"
    )
    assert place("slurm", N6, tmp_path, 8, path="a", reservation="big")[0] == ["n01"]


# ---- Kubernetes ------------------------------------------------------------------------------------------------------

GPUS = [f"gpu{number:02d}" for number in range(4)]


def test_tainted_nodes_are_passed_over():
    """gpu01 is not ready, gpu02 has a taint of maintenance."""
    hosts, said = place("kubernetes", GPUS, DATA, 16, path="tainted-nodes.json")
    assert hosts == ["gpu00", "gpu03"]
    assert "gpu02.cluster.local (taint maintenance:NoSchedule)" in said[0]
    hosts, _ = place("kubernetes", GPUS, DATA, 16, path="tainted-nodes.json", tolerations=["maintenance"])
    assert hosts == ["gpu00", "gpu02"]
    whole = [{"key": "maintenance", "operator": "Exists", "effect": "NoSchedule"}]
    assert place("kubernetes", GPUS, DATA, 16, path="tainted-nodes.json", tolerations=whole)[0] == ["gpu00", "gpu02"]
    other = ["maintenance:NoExecute"]
    assert place("kubernetes", GPUS, DATA, 16, path="tainted-nodes.json", tolerations=other)[0] == ["gpu00", "gpu03"]
    with pytest.raises(TrafficError, match="'maintenance:never' is not key"):
        place("kubernetes", GPUS, DATA, 16, path="tainted-nodes.json", tolerations=["maintenance:never"])


def test_named_nodes_of_kubernetes_are_taken():
    """By ranges, without their domain; why a pod would not be put there is said."""
    hosts, said = place("kubernetes", GPUS, DATA, 24, path="tainted-nodes.json", nodes="gpu[02,00-01]")
    assert hosts == ["gpu02", "gpu00", "gpu01"]
    assert said[0] == (
        "tainted-nodes.json: gpu02.cluster.local (taint maintenance:NoSchedule); taken all the same, as nodes names it"
    )
    with pytest.raises(FormatError, match="nodes: 'gpu09' is not in the file"):
        place("kubernetes", GPUS, DATA, 8, path="tainted-nodes.json", nodes=["gpu09"])


def node(name, gpus=8, *, resource="nvidia.com/gpu", **spec):
    ready = [{"type": "Ready", "status": "True"}]
    return {
        "kind": "Node", "metadata": {"name": name}, "spec": spec,
        "status": {"allocatable": {resource: str(gpus)}, "conditions": ready},
    }  # fmt: skip


def kubernetes(tmp_path, document, ranks=8, hosts=GPUS, **keys):
    (tmp_path / "a.json").write_text(json.dumps(document))
    return place("kubernetes", hosts, tmp_path, ranks, path="a.json", **keys)


def test_one_node_is_taken_as_kubectl_prints_it(tmp_path):
    """``kubectl get node NAME -o json``; other kinds are refused by name."""
    assert kubernetes(tmp_path, node("gpu02"))[0] == ["gpu02"]
    with pytest.raises(FormatError, match="kind is PodList, not a list of nodes"):
        kubernetes(tmp_path, {"kind": "PodList", "items": []})
    with pytest.raises(FormatError, match=r"items\[0\]: kind is Pod, not Node"):
        kubernetes(tmp_path, {"kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "x"}}]})


def test_taints_of_gpu_nodes_are_tolerated_and_said(tmp_path):
    """``nvidia.com/gpu=present:NoSchedule``."""
    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    hosts, said = kubernetes(tmp_path, node("gpu02", taints=[taint]))
    assert hosts == ["gpu02"]
    assert any("GPU jobs tolerate its taint nvidia.com/gpu=present:NoSchedule" in text for text in said)


def test_accelerators_of_another_kind_are_asked_for(tmp_path):
    """By the key resource."""
    document = {"kind": "NodeList", "items": [node("gpu01", resource="amd.com/gpu"), node("login")]}
    with pytest.raises(FormatError, match=r"gpu01 has amd\.com/gpu: GPUs of AMD.*resource takes it knowingly"):
        kubernetes(tmp_path, document)
    hosts, said = kubernetes(tmp_path, document, resource="amd.com/gpu")
    assert hosts == ["gpu01"]
    assert said[0] == "a.json: left out, as they are no hosts of the job: login"


def test_nodes_that_pods_are_better_kept_from_come_last(tmp_path):
    """PreferNoSchedule."""
    taint = {"key": "old", "effect": "PreferNoSchedule"}
    document = {"items": [node("gpu00", taints=[taint]), node("gpu01")]}
    assert kubernetes(tmp_path, document, ranks=16)[0] == ["gpu01", "gpu00"]


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"status": None}, None),
        ({"spec": None}, ["gpu00"]),
        ({"status": {"allocatable": {"nvidia.com/gpu": "8"}, "conditions": None}}, ["gpu00"]),
        ({"status": {"allocatable": None, "capacity": {"nvidia.com/gpu": "8"}}}, ["gpu00"]),
        ({"status": {"allocatable": {"nvidia.com/gpu": "8"}, "conditions": [None]}},
         r"conditions\[0\]: 'type' is missing"),
        ({"metadata": {"name": "gpu00", "labels": ["a"]}}, r"labels: a mapping \{...\} is expected, not \['a'\]"),
    ],
)  # fmt: skip
def test_parts_that_are_null_are_absent(tmp_path, change, answer):
    """Or refused where something is at the place that cannot be."""
    document = {"items": [node("gpu00") | change]}
    if isinstance(answer, list):
        assert kubernetes(tmp_path, document, sort="zone")[0] == answer
        return
    with pytest.raises((FormatError, TrafficError), match=answer or "0 slots on 0 hosts, besides 1"):
        kubernetes(tmp_path, document, sort="zone")


# ---- host files, names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "gpus"),
    [
        ("n00 slots=2", 2),
        ("n00 slots = 2 max_slots=4", 2),
        ("n00:2", 2),
        ("n00 max_slots=3", 3),
        ("N00.example.com", 8),
    ],
)
def test_host_files_of_every_mpi(tmp_path, line, gpus):
    """Open MPI, MPICH; names with a domain and in capitals."""
    (tmp_path / "hosts").write_text(f"{line}\nn01\n")
    placed = Placement(order="file", path="hosts").place(site_of(N6, tmp_path, 10))
    assert (placed[:, 0] == 0).sum() == gpus


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("n00:8 binding=user:0,1", "binding: binding of ranks to cores"),
        ("n00 8 all.q UNDEFINED", "8 is not known to the reader of file"),
        ("n00 slots=4 max_slots=2", "two numbers of slots"),
        ("n00 slots=many", "slots=many is not a number"),
    ],
)
def test_words_of_a_host_file_that_are_not_followed_are_refused(tmp_path, line, message):
    """By name, with the line."""
    (tmp_path / "hosts").write_text(f"\n{line}\n")
    with pytest.raises(FormatError, match=f"hosts:2: {message}|hosts:2: .*{message}"):
        place("file", N6, tmp_path, 8, path="hosts")


def test_a_name_that_may_be_several_hosts_is_refused(tmp_path):
    """n1 is in two domains; with a domain it is clear."""
    (tmp_path / "hosts").write_text("n1\n")
    with pytest.raises(FormatError, match=r"hosts:1: host 'n1' may be n1\.a, n1\.b \(help: write the whole name"):
        place("file", ["n0", "n1.a", "n1.b"], tmp_path, 8, path="hosts")
    (tmp_path / "hosts").write_text("n1.b.example.com\n")
    assert place("file", ["n0", "n1.a", "n1.b"], tmp_path, 8, path="hosts")[0] == ["n1.b"]


def test_two_nodes_of_one_short_name_are_refused(tmp_path):
    """n0 of two domains: which one the scenario has is not clear."""
    (tmp_path / "a").write_text("NodeName=n0.a State=IDLE Gres=gpu:8\nNodeName=n0.b State=IDLE Gres=gpu:8\n")
    with pytest.raises(FormatError, match=r"a:2: host 'n0\.b' is listed twice, as 'n0\.a' on line 1"):
        place("slurm", ["n0"], tmp_path, 8, path="a")


def test_addresses_have_no_short_form():
    """10.0.0.1 is not the host 10."""
    assert HostNames(["10", "n0"]).find("10.0.0.1") == ()
