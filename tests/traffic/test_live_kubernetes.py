"""Nodes read from an emulated API server by the real client: pages, refusals, time, and what pods hold."""

from __future__ import annotations

import json
import time

import pytest

pytest.importorskip("kubernetes")
pytest.importorskip("kmock")

from kubernetes_emulator import Emulator, node, pod
from test_scheduler_files import place, site_of

from topologies.errors import FormatError, MissingProgramError, TrafficError
from traffic.placement import Placement
from traffic.schedulers.live import answer, kubernetes_api
from traffic.schedulers.live.answer import read_live
from traffic.schedulers.live.kubernetes_api import KubernetesCluster

HOSTS = [f"gpu-{number}" for number in range(4)]


@pytest.fixture(autouse=True)
def nothing_asked_yet(monkeypatch):
    """Answers are kept for a process; every test asks again."""
    monkeypatch.setattr(answer, "_ANSWERS", {})


def cluster(emulator, **keys):
    return KubernetesCluster("prod", str(emulator.config), **keys)


def test_all_pages_are_read_and_only_read(tmp_path):
    """7 nodes in pages of 3 are three requests; the second has the token of the first, and each is a GET."""
    with Emulator(tmp_path, [node(f"n{number}") for number in range(7)], page=3) as emulator:
        found = read_live(cluster(emulator, selector="zone=a"))
    asked = [query for _, resource, query in emulator.asked if resource == "nodes"]
    assert [query.get("continue") for query in asked] == [None, "3", "6"]
    assert all(query["limit"] == "500" and query["labelSelector"] == "zone=a" for query in asked)
    assert {method.upper() for method, _, _ in emulator.asked} == {"GET"}
    assert [item["metadata"]["name"] for item in json.loads(found.text)["items"]] == [f"n{i}" for i in range(7)]
    assert found.what == "7 nodes and 0 pods on them"


def test_secrets_of_pods_and_nodes_are_not_kept(tmp_path):
    """Environments and annotations are left out of what a snapshot has."""
    with Emulator(tmp_path, [node("n0")], [pod("a", "n0", {"cpu": "4"})]) as emulator:
        text = read_live(cluster(emulator)).text
    assert "not kept" not in text
    assert "a-token" not in text
    assert '"cpu": "4"' in text


def test_an_expired_list_is_begun_again_once(tmp_path):
    """410 on the second page: four requests give all seven nodes, once each; a second 410 is an error."""
    nodes = [node(f"n{number}") for number in range(7)]
    with Emulator(tmp_path, nodes, page=4, answers={("nodes", 1): 410}) as emulator:
        found = read_live(cluster(emulator))
    assert [one[1] for one in emulator.asked].count("nodes") == 4
    assert len(json.loads(found.text)["items"]) == 7
    assert "the list of nodes expired while it was read; begun again" in found.said[1]
    (tmp_path / "b").mkdir()
    twice = {("nodes", 1): 410, ("nodes", 3): 410}
    with (
        Emulator(tmp_path / "b", nodes, page=4, answers=twice) as emulator,
        pytest.raises(FormatError, match="the list of nodes expired twice"),
    ):
        read_live(cluster(emulator))


def test_a_missing_right_is_named_with_the_role_that_grants_it(tmp_path):
    """403 on pods: the server's own words, list on nodes and pods in YAML, and the way without pods."""
    with Emulator(tmp_path, [node("n0")], answers={("pods", 0): 403}) as emulator:
        with pytest.raises(FormatError, match="the right is missing to list pods in the whole cluster") as caught:
            read_live(cluster(emulator))
        problem = caught.value.problems[0]
        assert problem.code == "FP6283"
        assert 'User "u" cannot list resource "pods"' in problem.message
        assert "resources: [nodes, pods], verbs: [list]" in problem.notes[0]
        assert "pods: false" in problem.hint
        assert read_live(cluster(emulator, pods=False)).what == "1 node, no pods asked for"


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [(401, "FP6283", "does not know who asks"), (404, "FP6284", "answers 404"), (503, "FP6284", "answers 503")],
)
def test_other_refusals_say_what_the_server_says(tmp_path, status, code, words):
    with (
        Emulator(tmp_path, [node("n0")], answers={("nodes", 0): status}) as emulator,
        pytest.raises(FormatError, match=words) as caught,
    ):
        read_live(cluster(emulator))
    assert caught.value.problems[0].code == code
    assert "a-token" not in str(caught.value)


