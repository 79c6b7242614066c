"""Node groups whose names are listed, or read from a file of Kubernetes or Slurm, or from the running cluster."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from fabric.pipeline.network import build_network
from fabric.pipeline.prepared import derive_traffic
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.saved.result_file import save_result
from fabric.scenario.json_schema import scenario_schema
from fabric.scenario.load import LoadError, load_scenario, with_overrides
from fabric.share.schedulers.listed_nodes import list_nodes
from fabric.spread.shipment import Shipment
from topologies.errors import FormatError, TrafficError

SCENARIO = """\
version: 1
name: live
nodes:
  - group: gpu
%s
    nics: {main: {speed: 400G, count: 8, rail: per-gpu}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 32, host_speed: 400G, uplink_speed: 400G}
workloads:
  - {id: a, kind: collective, collective: all-reduce, size: 1 GB, gpus: 16, placement: {requests: {cpu: 10}}}
"""


def node(name, gpus=8, cpu="96", **spec):
    amounts = {"cpu": cpu, "memory": "1Ti", "nvidia.com/gpu": str(gpus)}
    status = {"capacity": amounts, "allocatable": amounts, "conditions": [{"type": "Ready", "status": "True"}]}
    return {"kind": "Node", "metadata": {"name": name}, "spec": spec, "status": status}


def pod(host, **requests):
    named = {name.replace("__", "/"): amount for name, amount in requests.items()}
    return {
        "kind": "Pod", "metadata": {"name": "p", "namespace": "d"}, "status": {"phase": "Running"},
        "spec": {"nodeName": host, "containers": [{"resources": {"requests": named}}]},
    }  # fmt: skip


def written(folder: Path, keys: str, *items) -> Path:
    (folder / "nodes.json").write_text(json.dumps({"kind": "List", "items": list(items)}))
    (folder / "s.yaml").write_text(SCENARIO % "\n".join(f"    {line}" for line in keys.splitlines()))
    return folder / "s.yaml"


FROM_FILE = "from: kubernetes\npath: nodes.json"


def refused(path: Path, **keys):
    with pytest.raises(LoadError) as caught:
        load_scenario(path, **keys)
    return caught.value.problems[0]


def test_names_count_and_gpus_are_those_of_the_cluster(tmp_path):
    """In the order of numbers, n2 before n10; a cordoned node is cabled too; one without GPUs is left out."""
    path = written(tmp_path, FROM_FILE, node("n10"), node("n2", unschedulable=True), node("n1"), node("login", gpus=0))
    loaded = load_scenario(path)
    group = loaded.scenario.nodes[0]
    assert (group.host_names(), group.count, group.gpus_per_node) == (("n1", "n2", "n10"), 3, 8)
    said = " ".join(loaded.said)
    assert "nodes.gpu: 3 nodes, n[1-2,10]" in said
    assert "hosts all the same: n2" in said
    assert "left out, as they have no nvidia.com/gpu: 1 node" in said
    assert [one.path for one in loaded.inputs] == [str(path), "nodes.json"]


def test_what_pods_leave_is_what_jobs_may_request(tmp_path):
    """96 cores, of which a pod holds 90 on n1: at 10 a rank none fits there, 8 on n2 and 8 on n3, by GPUs."""
    path = written(tmp_path, FROM_FILE, node("n1"), node("n2"), node("n3"), pod("n1", cpu="90"))
    loaded = load_scenario(path)
    network = build_network(loaded)
    assert network.inventory.resources("gpu")["cpu"] == (6_000, 96_000, 96_000)
    assert network.inventory.resources("gpu")["memory"] == (2**40,) * 3
    traffic = derive_traffic(loaded, network)
    assert any("on n[2-3] (8 on each)" in text for text in traffic[0].said)
    assert any("nodes.gpu: 3 nodes" in text.text for text in run_scenario(loaded, RouteRequest()).result.assumptions)


def test_listed_names_are_used_as_they_are(tmp_path):
    loaded = load_scenario(written(tmp_path, "names: [a, 'n[08-11]']\ngpus: 8"))
    assert loaded.scenario.nodes[0].host_names() == ("a", "n08", "n09", "n10", "n11")
    assert build_network(loaded).inventory.groups["gpu"].hosts[1] == "n08"


def test_a_slurm_file_gives_names_of_a_partition(tmp_path):
    lines = "NodeName=%s Gres=gpu:8 State=IDLE Partitions=%s\n"
    (tmp_path / "nodes.txt").write_text("".join(lines % one for one in (("n2", "a"), ("n1", "a,b"), ("x", "b"))))
    loaded = load_scenario(written(tmp_path, "from: slurm\npath: nodes.txt\npartition: a"))
    assert loaded.scenario.nodes[0].host_names() == ("n1", "n2")


def test_an_override_reads_another_file(tmp_path):
    """Before the scenario is read, and on top of one that was."""
    path = written(tmp_path, FROM_FILE, node("n1"), node("n2"))
    (tmp_path / "other.json").write_text(json.dumps({"kind": "List", "items": [node("m1"), node("m2")]}))
    assert load_scenario(path, overrides=["nodes.gpu.path=other.json"]).scenario.nodes[0].host_names() == ("m1", "m2")
    loaded = load_scenario(path)
    assert with_overrides(loaded, ["seed=3"]).scenario.nodes[0].host_names() == ("n1", "n2")
    assert with_overrides(loaded, ["nodes.gpu.path=other.json"]).scenario.nodes[0].host_names() == ("m1", "m2")


@pytest.mark.parametrize(
    ("keys", "code", "words"),
    [
        (f"{FROM_FILE}\ncount: 3", "FP6289", "count is written, and from reads how many nodes there are"),
        (f"{FROM_FILE}\nnames: n1", "FP6289", "names is written"),
        (f"{FROM_FILE}\ncontext: prod", "FP6289", "which is it"),
        (f"{FROM_FILE}\nselector: a=b", "FP6289", "selector is of a running cluster"),
        (f"{FROM_FILE}\ntimeout: 5 s", "FP6289", "timeout is of a running cluster"),
        (f"{FROM_FILE}\npods: false", "FP6289", "pods is of a running cluster"),
        (f"{FROM_FILE}\npartition: a", "FP6289", "partition does not go with from: kubernetes"),
        (f"{FROM_FILE}\ncontext: [a]", "FP6289", "a text is expected"),
        (f"{FROM_FILE}\ngpus: 4", "FP6288", "gpus is 4, and the nodes there have 8"),
        (f"{FROM_FILE}\nresource: amd.com/gpu", "FP6287", "none of its 2 nodes has amd.com/gpu"),
        ("from: kubernetes", "FP6289", "nothing says where nodes are read"),
        ("from: kubernetes\npath: none.json", "FP4025", "cannot read none.json"),
        ("from: slurm\npath: nodes.json", "FP6210", "this has 'items', not nodes"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused_at_the_group(tmp_path, keys, code, words):
    problem = refused(written(tmp_path, keys, node("n1"), node("n2")))
    assert problem.code == code
    assert words in problem.message
    assert (problem.file, problem.line) == (str(tmp_path / "s.yaml"), 5)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("count: 4\npath: nodes.json", "path says where nodes are read, and from: does not"),
        ("names: n[1-2]\ncount: 4", "count is 4, and there are 2 names"),
        ("names: [n1, n1]", "'n1' is named twice"),
        ("names: 'n[1-'", "n[1-"),
        ("count: 4\nresources: {cpu: [1, 2]}", "resources.cpu lists 2 amounts for 4 nodes"),
        ("count: 4\nresources: {cpu: much}", "is not a number of cores"),
        (f"{FROM_FILE}\nmodel: gb200-nvl72", "gb200"),
        ("from: nomad\npath: nodes.json", "kubernetes"),
    ],
)  # fmt: skip
def test_what_the_schema_refuses_says_why(tmp_path, keys, words):
    path = written(tmp_path, keys, node("n1"), node("n2"))
    with pytest.raises(LoadError) as caught:
        load_scenario(path)
    assert words in " ".join(f"{one.message} {one.hint} {one.label}" for one in caught.value.problems)


def test_nodes_of_several_kinds_are_refused_with_their_names(tmp_path):
    problem = refused(written(tmp_path, FROM_FILE, node("n1"), node("n2", gpus=4), node("n3")))
    assert problem.code == "FP6288"
    assert problem.notes == ("4 GPUs: n2; 8 GPUs: n1, n3",)


def test_a_model_with_other_gpus_is_refused(tmp_path):
    """The catalogue's model has 8 GPUs, the nodes have 4."""
    path = written(tmp_path, f"{FROM_FILE}\nmodel: hgx-h100-8", node("n1", gpus=4))
    assert "the nodes there have 4 GPUs, and model hgx-h100-8 has 8" in refused(path).message


