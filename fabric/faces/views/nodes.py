"""Nodes of a cluster: GPUs, what is free, and why a node is not used."""

from __future__ import annotations

from fabric.faces.views.row_kinds import NODES
from fabric.output.columns import amount_text, amounts, counts, named
from fabric.output.table import Column, Mark, Table
from fabric.share.schedulers.listed_nodes import ListedNodes
from topologies.units import format_bytes


def node_table(listed: ListedNodes) -> Table:
    """One row per node; those that no new job gets are marked."""
    nodes = listed.nodes

    def volumes(name: str, header: str) -> Column:
        values = [getattr(node, name) for node in nodes]
        texts = ["-" if value is None else format_bytes(value) for value in values]
        return counts(name, header, values, texts=texts)

    columns: dict[str, Column] = {
        "name": named("name", "node", [node.name for node in nodes]),
        "gpus": counts("gpus", "GPUs", [node.gpus for node in nodes]),
        "gpus_free": counts("gpus_free", "free", [node.gpus_free for node in nodes]),
        "cores_free": amounts("cores_free", "cores free", [node.cores_free for node in nodes], text=amount_text),
        "memory_free_bytes": volumes("memory_free_bytes", "memory free"),
        "storage_free_bytes": volumes("storage_free_bytes", "storage free"),
        "state": named("state", "not used, as", [node.state for node in nodes]),
    }
    marks: list[Mark] = ["warn" if node.state else "" for node in nodes]
    return Table.of([columns[name] for name in NODES.names], len(nodes), title="nodes", marks=marks)
