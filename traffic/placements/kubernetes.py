"""Hosts as Kubernetes knows them: the output of ``kubectl get nodes -o json``, or the cluster itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from topologies.columns import Ints
from topologies.errors import Problem, TrafficError, nearest_hint
from topologies.registry import Injected
from topologies.units import TimeS
from traffic.files import read_beside
from traffic.host_names import HostNames
from traffic.hostlist import chosen_hosts
from traffic.placement import PlacementSite
from traffic.schedulers.kubernetes_fields import FIELDS, GPU_TAINTS
from traffic.schedulers.kubernetes_nodes import KubernetesNode, Taint, TolerationSpec, read_kubernetes_nodes
from traffic.schedulers.live.answer import TIMEOUT_S, read_live
from traffic.schedulers.live.kubernetes_api import KubernetesCluster
from traffic.schedulers.share_of_names import check_share_of_names
from traffic.schedulers.sources import check_one_source
from traffic.slots import Slots, listed
from traffic.workload import PLACEMENTS


@PLACEMENTS.register("kubernetes", example={"path": "nodes.json"})
def kubernetes(
    path: str | None = None,
    context: str | None = None,
    kubeconfig: str | None = None,
    selector: str | None = None,
    pods: bool = True,
    timeout: Annotated[TimeS, Field(gt=0)] = TIMEOUT_S,
    resource: str = "nvidia.com/gpu",
    sort: str | None = None,
    nodes: str | list[str] | None = None,
    tolerations: list[str | TolerationSpec] | None = None,
    *,
    site: Injected[PlacementSite],
) -> Ints:
    """Ranks fill the ready nodes of ``kubectl get nodes -o json`` or of a live cluster, by a label, or those named.

    Parameters
    ----------
    path : str, optional
        The JSON, relative to the scenario: of all nodes, or of one; with the pods beside them (``kubectl get
        nodes,pods -A -o json``, ``fabric nodes --snapshot``) what they hold is not free. Nodes that are cordoned,
        not ready, under pressure or tainted are passed over, nodes that are no hosts of the job are left out; both are
        said.
    context : str, optional
        In place of a file: the cluster of this context of the kubeconfig is asked, or of ``in-cluster``, the one this
        runs in. Nothing is written to it.
    kubeconfig : str, optional
        The kubeconfig, relative to the scenario; KUBECONFIG or ``~/.kube/config`` if absent.
    selector : str, optional
        Labels of the nodes that are asked for, as ``kubectl -l`` takes them.
    pods : bool
        Whether pods are asked for too; without them, what they hold counts as free, and that is said.
    timeout : float
        Seconds to wait for a connection, and for the next bytes of an answer.
    resource : str
        Name of the resource that counts GPUs; ``allocatable`` says how many a node gives.
    sort : str, optional
        Label that nodes are sorted by, such as ``topology.kubernetes.io/zone``; then by name.
    nodes : str or list of str, optional
        Host ranges: these nodes in this order, whatever their state; all that are usable if absent.
    tolerations : list of str or TolerationSpec, optional
        Taints that the job tolerates, as ``key``, ``key=value``, ``key:effect`` or ``key=value:effect``, or as a pod
        has them; beside those by which GPU nodes are kept for GPU jobs, such as ``nvidia.com/gpu`` and the resource's
        own.

    Returns
    -------
    ndarray of int, shape (ranks, 2)
        Host index and GPU index of every rank.

    Raises
    ------
    FormatError
        When the file is not such JSON (FP6211, FP6250), has accelerators of another kind (FP6251), or has hosts that
        are not clear (FP6210); when the cluster cannot be read (FP6281 to FP6285, FP6287), or is of another fabric
        (FP6286); when path and context are both given, or neither (FP6289).
    MissingProgramError
        When the package kubernetes is not installed (FP6280).
    TrafficError
        When the file cannot be read or has too few slots (FP4025), or a toleration is none (FP4021).
    """
    only_live: dict[str, object] = {"kubeconfig": kubeconfig, "selector": selector, "pods": None if pods else pods}
    only_live["timeout"] = None if timeout == TIMEOUT_S else timeout
    check_one_source("kubernetes", path, "context", context, only_live)
    if context is not None:
        config = None if kubeconfig is None else str(site.directory / kubeconfig)
        answer = read_live(KubernetesCluster(context, config, selector, timeout, pods))
        text, path = answer.text, answer.label
        site.say(*answer.said)
    else:
        path = str(path)
        text = read_beside(site.directory, path, "placement.path")
    slots = Slots(site, path)
    found, notes = read_kubernetes_nodes(text, path)
    if context is not None:
        site.say(*check_share_of_names([node.name for node in found], site.hosts, path))
    inside = _Inside(site, slots, path, resource, _tolerated(tolerations or ()))
    if sort is not None:
        found.sort(key=lambda node: (node.labels.get(sort).text(""), node.name))
    if nodes is None:
        inside.free(found)
    else:
        inside.named(found, nodes)
    places = slots.places()
    site.say(*(f"{path}: {text}" for text in notes))
    if all(node.held is None for node in found):
        site.say(f"{path}: GPUs that other pods hold are not in it; all that are allocatable count as free")
    return places


def _tolerated(tolerations: Sequence[str | TolerationSpec]) -> list[TolerationSpec]:
    problems, every = [], []
    for at, one in enumerate(tolerations):
        try:
            every.append(TolerationSpec.of(one) if isinstance(one, str) else one)
        except ValueError as error:
            problems.append(
                Problem(
                    str(error),
                    code="FP4021",
                    where=("placement", "tolerations", at),
                    hint="such as nvidia.com/gpu:NoSchedule",
                )
            )  # fmt: skip
    if problems:
        raise TrafficError(problems)
    return every


class _Inside:
    """The nodes of a file, taken for a job."""

    def __init__(
        self, site: PlacementSite, slots: Slots, path: str, resource: str, tolerations: list[TolerationSpec]
    ) -> None:
        self.site, self.slots, self.path, self.resource, self.tolerations = site, slots, path, resource, tolerations
        self.usual = {*GPU_TAINTS, resource}

    def free(self, nodes: list[KubernetesNode]) -> None:
        """Take the nodes that a new pod may have; those it would rather not have come last."""
        usable: list[tuple[bool, KubernetesNode]] = []
        for node in nodes:
            if not self.slots.known(node.name):
                self.slots.leave_out(None, node.name)
                continue
            stands = self._untolerated(node)
            against = [taint for taint in stands if taint.effect != "PreferNoSchedule"]
            if node.deleted or against:
                why = "being deleted" if node.deleted else ", ".join(dict.fromkeys(map(str, against)))
                self.slots.pass_over(node.name, why)
            elif (gpus := self._gpus(node)) and gpus <= node.taken(self.resource):
                self.slots.pass_over(node.name, f"pods hold all of its {gpus} GPUs")
            elif gpus:
                if node.ready is None:
                    self.slots.note("is taken as ready; the file does not say", node.name)
                if stands:
                    self.slots.note(f"comes after the others: {stands[0]}", node.name)
                usable.append((bool(stands), node))
        for _, node in sorted(usable, key=lambda one: one[0]):
            self._add(node, node.taken(self.resource))

    def named(self, found: list[KubernetesNode], nodes: str | list[str]) -> None:
        """Take the nodes that are named, in their order."""
        try:
            names = chosen_hosts(nodes)
        except ValueError as error:
            self.slots.problem(None, f"nodes: {error}", "ranges are written like n[001-032,040]")
            return
        index = HostNames(node.name for node in found)
        for name in names:
            meant = index.find(name)
            if len(meant) != 1:
                what = f"may be {listed(index.names[at] for at in meant)}" if meant else "is not in the file"
                hint = "write the whole name" if meant else nearest_hint(name, index.names, "it lists")
                self.slots.problem(None, f"nodes: {name!r} {what}", hint)
                continue
            node = found[meant[0]]
            against = [*(["being deleted"] if node.deleted else []), *map(str, self._untolerated(node))]
            if against:
                why = ", ".join(dict.fromkeys(against))
                self.site.say(f"{self.path}: {node.name} ({why}); taken all the same, as nodes names it")
            if self._gpus(node):
                if node.taken(self.resource):
                    self.slots.note("pods hold some of the GPUs; all are used, as nodes names it", node.name)
                self._add(node)

    def _untolerated(self, node: KubernetesNode) -> list[Taint]:
        """Taints that the job does not tolerate; of those it does as every GPU job, a note is made."""
        against = []
        for taint in node.taints:
            if any(one.matches(taint) for one in self.tolerations):
                continue
            if taint.key in self.usual:
                self.slots.note(f"is taken, as GPU jobs tolerate its {taint} (tolerations)", node.name)
            else:
                against.append(taint)
        return against

    def _gpus(self, node: KubernetesNode) -> int:
        """GPUs of a node; 0 where it gives none, which is noted, or where they are of another kind, a problem."""
        given, has = node.gpus(self.resource)
        if given:
            return given
        others = node.accelerators(self.resource)
        if others:
            for problem in FIELDS.refusals(others, self.path):
                self.slots.refuse(problem, f"{node.name} has ")
        else:
            self.slots.pass_over(
                node.name, f"no {self.resource}" if not has else f"0 of {has} {self.resource} allocatable"
            )
        return 0

    def _add(self, node: KubernetesNode, taken: int = 0) -> None:
        given, has = node.gpus(self.resource)
        if taken:
            self.slots.note("pods hold some of the GPUs, and which is not said; the first are used", node.name)
        if given < has:
            self.slots.note("which of the GPUs are not allocatable is not in the file; the first are used", node.name)
        elif given < self.site.gpus_per_host:
            self.slots.note(f"has {given} GPUs in the file, {self.site.gpus_per_host} in the scenario", node.name)
        self.slots.add(None, node.name, given - taken)
