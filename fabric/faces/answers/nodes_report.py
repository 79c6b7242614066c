"""What ``fabric nodes`` prints: the nodes of a cluster, and how many of them and their GPUs a job may have."""

from __future__ import annotations

import hashlib
from typing import Any

from fabric.faces.views.nodes import node_table
from fabric.faces.views.row_kinds import NODES
from fabric.output.document import Line
from fabric.output.table import Table
from fabric.scenario.provenance import tool_envelope
from fabric.share.schedulers.listed_nodes import ListedNodes, summary
from topologies.budget import counted


def nodes_document(listed: ListedNodes) -> list[Table | Line]:
    """Where they are from, the nodes, and what of them is usable."""
    counts = summary(listed)
    when = "" if listed.answer is None else f", read live at {listed.answer.read_at}"
    head = f"{listed.label}{when}: {counted(counts['nodes'], 'nodes')}, {counted(counts['gpus'], 'GPUs')}"
    usable = f"{counted(counts['nodes_usable'], 'nodes')} may have new jobs"
    free = f"{usable}, with {counted(counts['gpus_usable'], 'GPUs')} free"
    return [Line(head), node_table(listed).only(*NODES.columns).as_rows(), Line(free)]


def nodes_record(listed: ListedNodes) -> dict[str, Any]:
    """``NodesResult``, but for its rows."""
    return {
        **tool_envelope("NodesResult"),
        "scheduler": listed.scheduler,
        "source": listed.label,
        "read_at": None if listed.answer is None else listed.answer.read_at,
        "sha256": hashlib.sha256(listed.text.encode()).hexdigest(),
        "summary": dict(summary(listed)),
        "notes": list(listed.said),
    }