# ---- live ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def emulator(tmp_path, monkeypatch):
    pytest.importorskip("kubernetes")
    pytest.importorskip("kmock")
    from kubernetes_emulator import Emulator

    from traffic.schedulers.live import answer

    monkeypatch.setattr(answer, "_ANSWERS", {})
    with Emulator(tmp_path, [node("n1"), node("n2")], [pod("n1", cpu="90")]) as server:
        yield server


LIVE = "from: kubernetes\ncontext: prod\nkubeconfig: kubeconfig"


def test_a_group_is_read_from_the_running_cluster_once(tmp_path, emulator):
    """Two loads and a what-if ask once; what was read, when and its hash are said and among the inputs."""
    path = written(tmp_path, LIVE)
    loaded = load_scenario(path)
    assert loaded.scenario.nodes[0].host_names() == ("n1", "n2")
    assert load_scenario(path).scenario.nodes == loaded.scenario.nodes
    with_overrides(loaded, ["seed=3"])
    assert len(emulator.asked) == 2  # nodes and pods
    entry = loaded.inputs[-1]
    assert entry.path == "kubernetes context prod"
    assert f"2 nodes and 1 pod on them, sha256 {entry.sha256[:12]}" in loaded.nodes_said[0]


def test_what_would_be_read_again_is_refused(tmp_path, emulator):
    """A saved result, and work in other processes: both would read another cluster state; path: is the way."""
    emulator.pods = []
    loaded = load_scenario(written(tmp_path, LIVE))
    with pytest.raises(
        FormatError, match=r"nodes.gpu.context reads a running cluster, which work in several processes"
    ):
        Shipment.of(loaded)
    run = run_scenario(loaded, RouteRequest())
    with pytest.raises(FormatError, match="which a saved result would read again"):
        save_result(tmp_path / "r.fabric", run)
    assert not (tmp_path / "r.fabric").exists()


