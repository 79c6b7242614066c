"""What a pod holds, by the rules of Kubernetes' scheduler, worked by hand."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from test_scheduler_files import place

from topologies.errors import FormatError
from topologies.reading.json_value import JsonValue
from traffic.schedulers.kubernetes_pods import counts, held_by, quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [("500m", "0.5"), ("2", "2"), (3, "3"), ("1Gi", str(2**30)), ("1.5Ki", "1536"), ("128M", "128000000"),
     ("2e3", "2000"), ("1E", "1000000000000000000"), ("100n", "0.0000001"), (".5", "0.5")],
)  # fmt: skip
def test_quantities_are_what_kubernetes_makes_of_them(text, amount):
    assert quantity(JsonValue(text, "f")) == Decimal(amount)


@pytest.mark.parametrize("text", ["1 Gi", "Gi", "1KiB", "", "1e99999"])
def test_other_texts_are_no_quantities(text):
    with pytest.raises(FormatError, match="is not a quantity"):
        quantity(JsonValue(text, "f"))


def container(**requests):
    return {"resources": {"requests": requests}}


def held(**spec):
    found = held_by(JsonValue({"spec": spec}, "f"))
    return {name: str(amount) for name, amount in found.items()}


def test_containers_add_up_and_what_runs_before_them_is_the_most():
    """2 + 3 cores run together; 4 before them are less, 7 are more."""
    both = [container(cpu="2"), container(cpu="3")]
    assert held(containers=both, initContainers=[container(cpu="4")]) == {"cpu": "5"}
    assert held(containers=both, initContainers=[container(cpu="4"), container(cpu="7")]) == {"cpu": "7"}


def test_what_restarts_always_counts_before_and_beside():
    """1 core runs from the start: with 7 before, 8; with 2 + 3 beside, 6; what ran before it does not have it."""
    beside = {**container(cpu="1"), "restartPolicy": "Always"}
    both = [container(cpu="2"), container(cpu="3")]
    assert held(containers=both, initContainers=[beside, container(cpu="7")]) == {"cpu": "8"}
    assert held(containers=both, initContainers=[container(cpu="6"), beside]) == {"cpu": "6"}
    assert held(containers=both, initContainers=[beside]) == {"cpu": "6"}


def test_overhead_comes_on_top_and_limits_stand_for_requests():
    """4 GPUs by their limit alone, as extended resources may be written; 250 thousandths of overhead."""
    one = {"resources": {"limits": {"nvidia.com/gpu": "4", "cpu": "9"}, "requests": {"cpu": "2"}}}
    assert held(containers=[one], overhead={"cpu": "250m"}) == {"nvidia.com/gpu": "4", "cpu": "2.250"}


def test_the_request_of_a_pod_stands_for_its_containers():
    assert held(containers=[container(cpu="2", memory="1Gi")], resources={"requests": {"cpu": "8"}}) == {
        "cpu": "8", "memory": str(2**30),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("phase", "expected"), [("Running", True), ("Pending", True), ("Succeeded", False), ("Failed", False)]
)
def test_pods_that_have_ended_hold_nothing(phase, expected):
    assert counts(JsonValue({"spec": {"nodeName": "n"}, "status": {"phase": phase}}, "f")) is expected
    assert not counts(JsonValue({"spec": {}, "status": {"phase": phase}}, "f"))


def test_a_file_of_nodes_and_pods_gives_what_pods_leave(tmp_path):
    """``kubectl get nodes,pods -A -o json``: n0 has 2 of 8 left, so that 8 ranks go on to n1; claims are said."""
    given = {"allocatable": {"nvidia.com/gpu": "8"}, "capacity": {"nvidia.com/gpu": "8"}}
    nodes = [{"kind": "Node", "metadata": {"name": name}, "status": given} for name in ("n0", "n1")]
    running = {
        "kind": "Pod", "metadata": {"name": "p"}, "status": {"phase": "Running"},
        "spec": {"nodeName": "n0", "containers": [container(**{"nvidia.com/gpu": "6"})], "resourceClaims": [{}]},
    }  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps({"kind": "List", "items": [*nodes, running]}))
    hosts, said = place("kubernetes", ["n0", "n1"], tmp_path, 10, path="a.json")
    assert hosts == ["n0", "n1"]
    assert "a.json: n0: pods hold some of the GPUs, and which is not said; the first are used" in said
    assert any("Pod.spec.resourceClaims" in text for text in said)
    assert not any("GPUs that other pods hold are not in it" in text for text in said)