def test_a_server_that_does_not_answer_is_not_waited_for(tmp_path):
    """0.3 s are said and kept to; a port where nobody listens is refused at once."""

    def late():
        time.sleep(1.2)
        return {}

    with Emulator(tmp_path, [node("n0")], answers={("nodes", 0): late}) as emulator:
        began = time.monotonic()
        with pytest.raises(FormatError, match="has not answered within 300 ms") as caught:
            read_live(cluster(emulator, timeout_s=0.3))
        assert time.monotonic() - began < 1.1
    assert caught.value.problems[0].code == "FP6282"
    with pytest.raises(FormatError, match=r"does not answer: .*refused"):
        read_live(cluster(emulator, timeout_s=0.4))


def test_tls_to_a_server_without_is_said(tmp_path):
    with Emulator(tmp_path, [node("n0")]) as emulator:
        emulator.config.write_text(emulator.config.read_text().replace("http://", "https://"))
        with pytest.raises(FormatError, match="TLS with https://") as caught:
            read_live(cluster(emulator))
    assert "certificate-authority-data" in caught.value.problems[0].hint


def test_what_is_no_list_is_refused(tmp_path):
    """A page of another kind, and one whose pages never end."""
    with (
        Emulator(tmp_path, [node("n0")], answers={("nodes", 0): lambda: {"kind": "Status"}}) as emulator,
        pytest.raises(FormatError, match="no list of nodes: kind is Status"),
    ):
        read_live(cluster(emulator))
    (tmp_path / "b").mkdir()
    endless = {"kind": "NodeList", "metadata": {"continue": "1"}, "items": [node("n0")]}
    answers = {("nodes", number): lambda: endless for number in range(9)}
    with Emulator(tmp_path / "b", answers=answers) as emulator, pytest.raises(FormatError, match="two pages end alike"):
        read_live(cluster(emulator))


def test_more_than_there_is_room_for_is_not_read(tmp_path, monkeypatch):
    """50 nodes are some 20 kB; at most 4 kB are read here."""
    monkeypatch.setattr(kubernetes_api, "MOST_BYTES", 4096)
    with (
        Emulator(tmp_path, [node(f"n{number}") for number in range(50)]) as emulator,
        pytest.raises(FormatError, match=r"nodes and pods are more than 4\.1 kB") as caught,
    ):
        read_live(cluster(emulator))
    assert caught.value.problems[0].code == "FP6284"


@pytest.mark.parametrize(
    "odd",
    ["[", "[" * 3000, '{"kind": "NodeList", "items": {"a": 1}}', '{"kind": "NodeList", "items": [1]}',
     '{"kind": "NodeList", "items": [{"metadata": {}}]}', '{"kind": "NodeList", "items": [{"metadata": {"name": "n"}, '
     '"status": {"conditions": 5}}]}', "\x00", '{"kind": "NodeList", "metadata": 5, "items": []}'],
)  # fmt: skip
def test_answers_of_other_shapes_are_refused(tmp_path, odd):
    with (
        Emulator(tmp_path, answers={("nodes", 0): lambda: odd.encode()}) as emulator,
        pytest.raises(FormatError, match="kubernetes context prod"),
    ):
        read_live(cluster(emulator))


def test_an_empty_cluster_is_said(tmp_path):
    with (
        Emulator(tmp_path) as emulator,
        pytest.raises(FormatError, match="the cluster has no nodes with the labels gpu=yes") as caught,
    ):
        read_live(cluster(emulator, selector="gpu=yes"))
    assert caught.value.problems[0].code == "FP6287"


def test_a_kubeconfig_that_cannot_be_used_is_said(tmp_path):
    """No file, no YAML of its kind, and a context that it does not have."""
    with pytest.raises(FormatError, match="cannot use the kubeconfig") as caught:
        read_live(KubernetesCluster("prod", str(tmp_path / "none")))
    assert caught.value.problems[0].code == "FP6281"
    (tmp_path / "odd").write_text("- 1\n- [")
    with pytest.raises(FormatError, match="cannot use the kubeconfig"):
        read_live(KubernetesCluster("prod", str(tmp_path / "odd")))
    with Emulator(tmp_path, [node("n0")]) as emulator, pytest.raises(FormatError, match="no context 'prot'") as caught:
        read_live(KubernetesCluster("prot", str(emulator.config)))
    assert caught.value.problems[0].hint == "did you mean 'prod'?"
    with pytest.raises(FormatError, match="not in a cluster"):
        read_live(KubernetesCluster("in-cluster"))


