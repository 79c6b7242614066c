"""Our labels by the real ``kubectl``: it reads the list of nodes, and is called by the script as we mean it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from real_programs import SEARCHED, require_here
from scheduler_plans import built, plan_of, written

pytestmark = pytest.mark.real_helm
KUBECTL = Path(sys.prefix) / "tools" / "kubectl"
require_here(KUBECTL)


def test_kubectl_reads_every_node_and_its_labels(tmp_path: Path) -> None:
    plan = plan_of(built("fat-tree"))
    folder = written(tmp_path, plan, "kueue")
    words = [KUBECTL, "label", "--local", "-f", str(folder / "nodes.json"), "seen=yes", "-o", "json"]
    environment = {**os.environ, "PATH": SEARCHED, "HOME": str(tmp_path)}
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, env=environment)
    decoder, text, found = json.JSONDecoder(), done.stdout.strip(), {}
    while text:
        node, end = decoder.raw_decode(text)
        for item in node.get("items", [node]):
            found[item["metadata"]["name"]] = item["metadata"]["labels"]
        text = text[end:].strip()
    assert len(found) == 128
    assert found["pod1-edge2-h3"] == {
        "fabric-planner/net.edge": "pod1-edge2", "fabric-planner/net.pod": "pod1", "fabric-planner/net.fabric": "net",
        "seen": "yes",
    }  # fmt: skip


def test_the_script_gives_kubectl_nodes_and_labels_that_it_takes(tmp_path: Path) -> None:
    """A stand-in writes down how it is called; the real program then takes those labels for a node of a file."""
    folder = written(tmp_path, plan_of(built("rail-optimised")), "labels")
    log, stand_in = tmp_path / "calls", tmp_path / "stand-in"
    stand_in.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    stand_in.chmod(0o755)
    subprocess.run(
        ["sh", str(folder / "label-nodes.sh")], check=True, timeout=60, env={**os.environ, "KUBECTL": str(stand_in)}
    )
    calls = [line.split() for line in log.read_text().splitlines()]
    assert [call[:3] for call in calls] == [["label", "--overwrite", "nodes"]] * 2
    assert [word for call in calls for word in call[3:] if "=" not in word] == [
        f"unit{unit}-h{host}" for unit in range(2) for host in range(4)
    ]
    node = tmp_path / "node.json"
    node.write_text(json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "unit0-h0"}}))
    labels = [word for word in calls[0] if "=" in word]
    done = subprocess.run(
        [KUBECTL, "label", "--local", "--overwrite", "-f", str(node), *labels, "-o", "json"],
        capture_output=True, text=True, check=True, timeout=60, env={**os.environ, "PATH": SEARCHED},
    )  # fmt: skip
    assert json.loads(done.stdout)["metadata"]["labels"] == dict(label.split("=") for label in labels)
