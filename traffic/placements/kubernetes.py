"""Hosts as Kubernetes knows them: the output of ``kubectl get nodes -o json``."""

from __future__ import annotations

import json
from typing import Any

from topologies.columns import Ints
from topologies.errors import FormatError
from topologies.registry import Injected
from traffic.files import read_beside
from traffic.placement import PlacementSite
from traffic.slots import Slots
from traffic.workload import PLACEMENTS


@PLACEMENTS.register("kubernetes", example={"path": "nodes.json"})
def kubernetes(
    path: str,
    resource: str = "nvidia.com/gpu",
    sort: str | None = None,
    *,
    site: Injected[PlacementSite],
) -> Ints:
    """Ranks fill the ready nodes of ``kubectl get nodes -o json``, in its order or by a label.

    Parameters
    ----------
    path : str
        The JSON, relative to the scenario. Nodes that are cordoned or not ready are passed over.
    resource : str
        Name of the resource that counts GPUs; ``allocatable`` says how many a node gives.
    sort : str, optional
        Label that nodes are sorted by, such as ``topology.kubernetes.io/zone``; then by name.

    Returns
    -------
    ndarray of int, shape (ranks, 2)
        Host index and GPU index of every rank.

    Raises
    ------
    FormatError
        When the file is not such JSON (FP6211), or has unknown hosts (FP6210).
    TrafficError
        When the file cannot be read or has too few slots (FP4025).
    """
    slots = Slots(site, path)
    items = _items(read_beside(site.directory, path, "placement.path"), path)
    if sort is not None:
        items.sort(key=lambda node: (str(_labels(node).get(sort, "")), str(node["metadata"]["name"])))
    for node in items:
        gpus = str(node.get("status", {}).get("allocatable", {}).get(resource, "0"))
        if not _ready(node) or not gpus.isdigit() or gpus == "0":
            slots.pass_over()
        else:
            slots.add(1, str(node["metadata"]["name"]), int(gpus), short=True)
    return slots.places()


def _items(text: str, path: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"not JSON: {error}", file=path, line=error.lineno, code="FP6211") from error
    items = found.get("items") if isinstance(found, dict) else None
    if not isinstance(items, list) or not items or not all(_named(node) for node in items):
        raise FormatError(
            "no list of nodes", file=path, line=1, hint="write it by: kubectl get nodes -o json", code="FP6211"
        )
    return list(items)


def _named(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("metadata"), dict) and "name" in node["metadata"]


def _labels(node: dict[str, Any]) -> dict[str, Any]:
    return node["metadata"].get("labels") or {}


def _ready(node: dict[str, Any]) -> bool:
    if node.get("spec", {}).get("unschedulable"):
        return False
    conditions = {one.get("type"): one.get("status") for one in node.get("status", {}).get("conditions", [])}
    return bool(conditions.get("Ready", "True") == "True")