def test_a_missing_right_is_said_at_the_group(tmp_path, emulator):
    emulator.answers = {("nodes", 0): 403}
    problem = refused(written(tmp_path, LIVE))
    assert problem.code == "FP6283"
    assert problem.message.startswith("kubernetes context prod: the right is missing to list nodes")
    assert problem.line == 5


ONE_GROUP = """\
version: 1
name: live
nodes: {from: slurm, path: nodes.txt, group: gpu%s,
  nics: {main: {speed: 400G, count: 8, rail: per-gpu}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 32, host_speed: 400G, uplink_speed: 400G}
"""


@pytest.fixture
def one_group(tmp_path):
    """Two nodes of a Slurm file, and a scenario whose ``nodes`` is a mapping."""
    (tmp_path / "nodes.txt").write_text("NodeName=a1 Gres=gpu:8 State=IDLE\nNodeName=a2 Gres=gpu:8 State=IDLE\n")
    path = tmp_path / "s.yaml"
    path.write_text(ONE_GROUP % "")
    return path


def test_a_mapping_with_from_is_one_group(one_group):
    """As in a list of one; also from --set, and laid over a file that it includes."""
    assert load_scenario(one_group).scenario.nodes[0].host_names() == ("a1", "a2")
    over = one_group.with_name("over.yaml")
    over.write_text("version: 1\nname: over\ninclude: [s.yaml]\nnodes: [{group: gpu, per_rack: 2}]\n")
    loaded = load_scenario(over)
    assert (loaded.scenario.nodes[0].per_rack, loaded.scenario.nodes[0].count) == (2, 2)
    given = "nodes={from: slurm, path: nodes.txt, group: set, nics: {main: {speed: 400G}}}"
    assert load_scenario(one_group, overrides=[given]).scenario.nodes[0].group == "set"
    assert with_overrides(load_scenario(one_group), ["nodes.gpu.per_rack=1"]).scenario.nodes[0].per_rack == 1


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "column"),
    [
        (", group: gpu", ", group: gpu, pr_rack: 2", "FP2101", 3, 51),
        (", group: gpu", "", "FP2103", 3, 8),
        ("nodes.txt", "gone.txt", "FP4025", 3, 15),
        ("from: slurm, path: nodes.txt", "count: 2", "FP2102", 3, 8),
    ],
)
def test_what_is_wrong_in_a_mapping_is_at_its_place(one_group, old, new, code, line, column):
    """The last is a group whose nodes are not read: that is a list, as it was."""
    one_group.write_text(one_group.read_text().replace(old, new))
    problem = refused(one_group)
    assert (problem.code, problem.line, problem.column) == (code, line, column)
    assert (code == "FP2102") == problem.hint.startswith("write a list")