def test_without_the_package_the_way_without_is_said(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "kubernetes", None)
    with pytest.raises(MissingProgramError, match="the package kubernetes is not installed") as caught:
        read_live(KubernetesCluster("prod", str(tmp_path / "x")))
    assert "kubectl get nodes,pods -A -o json" in caught.value.problems[0].hint


def test_offline_nothing_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("FABRIC_OFFLINE", "1")
    with Emulator(tmp_path, [node("n0")]) as emulator, pytest.raises(FormatError, match="FABRIC_OFFLINE is set"):
        read_live(cluster(emulator))
    assert emulator.asked == []


# ---- placements ------------------------------------------------------------------------------------------------------


def test_a_job_gets_what_pods_and_cordons_leave(tmp_path):
    """gpu-0: 6 of 8 held; gpu-1 is cordoned; gpu-2: all held; gpu-3 is free: 2 + 8 GPUs are left for 10 ranks."""
    pods = [
        pod("a", "gpu-0", {"nvidia.com/gpu": "6"}),
        pod("b", "gpu-2", {"nvidia.com/gpu": "8"}),
        pod("c", "gpu-3", {"nvidia.com/gpu": "8"}, phase="Succeeded"),
        pod("d", "elsewhere", {"nvidia.com/gpu": "8"}),
    ]
    nodes = [node("gpu-0"), node("gpu-1", unschedulable=True), node("gpu-2"), node("gpu-3")]
    with Emulator(tmp_path, nodes, pods) as emulator:
        live = {"context": "prod", "kubeconfig": "kubeconfig"}
        site = site_of(HOSTS, tmp_path, 10)
        placed = Placement(order="kubernetes", **live).place(site)
        assert placed.tolist() == [[0, 0], [0, 1], *([3, gpu] for gpu in range(8))]
        said = " ".join(site.said)
        assert "read live at" in said
        assert "4 of 4 names match hosts of the job" in said
        assert "gpu-1 (cordoned); gpu-2 (pods hold all of its 8 GPUs)" in said
        with pytest.raises(TrafficError, match="10 slots on 2 hosts, besides 2 that are not usable, but there are 16"):
            place("kubernetes", HOSTS, tmp_path, 16, **live)
        assert len(emulator.asked) == 2  # the second job sees the same answer


def test_a_snapshot_gives_the_same_places_as_the_cluster(tmp_path):
    """The document of the live answer as a file: the same hosts, and pods still counted where there are none."""
    with Emulator(tmp_path, [node(name) for name in HOSTS]) as emulator:
        found = read_live(cluster(emulator))
        live, _ = place("kubernetes", HOSTS, tmp_path, 24, context="prod", kubeconfig="kubeconfig")
    (tmp_path / "nodes.json").write_text(found.text)
    filed, said = place("kubernetes", HOSTS, tmp_path, 24, path="nodes.json")
    assert filed == live
    assert not any("GPUs that other pods hold are not in it" in text for text in said)


def test_a_cluster_of_another_fabric_is_refused_with_the_share(tmp_path):
    """3 of 40 names match 64 hosts: a chance. 3 of 3 do where a cluster is smaller than planned."""
    hosts = [f"gpu-{number}" for number in range(64)]
    strange = [node(f"ip-{number}") for number in range(37)]
    ours = [node(name) for name in hosts[:3]]
    with (
        Emulator(tmp_path, [*strange, *ours]) as emulator,
        pytest.raises(FormatError, match="another fabric: 3 of 40 names match hosts of the job, which are 64"),
    ):
        place("kubernetes", hosts, tmp_path, 8, context="prod", kubeconfig="kubeconfig")
    assert emulator.asked
    (tmp_path / "b").mkdir()
    with Emulator(tmp_path / "b", ours):
        assert place("kubernetes", hosts, tmp_path / "b", 8, context="prod", kubeconfig="kubeconfig")[0] == ["gpu-0"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"path": "a.json", "context": "prod"}, "which is it"),
        ({}, "nothing says where nodes are read"),
        ({"path": "a.json", "selector": "a=b"}, "selector is of a running cluster"),
    ],
)
def test_a_file_and_a_cluster_exclude_each_other(tmp_path, keys, words):
    with pytest.raises(FormatError, match=words):
        Placement(order="kubernetes", **keys).place(site_of(HOSTS, tmp_path, 8))
