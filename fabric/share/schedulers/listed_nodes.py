"""The nodes of a cluster as placements take them, live or from a file: GPUs, what is free of them, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from topologies.errors import FormatError, OutputError, nearest_hint
from topologies.whole_file import whole_file
from traffic.files import read_beside
from traffic.schedulers.kubernetes_fields import GPU_TAINTS
from traffic.schedulers.kubernetes_nodes import KubernetesNode, read_kubernetes_nodes
from traffic.schedulers.live.answer import LiveAnswer, LiveSource, read_live
from traffic.schedulers.slurm_nodes import SlurmFile, SlurmNode, read_slurm_nodes
from traffic.slots import listed


@dataclass(frozen=True)
class ListedNode:
    """One node; None is what its cluster does not say."""

    name: str
    gpus: int | None
    gpus_free: int | None  # whatever its state
    cores_free: float | None
    memory_free_bytes: int | None
    storage_free_bytes: int | None
    state: str  # why no new job gets it; empty where one does


@dataclass(frozen=True)
class ListedNodes:
    """The nodes, where they are from, and the document they were read from."""

    scheduler: str
    label: str
    nodes: tuple[ListedNode, ...]
    text: str
    said: tuple[str, ...]
    answer: LiveAnswer | None = None  # None where it was a file

    @property
    def usable(self) -> int:
        """Nodes that a new job may have."""
        return sum(not node.state for node in self.nodes)

    @property
    def gpus_usable(self) -> int:
        """GPUs that are free on them."""
        return sum(node.gpus_free or 0 for node in self.nodes if not node.state)


def list_nodes(scheduler: str, source: LiveSource | str, *, resource: str, partition: str | None = None) -> ListedNodes:
    """The nodes of a running cluster, which is asked again, or of a file.

    Parameters
    ----------
    scheduler : str
        kubernetes or slurm.
    source : LiveSource or str
        The cluster, or the path of a file.
    resource : str
        Of Kubernetes, what counts GPUs.
    partition : str, optional
        Of Slurm, only nodes of this partition.

    Raises
    ------
    FabricError
        As the readers of files and clusters; no node is in the partition (FP6287).
    """
    if isinstance(source, str):
        answer, text, label = None, read_beside(Path(), source, "path"), source
    else:
        answer = read_live(source, again=True)
        text, label = answer.text, answer.label
    said = () if answer is None else answer.notes
    if scheduler == "kubernetes":
        found, notes = read_kubernetes_nodes(text, label)
        nodes = tuple(_of_kubernetes(node, resource) for node in found)
        if found[0].held is None:
            notes = (*notes, "what pods hold is not in it, and counts as free")
        unsaid = [node.name for node in found if node.ready is None and node.reports]
        if unsaid:
            notes = (*notes, f"{listed(unsaid)}: taken as ready; the file does not say")
    else:
        file = read_slurm_nodes(text, label)
        file = file if partition is None else _of_partition(file, partition, label)
        nodes, notes = tuple(map(_of_slurm, file.nodes)), file.notes()
    return ListedNodes(scheduler, label, nodes, text, (*said, *(f"{label}: {one}" for one in notes)), answer)


def _of_kubernetes(node: KubernetesNode, resource: str) -> ListedNode:
    usual = {*GPU_TAINTS, resource}
    against = [str(taint) for taint in node.taints if taint.effect != "PreferNoSchedule" and taint.key not in usual]
    given, has = node.gpus(resource)
    cores, memory, storage = (node.free(kind) for kind in ("cpu", "memory", "ephemeral-storage"))
    if not node.reports:
        against.append("it has no status")
    state = ", ".join(dict.fromkeys([*(["being deleted"] if node.deleted else []), *against]))
    return ListedNode(
        node.name,
        has,
        max(given - node.taken(resource), 0),
        None if cores is None else float(cores),
        None if memory is None else int(memory),
        None if storage is None else int(storage),
        state,
    )


def _of_slurm(node: SlurmNode) -> ListedNode:
    free = None if node.gpus is None or node.used is None else max(node.gpus - node.used, 0)
    cores = None if node.cpus_free is None else float(node.cpus_free)
    return ListedNode(node.name, node.gpus, free, cores, node.memory_free_bytes, None, node.unusable(None))


def _of_partition(file: SlurmFile, partition: str, label: str) -> SlurmFile:
    nodes = [node for node in file.nodes if partition in node.names("Partitions")]
    if not nodes:
        known = sorted({name for node in file.nodes for name in node.names("Partitions")})
        others = f"there are {listed(known)}" if known else "no node has Partitions="
        raise FormatError(
            f"no node is in partition {partition!r}", file=label, hint=nearest_hint(partition, known, otherwise=others),
            code="FP6287",
        )  # fmt: skip
    return replace(file, nodes=nodes)


def write_snapshot(listed: ListedNodes, path: Path, *, force: bool) -> None:
    """Keep the document, whole or not at all.

    Raises
    ------
    OutputError
        It is there already, without ``force``, or cannot be written (FP1011).
    """
    if path.exists() and not force:
        raise OutputError(f"{path} exists", hint="--force replaces it", code="FP1011")
    try:
        with whole_file(path) as beside:
            beside.write_text(listed.text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}", hint="another --snapshot", code="FP1011") from None


def summary(listed: ListedNodes) -> Mapping[str, int]:
    """Counts of nodes and GPUs."""
    return {
        "nodes": len(listed.nodes),
        "gpus": sum(node.gpus or 0 for node in listed.nodes),
        "nodes_usable": listed.usable,
        "gpus_usable": listed.gpus_usable,
    }