def test_editors_take_a_mapping_with_from_and_no_other(one_group):
    """By the JSON Schema; the group is of the same keys."""
    schema = Draft202012Validator(scenario_schema())
    data = yaml.safe_load(one_group.read_text())
    assert schema.is_valid(data)
    assert not schema.is_valid({**data, "nodes": {**data["nodes"], "pr_rack": 2}})
    del data["nodes"]["from"]
    assert not schema.is_valid(data)
    assert schema.is_valid({**data, "nodes": [{"group": "gpu", "count": 2}]})


def test_pieces_do_not_get_gpus_that_pods_hold_or_that_are_on_cordoned_nodes(tmp_path):
    """n1 has 2 of 8 left, n2 is cordoned, n3 has all 8: 10 of 24 GPUs; of pieces of 4 ranks two fit, on n3."""
    pods = [pod("n1", **{"nvidia.com__gpu": "6", "cpu": "1"})]
    path = written(tmp_path, FROM_FILE, node("n1"), node("n2", unschedulable=True), node("n3"), *pods)
    path.write_text(path.read_text().replace("gpus: 16", "gpus: 8").replace("{cpu: 10}", "{ranks: 4, cpu: 10}"))
    loaded = load_scenario(path)
    assert any("10 of 24 GPUs are free for new jobs; not all are on n1, n2" in text for text in loaded.said)
    assert build_network(loaded).inventory.resources("gpu")["gpus"] == (2, 0, 8)
    placed = [text for one in derive_traffic(loaded, build_network(loaded)) for text in one.said]
    assert any("2 pieces of 4 ranks and 10 cores each on n3 (2)" in text for text in placed)
    path.write_text(path.read_text().replace("gpus: 8,", "gpus: 12,"))
    with pytest.raises(TrafficError, match="2 of 3 fit") as found:
        run_scenario(load_scenario(path), RouteRequest())
    assert "gpus 2" in found.value.problems[0].notes[0]


def test_slurm_says_what_jobs_leave_of_cpus_memory_and_gpus(tmp_path):
    """86 of 96 CPUs; 1,000 less 24 of the system and 100 of jobs, in units of 2**20 bytes; 5 of 8 GPUs; n2 drains."""
    (tmp_path / "nodes.txt").write_text(
        "NodeName=n1 Gres=gpu:8 GresUsed=gpu:3 State=MIXED CPUTot=96 CPUAlloc=10 RealMemory=1000\n"
        "   MemSpecLimit=24 AllocMem=100\n"
        "NodeName=n2 Gres=gpu:8 State=IDLE+DRAIN CPUTot=96 CPUEfctv=94 CPUAlloc=0 RealMemory=1000 AllocMem=0\n"
    )
    loaded = load_scenario(written(tmp_path, "from: slurm\npath: nodes.txt"))
    found = build_network(loaded).inventory.resources("gpu")
    assert found == {"cpu": (86_000, 94_000), "memory": (876 * 2**20, 1000 * 2**20), "gpus": (5, 0)}


@pytest.mark.parametrize(
    ("source", "text", "code", "words"),
    [
        (
            "kubernetes", json.dumps({"items": [node("n1"), node("n2"), node("n1")]}), "FP6211",
            r"items\[2\]: 'n1' is listed a second time; items\[0\] is it too",
        ),
        ("kubernetes", json.dumps({"items": [node("n1", cpu="-4")]}), "FP6250", "cpu: -4 is below 0"),
        (
            "slurm", "NodeName=n1 State=IDLE Gres=gpu:8\nNodeName=n1 State=IDLE Gres=gpu:8\n", "FP6210",
            "node n1 is listed a second time; line 1 has it too",
        ),
        (
            "slurm", json.dumps({"nodes": [{"name": "n1", "gres": "gpu:8"}] * 2}), "FP6210",
            r"node n1 is listed a second time; nodes\[0\] is it too",
        ),
        ("slurm", "NodeName=n1 State=IDLE Gres=gpu:h100:4,gpu:a100:4\n", "FP6288", "of several types: h100, a100"),
        ("slurm", "NodeName=n1 State=IDLE Gres=gpu:h100:4,gpu:mig:4\n", "FP6288", "slices of them"),
    ],
)  # fmt: skip
def test_nodes_that_are_not_clear_are_refused_by_scenarios_and_by_fabric_nodes(tmp_path, source, text, code, words):
    (tmp_path / "some.txt").write_text(text)
    problem = refused(written(tmp_path, f"from: {source}\npath: some.txt"))
    assert problem.code == code
    assert re.search(words, problem.message)
    if code != "FP6288":
        with pytest.raises(FormatError, match=words):
            list_nodes(source, str(tmp_path / "some.txt"), resource="nvidia.com/gpu")
